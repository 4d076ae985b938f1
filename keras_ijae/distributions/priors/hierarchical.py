"""A prior with a latent variable of its own."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size, whole
from keras_ijae.distributions._networks import Perceptron
from keras_ijae.distributions.posteriors import DiagonalGaussian
from keras_ijae.distributions.priors._rows import ROWS, keyed_rows
from keras_ijae.distributions.priors.base import Prior


@keras.saving.register_keras_serializable("keras_ijae")
class HierarchicalPrior(Prior):
    """p(z) = integral of p(z|y) p(y): y ~ N(0, I), and z a diagonal Gaussian whose parameters a network gives.

    The integral has no formula. It is bounded from below by K importance samples, and the bound is what is trained:

        log p(z) >= E log 1/K sum_k p(z|y_k) p(y_k) / q(y_k|z),   y_k ~ q(y|z), diagonal, from a second network

    `log_prob(z, noise)` is this for one draw of the y_k: an ELBO with it is still a bound. Scales are
    1e-5 + softplus(raw + c), 1 at raw = 0.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        inner_dim: size of y, >= 1; None: `latent_dim`.
        samples: K, >= 1.
        width, depth: of both networks, of ReLU units, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Klushyn et al. 2019, "Learning Hierarchical Priors in VAEs", eqs. 5 to 7; the bound is that of Burda, Grosse &
        Salakhutdinov 2016. The sizes and K are choices of this library.
    """

    def __init__(
        self,
        latent_dim: int,
        inner_dim: int | None = None,
        samples: int = 8,
        width: int = 128,
        depth: int = 2,
        **options: Any,
    ) -> None:
        super().__init__(latent_dim, **options)
        self.inner_dim = size("inner_dim", self.latent_dim if inner_dim is None else inner_dim)
        self.samples, self.width, self.depth = whole("samples", samples), size("width", width), whole("depth", depth)
        self.density_noise_dim = self.samples * self.inner_dim
        self._outer, self._inner = DiagonalGaussian(self.latent_dim), DiagonalGaussian(self.inner_dim)
        sizes = {"width": self.width, "depth": self.depth, "activation": "relu"}
        self.generator = Perceptron(self.inner_dim, self._outer.units, **sizes, name="generator")
        self.inference = Perceptron(self.latent_dim, self._inner.units, **sizes, name="inference")

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        return keyed_rows(self._some, n, seed, self.latent_dim)

    def log_prob(self, z: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """A bound of the log-density in nats, on average over the noise, `(batch,)`.

        Args:
            z: `(batch, latent_dim)`.
            noise: standard normal, `(batch, samples * inner_dim)`.
        """
        noise = tf.reshape(tf.cast(noise, z.dtype), [-1, self.inner_dim])
        params = tf.cast(self.inference(z), z.dtype)
        y, log_q = self._inner.sample_and_log_prob(tf.repeat(params, self.samples, 0), noise)
        given = tf.cast(self.generator(y), z.dtype)
        log_p = self._outer.log_prob(given, tf.repeat(z, self.samples, 0)) + _log_normal(y)
        weights = tf.reshape(log_p - log_q, [-1, self.samples])
        return tf.reduce_logsumexp(weights, axis=1) - math.log(self.samples)

    def _some(self, key):
        y, noise = (
            random.normal((ROWS, size), random.fold(key, name))
            for name, size in (("inner", self.inner_dim), ("outer", self.latent_dim))
        )
        params = tf.cast(self.generator(tf.cast(y, self.generator.dtype)), tf.float64)
        return tf.cast(self._outer.draw(params, noise), tf.float32)

    def get_config(self) -> dict[str, Any]:
        names = ("inner_dim", "samples", "width", "depth")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _log_normal(y):
    """log N(y; 0, I), `(rows,)`."""
    return -tf.reduce_sum(y**2 + math.log(2 * math.pi), axis=1) / 2
