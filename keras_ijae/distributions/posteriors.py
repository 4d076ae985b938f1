"""Approximate posteriors q(z | x): Gaussians whose parameters are the output of an encoder."""

import abc
import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import choice, whole
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.tfp import tfp

MIN_SCALE = 1e-5
_SHIFT = math.log(math.expm1(1.0 - MIN_SCALE))


def positive_scale(raw: tf.Tensor) -> tf.Tensor:
    """A scale in (1e-5, inf) from a raw network output: 1e-5 + softplus(raw + c), equal to 1 at raw = 0."""
    return MIN_SCALE + tf.nn.softplus(raw + _SHIFT)


class Posterior(abc.ABC):
    """A Gaussian q(z | x) = N(mean, L L') read from the `units` outputs of an encoder.

    It has no weights. All methods take `params` of shape `(batch, units)` and compute in float32, or in
    float64 where `params` are float64.

    Args:
        latent_dim: number of latent dimensions, >= 1.
    """

    def __init__(self, latent_dim: int) -> None:
        self.latent_dim = whole("latent_dim", latent_dim)

    @property
    @abc.abstractmethod
    def units(self) -> int:
        """Number of outputs that the encoder must have."""

    @abc.abstractmethod
    def distribution(self, params: tf.Tensor) -> Any:
        """The TFP distribution, batch shape `(batch,)`, event shape `(latent_dim,)`."""

    @abc.abstractmethod
    def draw(self, params: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The reparametrised codes mean + L noise, `(batch, latent_dim)`.

        Args:
            params: `(batch, units)`.
            noise: standard normal, `(batch, latent_dim)`; zeros give the mean.
        """

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """The mean code, `(batch, latent_dim)`."""
        return self._checked(params)[:, : self.latent_dim]

    def kl(self, params: tf.Tensor) -> tf.Tensor:
        """KL(q(z | x) || N(0, I)) in nats, `(batch,)`, in closed form: ½ (tr Σ + m'm - d - log det Σ)."""
        posterior = self.distribution(params)
        standard = tfp().distributions.MultivariateNormalDiag(
            loc=tf.zeros(self.latent_dim, posterior.dtype),
            scale_diag=tf.ones(self.latent_dim, posterior.dtype),
        )
        return posterior.kl_divergence(standard)

    def get_config(self) -> dict[str, Any]:
        return {"latent_dim": self.latent_dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Posterior":
        return cls(**config)

    def _checked(self, params: tf.Tensor) -> tf.Tensor:
        params = widen(params)
        if params.shape.rank != 2 or params.shape[1] != self.units:
            raise ValueError(
                f"Argument `params` must have shape (batch, {self.units}), the outputs for "
                f"{type(self).__name__}({self.latent_dim}). Received: params of shape {tuple(params.shape)}"
            )
        return params


@keras.saving.register_keras_serializable("keras_ijae")
class DiagonalGaussian(Posterior):
    """N(mean, diag(scale²)); the encoder's outputs are `latent_dim` means, then `latent_dim` raw scales.

    The scale is 1e-5 + softplus(raw + c), 1 at raw = 0.

    Args:
        latent_dim: number of latent dimensions, >= 1.

    Example:
        posterior = DiagonalGaussian(2)
        posterior.kl(tf.zeros((1, 4)))  # [0.]

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
    """

    @property
    def units(self) -> int:
        return 2 * self.latent_dim

    def distribution(self, params: tf.Tensor) -> Any:
        mean, scale = self._mean_and_scale(params)
        return tfp().distributions.MultivariateNormalDiag(loc=mean, scale_diag=scale)

    def draw(self, params: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        mean, scale = self._mean_and_scale(params)
        return mean + scale * tf.cast(noise, mean.dtype)

    def _mean_and_scale(self, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, raw = tf.split(self._checked(params), 2, axis=1)
        return mean, positive_scale(raw)


@keras.saving.register_keras_serializable("keras_ijae")
class FullGaussian(Posterior):
    """N(mean, L L') with a lower triangular L: d means, then the d (d + 1) / 2 values of a raw triangle.

    The triangle is laid out as by `tfp.math.fill_triangular`; its diagonal passes through
    1e-5 + softplus(raw + c), 1 at raw = 0, so that zeros give N(0, I).

    Args:
        latent_dim: number of latent dimensions d, >= 1.
    """

    @property
    def units(self) -> int:
        return self.latent_dim + self.latent_dim * (self.latent_dim + 1) // 2

    def distribution(self, params: tf.Tensor) -> Any:
        mean, scale_tril = self._mean_and_scale_tril(params)
        return tfp().distributions.MultivariateNormalTriL(loc=mean, scale_tril=scale_tril)

    def draw(self, params: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        mean, scale_tril = self._mean_and_scale_tril(params)
        return mean + tf.linalg.matvec(scale_tril, tf.cast(noise, mean.dtype))

    def _mean_and_scale_tril(self, params: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        params = self._checked(params)
        raw = tfp().math.fill_triangular(params[:, self.latent_dim :])
        return params[:, : self.latent_dim], tf.linalg.set_diag(raw, positive_scale(tf.linalg.diag_part(raw)))


POSTERIORS = {"diagonal": DiagonalGaussian, "full": FullGaussian}


def get(identifier: str | Posterior | dict[str, Any], latent_dim: int) -> Posterior:
    """A posterior from its name ("diagonal" or "full"), an instance, or a serialised instance.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim`.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if not isinstance(identifier, Posterior):
        return POSTERIORS[choice("posterior", identifier, sorted(POSTERIORS), "a `Posterior`")](latent_dim)
    if identifier.latent_dim != latent_dim:
        raise ValueError(
            f"Argument `posterior` must have latent_dim={latent_dim}. Received: latent_dim={identifier.latent_dim}"
        )
    return identifier
