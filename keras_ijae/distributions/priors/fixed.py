"""Priors without weights."""

import math
from typing import Any

import keras
import numpy as np
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
        >>> ki.distributions.StandardNormal(16).sample(64, seed=0).shape
        TensorShape([64, 16])
    """

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        return random.normal((n, self.latent_dim), seed)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
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

    @property
    def variance(self) -> float:
        return (self.high - self.low) ** 2 / 12

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        uniform = tf.cast(random.uniform((n, self.latent_dim), seed), tf.float64)  # one rounding, so XLA agrees
        return tf.cast(self.low + (self.high - self.low) * uniform, tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        low, high = tf.constant(self.low, z.dtype), tf.constant(self.high, z.dtype)
        return tf.reduce_sum(tfp().distributions.Uniform(low, high).log_prob(z), axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "low": self.low, "high": self.high}


@keras.saving.register_keras_serializable("keras_ijae")
class Sphere(Prior):
    """The uniform distribution on the sphere around 0 of R^latent_dim.

    `log_prob` is with respect to the surface measure of the sphere of this radius, the same for every code; that the
    code has this norm is not checked. Spheres of other radii are other sets: the support says which it is, "sphere" of
    the unit sphere.

    Args:
        latent_dim: number of dimensions of the surrounding space, >= 1.
        radius: a number > 0; None: the mean norm of codes, which `fit` finds, and 1 until then. It is then a weight
            that no optimizer moves, saved and exported with the model.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Attributes:
        radius: as given, or the weight.
    """

    def __init__(self, latent_dim: int, radius: float | None = 1.0, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.can_fit, self.fits = radius is None, "draws"
        self.radius = self._kept("radius", 1) if radius is None else number("radius", radius, above=0, other="None")

    @property
    def support(self) -> Support:
        if self.can_fit:
            return f"fitted {SPHERE}"
        return SPHERE if self.radius == 1 else f"{SPHERE} of radius {self.radius!r}"

    @property
    def variance(self) -> Any:
        return self.radius**2 / self.latent_dim

    def fit(self, given: Any, seed: int = 0) -> None:
        """Set the radius to the mean norm of the codes.

        Args:
            given: codes (n, latent_dim), finite; or a function of 0 that gives such.
            seed: not used.

        Raises:
            ValueError: the radius was given, or codes of another shape, none, not finite or all 0.
        """
        if not self.can_fit:
            raise ValueError(f"Argument `radius` must be None for a sphere that is fitted. Received: {self.radius}")
        found = np.linalg.norm(self._given_codes(given, least=1), axis=1).mean()
        if found == 0:
            raise ValueError("Argument `codes` must not be all 0: they have no radius")
        self.radius.assign(found)

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        normal = tf.cast(random.normal((n, self.latent_dim), seed), tf.float64)  # one rounding, so XLA agrees
        radius = tf.cast(tf.convert_to_tensor(self.radius), tf.float64)
        return tf.cast(radius * (normal / tf.norm(normal, axis=1, keepdims=True)), tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        half, radius = self.latent_dim / 2, tf.cast(tf.convert_to_tensor(self.radius), z.dtype)
        of_unit = math.lgamma(half) - math.log(2.0) - half * math.log(math.pi)
        return tf.fill([tf.shape(z)[0]], of_unit - (self.latent_dim - 1) * tf.math.log(radius))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "radius": None if self.can_fit else self.radius}
