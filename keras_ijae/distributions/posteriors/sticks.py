"""A posterior of weights of a broken stick."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import size
from keras_ijae.distributions import _sticks
from keras_ijae.distributions._scales import positive_scale
from keras_ijae.distributions.posteriors.base import Posterior
from keras_ijae.distributions.supports import STICKS
from keras_ijae.distributions.tfp import tfp


@keras.saving.register_keras_serializable("keras_ijae")
class StickBreaking(Posterior):
    """Weights pi_k = v_k prod_{j<k} (1 - v_j), v_k ~ Kumaraswamy(a_k, b_k); the last takes what is left.

    Codes are K = latent_dim weights above 0 that add up to 1, which the decoder sees. The encoder's outputs are K - 1
    raw values of a, then K - 1 of b, each through 1e-5 + softplus(raw + c), 1 at raw = 0: zeros make all v uniform.
    Noise e is normal, K - 1 numbers, u = Phi(e), v = (1 - u^(1/b))^(1/a): noise zero gives the medians of v. Densities
    are of the first K - 1 weights, as those of the prior "sticks". Sticks of size 0 or 1 are kept off by e^-80, the
    weights too, so that all is finite.

    Args:
        latent_dim: number of weights K, >= 2.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        ki.create("vae", (28, 28, 1), 50, posterior="sticks", prior="sticks")

    References:
        Nalisnick & Smyth 2017, "Stick-Breaking Variational Autoencoders", sections 4 and 5. Their public code draws u
        from (0.01, 0.99) alone, starts at a = b = log 2 or so (softplus), ends the KL's sum after 10 terms and
        approximates psi.
    """

    support = STICKS

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(size("latent_dim", latent_dim, 2), **options)
        self.noise_dim = self.latent_dim - 1

    @property
    def units(self) -> int:
        """2 (K - 1): raw values of a and of b, one of each for every stick but the last."""
        return 2 * (self.latent_dim - 1)

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        a, b = self.a_and_b(params)
        log_u = tfp().distributions.Normal(tf.zeros([], a.dtype), tf.ones([], a.dtype)).log_cdf(noise)
        log_v = tf.maximum(_sticks.log_rest(log_u / b) / a, _sticks.LEAST)
        z, log_left = _sticks.weights(log_v)
        return z, self._log_density(a, b, log_v, log_left)

    def log_prob(self, params: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        a, b = self.a_and_b(params)
        z, left = _sticks.left(z)
        return self._log_density(a, b, _sticks.log_v(z, left), tf.math.log(left[:, :-1]))

    def a_and_b(self, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The parameters of the Kumaraswamy distributions, `(batch, K - 1)` each."""
        a, b = tf.split(positive_scale(self._checked(params)), 2, axis=1)
        return a, b

    def _log_density(self, a, b, log_v, log_left):
        """Of the sticks, log ab v^(a-1) (1 - v^a)^(b-1), and of the map from them to the weights."""
        each = tf.math.log(a) + tf.math.log(b) + (a - 1) * log_v + (b - 1) * _sticks.log_rest(a * log_v)
        return tf.reduce_sum(each - log_left, axis=1)
