"""A prior that a network generates."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size
from keras_ijae.distributions.priors._rows import ROWS, in_parts
from keras_ijae.distributions.priors.base import Prior


@keras.saving.register_keras_serializable("keras_ijae")
class GeneratedPrior(Prior):
    """z = G(n), n ~ N(0, I): FlexAE's learned prior, and with a `LatentMask` as G, MaskAAE's masked one.

    Its weights are the generator's; it has no density. The generator always sees the same number of rows at once,
    the last ones filled up, so that a code does not depend by a single bit on how many are drawn.

    Args:
        generator: a Keras layer or model, (batch, noise_dim) -> (batch, latent_dim).
        latent_dim: size of a code, >= 1.
        noise_dim: size of n, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    has_log_prob = False

    def __init__(self, generator: keras.layers.Layer, latent_dim: int, noise_dim: int, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.generator, self.noise_dim = generator, size("noise_dim", noise_dim)

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        noise = random.normal((n, self.noise_dim), seed)
        return in_parts(self._code, noise, ROWS, self.latent_dim)

    def _code(self, noise):
        return tf.cast(self.generator(noise, training=False), tf.float32)

    def get_config(self) -> dict[str, Any]:
        generator = keras.saving.serialize_keras_object(self.generator)
        return {**super().get_config(), "generator": generator, "noise_dim": self.noise_dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "GeneratedPrior":
        return cls(**{**config, "generator": keras.saving.deserialize_keras_object(config["generator"])})
