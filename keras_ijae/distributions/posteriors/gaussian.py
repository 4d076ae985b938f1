"""Gaussian posteriors."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.distributions._scales import positive_scale
from keras_ijae.distributions.posteriors.base import Posterior
from keras_ijae.distributions.tfp import tfp


class GaussianPosterior(Posterior):
    """N(mean, L L'): what the two of them share; codes are mean + L noise, and the mean is the code of noise zero."""

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """The mean code, `(batch, latent_dim)`."""
        return self._checked(params)[:, : self.latent_dim]

    def log_prob(self, params: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        return self.distribution(params).log_prob(z)

    def kl(self, params: tf.Tensor) -> tf.Tensor:
        """KL(q(z | x) || N(0, I)) in nats, `(batch,)`, in closed form: ½ (tr Σ + m'm - d - log det Σ)."""
        posterior = self.distribution(params)
        standard = tfp().distributions.MultivariateNormalDiag(
            loc=tf.zeros(self.latent_dim, posterior.dtype),
            scale_diag=tf.ones(self.latent_dim, posterior.dtype),
        )
        return posterior.kl_divergence(standard)


@keras.saving.register_keras_serializable("keras_ijae")
class DiagonalGaussian(GaussianPosterior):
    """N(mean, diag(scale²)); the encoder's outputs are `latent_dim` means, then `latent_dim` raw scales.

    The scale is 1e-5 + softplus(raw + c), 1 at raw = 0.

    Args:
        latent_dim: number of latent dimensions, >= 1.

    Example:
        >>> posterior = ki.distributions.DiagonalGaussian(2)
        >>> posterior.kl(tf.zeros((1, 4))).numpy().tolist()
        [0.0]

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
    """

    @property
    def units(self) -> int:
        """2 d: a mean and a raw scale of each dimension."""
        return 2 * self.latent_dim

    def distribution(self, params: tf.Tensor) -> Any:
        mean, scale = self._mean_and_scale(params)
        return tfp().distributions.MultivariateNormalDiag(loc=mean, scale_diag=scale)

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, scale = self._mean_and_scale(params)
        return mean + scale * noise, _log_normal(noise) - tf.reduce_sum(tf.math.log(scale), axis=1)

    def _mean_and_scale(self, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, raw = tf.split(self._checked(params), 2, axis=1)
        return mean, positive_scale(raw)


@keras.saving.register_keras_serializable("keras_ijae")
class FullGaussian(GaussianPosterior):
    """N(mean, L L') with a lower triangular L: d means, then the d (d + 1) / 2 values of a raw triangle.

    The triangle is laid out as by `tfp.math.fill_triangular`; its diagonal passes through
    1e-5 + softplus(raw + c), 1 at raw = 0, so that zeros give N(0, I).

    Args:
        latent_dim: number of latent dimensions d, >= 1.
    """

    @property
    def units(self) -> int:
        """d + d (d + 1) / 2: the means, and the raw triangle of L."""
        return self.latent_dim + self.latent_dim * (self.latent_dim + 1) // 2

    def distribution(self, params: tf.Tensor) -> Any:
        mean, scale_tril = self._mean_and_scale_tril(params)
        return tfp().distributions.MultivariateNormalTriL(loc=mean, scale_tril=scale_tril)

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, triangle = self._mean_and_scale_tril(params)
        log_det = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(triangle)), axis=1)
        return mean + tf.linalg.matvec(triangle, noise), _log_normal(noise) - log_det

    def _mean_and_scale_tril(self, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        params = self._checked(params)
        raw = tfp().math.fill_triangular(params[:, self.latent_dim :])
        return params[:, : self.latent_dim], tf.linalg.set_diag(raw, positive_scale(tf.linalg.diag_part(raw)))


def _log_normal(noise):
    """log N(noise; 0, I), `(batch,)`."""
    return -tf.reduce_sum(noise**2 + math.log(2 * math.pi), axis=1) / 2
