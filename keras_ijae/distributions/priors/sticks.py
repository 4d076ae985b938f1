"""Weights of a stick that is broken again and again."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import number, size
from keras_ijae.distributions import _sticks
from keras_ijae.distributions.kumaraswamy import kumaraswamy_beta_kl
from keras_ijae.distributions.posteriors import StickBreaking
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.supports import STICKS


@keras.saving.register_keras_serializable("keras_ijae")
class Sticks(Prior):
    """Weights pi_k = v_k prod_{j<k} (1 - v_j), v_k ~ Beta(1, alpha0); the last takes what is left.

    Codes are K = latent_dim weights above 0 that add up to 1. `log_prob` is a density of the first K - 1 of them:

        log p(pi) = (K - 1) log alpha0 + (alpha0 - 1) log pi_K - sum_{k<K} log sum_{j>=k} pi_j

    The KL of `StickBreaking` posteriors to it is a sum of `kumaraswamy_beta_kl`. Where a weight is below exp(-80),
    which float32 does not hold, it is taken to be that.

    Args:
        latent_dim: number of weights K, >= 2.
        concentration: alpha0 > 0: the larger, the more weights share the stick.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Nalisnick & Smyth 2017, "Stick-Breaking Variational Autoencoders"; their public code has alpha0 = 5.
    """

    support = STICKS

    def __init__(self, latent_dim: int, concentration: float = 5.0, **options: Any) -> None:
        super().__init__(size("latent_dim", latent_dim, 2), **options)
        self.concentration = number("concentration", concentration, above=0)

    @property
    def variance(self) -> float:
        """Mean of those of the K weights, by the first two moments of v and 1 - v."""
        a, power = self.concentration, np.arange(self.latent_dim - 1)
        mean, square, rest, rest_square = 1 / (1 + a), 2 / ((1 + a) * (2 + a)), a / (1 + a), a / (2 + a)
        means = np.append(mean * rest**power, rest ** (self.latent_dim - 1))
        squares = np.append(square * rest_square**power, rest_square ** (self.latent_dim - 1))
        return float(np.mean(squares - means**2))

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        uniform = tf.cast(random.uniform((n, self.latent_dim - 1), seed), tf.float64)  # one rounding, so XLA agrees
        log_rest = tf.math.log(uniform) / self.concentration  # of 1 - v, by the inverse CDF
        return tf.cast(_sticks.weights(_sticks.log_rest(log_rest))[0], tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        z, left = _sticks.left(z)
        sticks = self.latent_dim - 1
        beta = sticks * math.log(self.concentration) + (self.concentration - 1) * tf.math.log(z[:, -1])
        return beta - tf.reduce_sum(tf.math.log(left[:, :sticks]), axis=1)

    def has_kl(self, posterior: Any) -> bool:
        own = isinstance(posterior, StickBreaking) and posterior.has_log_prob  # else its codes are others
        return own and type(self).log_prob is Sticks.log_prob

    def kl(self, posterior: Any, params: tf.Tensor) -> tf.Tensor:
        a, b = posterior.a_and_b(params)
        return tf.reduce_sum(kumaraswamy_beta_kl(a, b, 1.0, self.concentration), axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "concentration": self.concentration}
