"""The functions on tensors behind a model's methods; what is exported are these very functions."""

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random

_ROWS = 512  # rows that go through a network at once


class Endpoints:
    """Encoder, decoder and prior as functions of tensors; noise comes in from outside.

    Encoder and decoder are deterministic, implicit (with noise as a second input) or explicit: their outputs are then
    the parameters of `posterior_family` and `observation_model`.
    """

    posterior_family = None  # explicit posteriors: what the encoder's outputs parametrise
    observation_model = None  # explicit likelihoods p(x|z): what the decoder's outputs parametrise
    has_bounds: bool = False  # whether there are `elbo` and `importance_weighted_bound`
    active_dims: np.ndarray | None = None  # indices of the latent dimensions in use, where the model knows them

    @property
    def has_encoder(self) -> bool:
        """Whether images can be mapped to codes."""
        return getattr(self, "encoder", None) is not None

    @property
    def code_noise_dim(self) -> int:
        """Size of the noise of one code: 0 for deterministic encoders."""
        return self.latent_dim if self.posterior_family is not None else noise_dim(self.encoder)

    @property
    def decoder_noise_dim(self) -> int:
        """Size of the noise input of the decoder: 0 where it has none."""
        return noise_dim(self.decoder)

    @property
    def encoder_shapes(self) -> tuple[list[tuple], tuple]:
        """Shapes of the encoder's inputs and output, as `ready` takes them."""
        if self.posterior_family is not None:
            return [self.data_shape], (self.posterior_family.units,)
        return [self.data_shape, *_noise_shape(self.encoder)], (self.latent_dim,)

    @property
    def decoder_shapes(self) -> tuple[list[tuple], tuple]:
        """Shapes of the decoder's inputs and output, as `ready` takes them."""
        return [(self.latent_dim,), *_noise_shape(self.decoder)], self.data_shape

    def codes(self, x: tf.Tensor, noise: tf.Tensor | None, training: bool = False) -> tf.Tensor:
        """z = E(x, noise): explicit (mean + scale * noise), implicit (an input) or deterministic (no noise)."""
        if self.posterior_family is not None:
            return self.posterior_family.draw(self.encoder(x, training=training), noise)
        return self.encoder([x, noise] if self.code_noise_dim else x, training=training)

    @property
    def coders(self) -> list[keras.layers.Layer]:
        """The layers with weights in `codes`."""
        return [self.encoder]

    def outputs(self, z: tf.Tensor, noise: tf.Tensor | None, training: bool = False) -> tf.Tensor:
        """The decoder's outputs G(z, noise): observations, or the parameters of their likelihood."""
        return self.decoder([z, noise] if self.decoder_noise_dim else z, training=training)

    def observe(self, outputs: tf.Tensor) -> tf.Tensor:
        """The decoder's outputs as observations."""
        return outputs if self.observation_model is None else self.observation_model.mean(outputs)

    def autoencoded(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructions in which encoder and decoder have noise zero."""
        rows = tf.shape(x)[0]
        z = self.codes(x, tf.zeros([rows, self.code_noise_dim], x.dtype), training)
        return self.observe(self.outputs(z, tf.zeros([rows, self.decoder_noise_dim], z.dtype), training))

    def decoder_noise(self, rows: int | tf.Tensor, seed: int | tf.Tensor | None) -> tf.Tensor:
        """Noise of `rows` observations, (rows, decoder_noise_dim); without a seed zero."""
        return _noise([rows, self.decoder_noise_dim], seed, "decode")

    def code_noise(self, rows: int | tf.Tensor, seed: int | tf.Tensor | None) -> tf.Tensor:
        """Noise of `rows` codes, (rows, code_noise_dim); without a seed zero."""
        return _noise([rows, self.code_noise_dim], seed, "encode")

    def averaged(self) -> keras.StatelessScope:
        """A scope in which the networks have the running average of their weights, if the model keeps one."""
        return keras.StatelessScope([(weight, average.value) for weight, average in self.averages])

    def pure(self, name: str, *arguments: tf.Tensor) -> tf.Tensor:
        """The function behind a method, on tensors ("prior", "encode", "decode", "draw"): run and exported alike."""
        if name == "prior":
            return self.prior.sample(*arguments)
        if name == "encode":
            return tf.cast(self.codes(*arguments), tf.float32)
        z, noise, *uniform = arguments
        outputs = self.outputs(z, noise)
        return tf.cast(self.observation_model.draw(outputs, *uniform) if uniform else self.observe(outputs), tf.float32)

    def signature(self, name: str) -> list[tf.TensorSpec]:
        """The arguments of an endpoint, for any number of rows."""
        if name == "prior":
            return [tf.TensorSpec([], tf.int32, "n"), tf.TensorSpec([], tf.int32, "seed")]
        if name == "encode":
            return [_rows_of(self.data_shape, "x"), _rows_of([self.code_noise_dim], "noise")]
        decode = [_rows_of([self.latent_dim], "z"), _rows_of([self.decoder_noise_dim], "noise")]
        if name == "decode":
            return decode
        return [*decode, _rows_of(self.observation_model.noise_shape(self.data_shape), "uniform")]

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

    def _in_chunks(self, name, *arguments):
        function, arguments = self._endpoint(name), [tf.cast(argument, tf.float32) for argument in arguments]
        rows = arguments[0].shape[0]
        parts = [function(*(a[at : at + _ROWS] for a in arguments)).numpy() for at in range(0, rows, _ROWS)]
        return np.concatenate(parts)


def noise_dim(network: keras.layers.Layer) -> int:
    """Size of the second input of an encoder or decoder, which is its noise; 0 where it has none."""
    inputs = getattr(network, "inputs", None) or [None]
    return int(inputs[1].shape[-1]) if len(inputs) > 1 else 0


def _noise_shape(network):
    size = noise_dim(network)
    return [(size,)] if size else []


def _noise(shape, seed, name):
    return tf.zeros(shape) if seed is None else random.normal(shape, random.fold(seed, name))


def _rows_of(shape, name):
    return tf.TensorSpec([None, *shape], name=name)
