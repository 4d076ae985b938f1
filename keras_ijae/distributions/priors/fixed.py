"""Priors without weights."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import number
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.supports import SPHERE, Support
from keras_ijae.distributions.tfp import tfp


@keras.saving.register_keras_serializable("keras_ijae")
class StandardNormal(Prior):
    """N(0, I).

    Args:
        latent_dim: number of latent dimensions, >= 1.

    Example:
        StandardNormal(16).sample(64, seed=0)  # (64, 16)
    """

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        return random.normal((n, self.latent_dim), seed)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        z = self._checked(z)
        zero = tf.zeros((), z.dtype)
        return tf.reduce_sum(tfp().distributions.Normal(zero, tf.ones_like(zero)).log_prob(z), axis=1)

    def has_kl(self, posterior: Any) -> bool:
        return posterior.has_kl and type(self).log_prob is StandardNormal.log_prob  # not of a class built on this one

    def kl(self, posterior: Any, params: tf.Tensor) -> tf.Tensor:
        return posterior.kl(params)


@keras.saving.register_keras_serializable("keras_ijae")
class Uniform(Prior):
    """The uniform distribution on the box (low, high)^latent_dim; `log_prob` outside it is -inf.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        low, high: the bounds of every dimension, low < high.
    """

    def __init__(self, latent_dim: int, low: float = -1.0, high: float = 1.0, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.low, self.high = number("low", low), number("high", high)
        if self.low >= self.high:
            raise ValueError(f"Argument `low` must be below `high`. Received: low={low}, high={high}")

    @property
    def support(self) -> Support:
        return self.low, self.high

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        uniform = tf.cast(random.uniform((n, self.latent_dim), seed), tf.float64)  # one rounding, so XLA agrees
        return tf.cast(self.low + (self.high - self.low) * uniform, tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        z = self._checked(z)
        low, high = tf.constant(self.low, z.dtype), tf.constant(self.high, z.dtype)
        return tf.reduce_sum(tfp().distributions.Uniform(low, high).log_prob(z), axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "low": self.low, "high": self.high}


@keras.saving.register_keras_serializable("keras_ijae")
class Sphere(Prior):
    """The uniform distribution on the unit sphere of R^latent_dim.

    `log_prob` is with respect to the sphere's surface measure, the same for every code; that the code has
    norm 1 is not checked.

    Args:
        latent_dim: number of dimensions of the surrounding space, >= 1.
    """

    support = SPHERE

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        normal = tf.cast(random.normal((n, self.latent_dim), seed), tf.float64)  # one rounding, so XLA agrees
        return tf.cast(normal / tf.norm(normal, axis=1, keepdims=True), tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        z = self._checked(z)
        half = self.latent_dim / 2
        log_density = math.lgamma(half) - math.log(2.0) - half * math.log(math.pi)
        return tf.fill([tf.shape(z)[0]], tf.constant(log_density, z.dtype))
