"""Priors p(z) over codes."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import choice, number, whole
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.tfp import tfp


class Prior(keras.layers.Layer):
    """A distribution of codes: a Keras layer, so that fitted priors keep their weights with the model.

    A subclass defines `sample` and, where the density is known, `log_prob`; its noise comes from
    `keras_ijae.random` alone, so that the first rows of a sample do not depend on its size.

    Attributes:
        has_log_prob: whether `log_prob` is defined.
        can_fit: whether `fit(codes, seed)` makes it the distribution of given codes.
        support: where the codes are: "reals", all of R^latent_dim; "box", a bounded part of it that has a volume; or
            "sphere", where `log_prob` is a density of the sphere's surface and not of R^latent_dim.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    has_log_prob: bool = True
    can_fit: bool = False
    support: str = "reals"

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.latent_dim = whole("latent_dim", latent_dim)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one code, `(latent_dim,)`."""
        return (self.latent_dim,)

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        """`n` codes, `(n, latent_dim)` float32, a function of the weights, `n` and `seed` alone.

        Args:
            n: an int or an int scalar tensor.
            seed: an int, an int32 scalar tensor or a `(2,)` int32 key.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `sample(n, seed)`.")

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        """Log-density of codes `(batch, latent_dim)` in nats, `(batch,)`."""
        raise NotImplementedError(f"{type(self).__name__} has no density `log_prob(z)`.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "latent_dim": self.latent_dim}

    def _checked(self, z: tf.Tensor) -> tf.Tensor:
        z = widen(z)
        if z.shape.rank != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(
                f"Argument `z` must have shape (batch, {self.latent_dim}). Received: z of shape {tuple(z.shape)}"
            )
        return z


class _Fixed(Prior):
    """A prior without weights."""

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.built = True


@keras.saving.register_keras_serializable("keras_ijae")
class StandardNormal(_Fixed):
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


@keras.saving.register_keras_serializable("keras_ijae")
class Uniform(_Fixed):
    """The uniform distribution on the box (low, high)^latent_dim; `log_prob` outside it is -inf.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        low, high: the bounds of every dimension, low < high.
    """

    support = "box"

    def __init__(self, latent_dim: int, low: float = -1.0, high: float = 1.0, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.low, self.high = number("low", low), number("high", high)
        if self.low >= self.high:
            raise ValueError(f"Argument `low` must be below `high`. Received: low={low}, high={high}")

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
class Sphere(_Fixed):
    """The uniform distribution on the unit sphere of R^latent_dim.

    `log_prob` is with respect to the sphere's surface measure, the same for every code; that the code has
    norm 1 is not checked.

    Args:
        latent_dim: number of dimensions of the surrounding space, >= 1.
    """

    support = "sphere"

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        normal = tf.cast(random.normal((n, self.latent_dim), seed), tf.float64)  # one rounding, so XLA agrees
        return tf.cast(normal / tf.norm(normal, axis=1, keepdims=True), tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        z = self._checked(z)
        half = self.latent_dim / 2
        log_density = math.lgamma(half) - math.log(2.0) - half * math.log(math.pi)
        return tf.fill([tf.shape(z)[0]], tf.constant(log_density, z.dtype))


PRIORS = {"normal": StandardNormal, "uniform": Uniform, "sphere": Sphere}  # mixture.py adds "gmm"
FITTED: dict[str, Callable[[int], Prior]] = {}
"""What can be fitted to codes, by name: latent_dim -> prior. mixture.py adds "gmm" and "normal"."""


def get(identifier: str | Prior | dict[str, Any], latent_dim: int) -> Prior:
    """A prior from its name ("normal", "uniform", "sphere", "gmm"), an instance, or a serialised instance.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim`.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if not isinstance(identifier, Prior):
        return PRIORS[choice("prior", identifier, sorted(PRIORS), "a `Prior`")](latent_dim)
    if identifier.event_shape != (latent_dim,):
        raise ValueError(
            f"Argument `prior` must have event shape ({latent_dim},). Received: event_shape={identifier.event_shape}"
        )
    return identifier


def to_fit(identifier: str | Prior, latent_dim: int) -> Prior:
    """A new prior that can be fitted: by its name ("gmm", "normal"), or a copy of an instance, without its weights.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim` or without `can_fit`.
    """
    if not isinstance(identifier, Prior):
        return FITTED[choice("prior", identifier, sorted(FITTED), "a `Prior` that can be fitted")](latent_dim)
    prior = get(identifier, latent_dim)
    if not prior.can_fit:
        raise ValueError(
            "Argument `prior` must be a `Prior` that can be fitted, as `GaussianMixture`. "
            f"Received: {type(prior).__name__}"
        )
    return type(prior).from_config(prior.get_config())
