"""What a trained model does: encode, decode, reconstruct, sample, interpolate, for any number of rows."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.models import checks, export

_ROWS = 512  # rows that go through a network at once


class Inference:
    """The methods of a model that change nothing; all use the running average of the weights where there is one."""

    posterior_family = None  # explicit posteriors: what the encoder's outputs parametrise
    observation_model = None  # explicit likelihoods p(x|z): what the decoder's outputs parametrise

    @property
    def has_encoder(self) -> bool:
        """Whether images can be mapped to codes."""
        return getattr(self, "encoder", None) is not None

    @property
    def code_noise_dim(self) -> int:
        """Size of the noise of one code: 0 for deterministic encoders."""
        if self.posterior_family is not None:
            return self.latent_dim
        inputs = getattr(self.encoder, "inputs", None) or [None]
        return int(inputs[1].shape[-1]) if len(inputs) > 1 else 0

    def codes(self, x: tf.Tensor, noise: tf.Tensor | None, training: bool = False) -> tf.Tensor:
        """z = E(x, noise): explicit (mean + scale * noise), implicit (an input) or deterministic (no noise)."""
        if self.posterior_family is not None:
            return self.posterior_family.draw(self.encoder(x, training=training), noise)
        return self.encoder([x, noise] if self.code_noise_dim else x, training=training)

    def averaged(self) -> keras.StatelessScope:
        """A scope in which the networks have the running average of their weights, if the model keeps one."""
        return keras.StatelessScope([(weight, average.value) for weight, average in self.averages])

    def encode(self, x: Any, seed: int | None = None) -> np.ndarray:
        """Codes (n, latent_dim) of observations (n, ...).

        Args:
            x: images in [0, 1] or vectors.
            seed: of the encoder's noise. None: noise zero, which for explicit posteriors is their mean, for
                implicit encoders their central code.

        Raises:
            ValueError: the system has no encoder, or `x` does not fit.
        """
        self._need_encoder("encode")
        x = checks.observations(checks.unpack(x), self.data_shape)
        return self._in_chunks(self._endpoint("encode"), x, self._code_noise(x.shape[0], seed))

    def decode(self, z: Any) -> np.ndarray:
        """Observations (n, *data_shape) for codes (n, latent_dim): the likelihood's mean where there is one."""
        z = checks.observations(z, (self.latent_dim,), "z")
        return self._in_chunks(self._endpoint("decode"), z)

    def reconstruct(self, x: Any, seed: int | None = None) -> np.ndarray:
        """decode(encode(x, seed)), shape of `x`."""
        self._need_encoder("reconstruct")
        return self.decode(self.encode(x, seed))

    def sample(self, n: int, seed: int = 0, observation: str = "mean") -> np.ndarray:
        """n observations from the model: a function of the weights, n and seed alone.

        The first k codes do not depend on n, bit for bit.

        Args:
            n: how many, at least 1.
            seed: of the prior's draws, and of the observation's.
            observation: `mean`, or `draw` from the likelihood (systems without one have no other than the decoder's).
        """
        if observation not in ("mean", "draw"):
            raise ValueError(f"Argument `observation` must be 'mean' or 'draw'. Received: {observation!r}")
        if int(n) < 1:
            raise ValueError(f"Argument `n` must be at least 1. Received: {n}")
        if not -(2**31) <= int(seed) < 2**31:
            raise ValueError(f"Argument `seed` must be a 32-bit integer. Received: {seed}")
        z = self._endpoint("prior")(tf.constant(int(n)), tf.constant(int(seed)))
        if observation == "mean" or self.observation_model is None:
            return self.decode(z)
        shape = self.observation_model.noise_shape(self.data_shape)
        return self._in_chunks(self._endpoint("draw"), z, random.uniform([n, *shape], random.fold(seed, "observation")))

    def interpolate(self, a: Any, b: Any, steps: int = 8) -> np.ndarray:
        """From observations `a` to `b`, (n, ...) each, along a line between their codes: (n, steps, ...)."""
        if steps < 2:
            raise ValueError(f"Argument `steps` must be at least 2. Received: {steps}")
        start, end = self.encode(a), self.encode(b)
        line = np.linspace(0, 1, steps, dtype="float32")[:, None]
        codes = start[:, None] * (1 - line) + end[:, None] * line
        return self.decode(codes.reshape(-1, self.latent_dim)).reshape(len(start), steps, *self.data_shape)

    def posterior(self, x: Any):
        """q(z|x) as a TFP distribution with batch shape (n,); ValueError where the encoder is not explicit."""
        if self.posterior_family is None:
            raise ValueError(f"{type(self).__name__} has no explicit posterior q(z|x)")
        with self.averaged():
            return self.posterior_family.distribution(
                self.encoder(checks.observations(checks.unpack(x), self.data_shape))
            )

    def reconstruction_error(self, x: Any) -> np.ndarray:
        """Squared error of the reconstruction, summed over dimensions: (n,)."""
        x = np.asarray(checks.unpack(x))
        return np.sum((x - self.reconstruct(x)).reshape(len(x), -1) ** 2, axis=1)

    def export(self, path: str | os.PathLike, overwrite: bool = False) -> None:
        """Write a SavedModel that serves without this package and without Keras.

        Signatures, for any number of rows: `sample(n, seed)` (int32 scalars; also `serving_default`) and `decode(z)`
        give "observations", `sample_codes(n, seed)` the "codes" of that sample; with an encoder, `encode(x)` gives
        "codes" and `reconstruct(x)` "observations". Numbers are those of the methods of the same name, codes of
        `sample` bit for bit.

        Args:
            path: directory to be made; written under a temporary name and renamed.
            overwrite: whether an existing one is replaced.

        Raises:
            FileExistsError: `path` exists, and `overwrite` is not set.
        """
        export.export_model(self, path, overwrite)

    def export_encoder(self, path: str | os.PathLike, overwrite: bool = False) -> None:
        """Write the encoder as a SavedModel for reuse, frozen or fine-tuned.

        `tf.saved_model.load(path)` and `tensorflow_hub.load(path)` give an object that is callable as
        `(x, training=False)` and has `trainable_variables`;
        `keras.layers.TFSMLayer(path, call_training_endpoint="serve_training")` is a layer.
        Codes are those of `encode(x)`: noise zero.

        Args: as of `export`. Raises: the same, and ValueError for a system without an encoder.
        """
        self._need_encoder("export an encoder")
        export.export_encoder(self, path, overwrite)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructions of observations; for a system without an encoder, observations for codes."""
        if not self.has_encoder:
            return self.observe(self.decoder(inputs, training=training))
        noise = tf.zeros([tf.shape(inputs)[0], self.code_noise_dim], inputs.dtype)
        return self.observe(self.decoder(self.codes(inputs, noise, training), training=training))

    def observe(self, outputs: tf.Tensor) -> tf.Tensor:
        """The decoder's outputs as observations."""
        return outputs if self.observation_model is None else self.observation_model.mean(outputs)

    def measures(self, batch: tf.Tensor, noise: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `evaluate` averages: name, with its reduction over dimensions -> one number per example."""
        zeros = tf.zeros([tf.shape(batch)[0], self.code_noise_dim], batch.dtype)
        error = batch - tf.cast(self.observe(self.decoder(self.codes(batch, zeros))), batch.dtype)
        axes = list(range(1, len(self.data_shape) + 1))
        return {
            "squared_error_sum": tf.reduce_sum(error**2, axes),
            "absolute_error_mean": tf.reduce_mean(tf.abs(error), axes),
        }

    def pure(self, name: str, *arguments: tf.Tensor) -> tf.Tensor:
        """The function behind a method, on tensors ("prior", "encode", "decode", "draw"): run and exported alike."""
        if name == "prior":
            return self.prior.sample(*arguments)
        if name == "encode":
            return tf.cast(self.codes(*arguments), tf.float32)
        outputs = self.decoder(arguments[0])
        return tf.cast(
            self.observe(outputs) if name == "decode" else self.observation_model.draw(outputs, arguments[1]),
            tf.float32,
        )

    def signature(self, name: str) -> list[tf.TensorSpec]:
        """The arguments of an endpoint, for any number of rows."""
        if name == "prior":
            return [tf.TensorSpec([], tf.int32, "n"), tf.TensorSpec([], tf.int32, "seed")]
        x, z = tf.TensorSpec([None, *self.data_shape], name="x"), tf.TensorSpec([None, self.latent_dim], name="z")
        if name == "encode":
            return [x, tf.TensorSpec([None, self.code_noise_dim], name="noise")]
        return (
            [z]
            if name == "decode"
            else [z, tf.TensorSpec([None, *self.observation_model.noise_shape(self.data_shape)])]
        )

    def _endpoint(self, name):
        endpoints = self.__dict__.setdefault("_endpoints", {})
        key = name, self.prior  # which may be replaced, by a density fitted to codes
        if key not in endpoints:
            endpoints[key] = tf.function(self._averaged_pure(name), self.signature(name)).get_concrete_function()
        return endpoints[key]

    def _averaged_pure(self, name):
        def function(*tensors):
            with self.averaged():
                return self.pure(name, *tensors)

        return function

    def _in_chunks(self, function, *arguments):
        arguments = [tf.cast(argument, tf.float32) for argument in arguments]
        rows = arguments[0].shape[0]
        parts = [function(*(a[at : at + _ROWS] for a in arguments)).numpy() for at in range(0, rows, _ROWS)]
        return np.concatenate(parts)

    def _code_noise(self, rows, seed):
        shape = [rows, self.code_noise_dim]
        return tf.zeros(shape) if seed is None else random.normal(shape, random.fold(seed, "encode"))

    def _need_encoder(self, method):
        if not self.has_encoder:
            raise ValueError(
                f"{type(self).__name__} has no encoder, so it cannot {method}. Systems with one: see ki.list_models()"
            )
