"""What a trained model does: encode, decode, reconstruct, sample, interpolate, for any number of rows."""

import os
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.models import checks, export
from keras_ijae.models.endpoints import Endpoints


class Inference(Endpoints):
    """The methods of a model that change nothing; all use the running average of the weights where there is one."""

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
        return self._in_chunks("encode", x, self.code_noise(x.shape[0], seed))

    def decode(self, z: Any, seed: int | None = None) -> np.ndarray:
        """Observations (n, *data_shape) for codes (n, latent_dim): the likelihood's mean where there is one.

        Args:
            z: codes.
            seed: of the noise of implicit decoders, on which others do not depend. None: noise zero.

        Raises:
            ValueError: `z` does not fit.
        """
        z = checks.observations(z, (self.latent_dim,), "z")
        return self._in_chunks("decode", z, self.decoder_noise(z.shape[0], seed))

    def reconstruct(self, x: Any, seed: int | None = None) -> np.ndarray:
        """decode(encode(x, seed), seed), shape of `x`."""
        self._need_encoder("reconstruct")
        return self.decode(self.encode(x, seed), seed)

    def sample(self, n: int, seed: int = 0, observation: str = "mean") -> np.ndarray:
        """n observations from the model: a function of the weights, n and seed alone.

        The first k codes do not depend on n, bit for bit. Implicit decoders have noise: this is decode(codes, seed).

        Args:
            n: how many, at least 1.
            seed: of the prior's draws, of an implicit decoder's noise, and of the observation's.
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
            return self.decode(z, seed)
        uniform = [n, *self.observation_model.noise_shape(self.data_shape)]
        uniform = random.uniform(uniform, random.fold(seed, "observation"))
        return self._in_chunks("draw", z, self.decoder_noise(n, seed), uniform)

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

    def fit_prior(self, x: Any, seed: int = 0) -> None:
        """Fit the prior to the codes of `x`, with noise zero, after training; `sample` then draws from it.

        Args:
            x: a finite `tf.data.Dataset`, array or `PyDataset` of what `fit` takes.
            seed: of the fit.

        Raises:
            ValueError: there is no encoder, the prior is none that can be fitted (create the system with prior="gmm"),
                or `x` does not fit.
        """
        self._need_encoder("fit a prior")
        if not hasattr(self.prior, "fit"):
            raise ValueError(
                'Only a prior with a method `fit` can be fitted: create the system with prior="gmm". '
                f"Received: {type(self.prior).__name__}"
            )
        self.prior.fit(np.concatenate([self.encode(batch) for batch in checks.batches(x)]), seed)

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
            noise = tf.zeros([tf.shape(inputs)[0], self.decoder_noise_dim], inputs.dtype)
            return self.observe(self.outputs(inputs, noise, training))
        return self.autoencoded(inputs, training)

    def measures(self, batch: tf.Tensor, noise: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `evaluate` averages: name, with its reduction over dimensions -> one number per example."""
        error = batch - tf.cast(self.autoencoded(batch), batch.dtype)
        axes = list(range(1, len(self.data_shape) + 1))
        return {
            "squared_error_sum": tf.reduce_sum(error**2, axes),
            "absolute_error_mean": tf.reduce_mean(tf.abs(error), axes),
        }

    def _need_encoder(self, method):
        if not self.has_encoder:
            raise ValueError(
                f"{type(self).__name__} has no encoder, so it cannot {method}. Systems with one: see ki.list_models()"
            )
