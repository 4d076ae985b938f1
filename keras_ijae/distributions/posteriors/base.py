"""What every posterior shares."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.supports import REALS, Support


class Posterior(keras.layers.Layer):
    """q(z | x), read from the `units` outputs of an encoder.

    It is a Keras layer, so that weights of its own are saved, averaged and moved with the encoder's; noise comes from
    outside. A subclass defines `units` and `sample_and_log_prob`, and what else it has a formula for; registered with
    `keras.saving.register_keras_serializable`, it can be used wherever a posterior is taken. All methods take `params`
    of shape `(batch, units)` and compute in float32, or in float64 where `params` are float64.

    Attributes:
        units: number of outputs that the encoder must have; a subclass sets it, or has a property of that name.
        noise_dim: size of the normal noise that one code is made of, latent_dim unless a subclass sets another.
        has_log_prob: whether `log_prob` of any code is defined.
        kl_to: the class of priors to which `kl` is in closed form, with those built on it that keep its density; None:
            there is none.
        support: where the codes are, see `Prior`.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    units: int
    noise_dim: int
    has_log_prob: bool = False
    kl_to: type[Prior] | None = None
    support: Support = REALS

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.latent_dim = self.noise_dim = whole("latent_dim", latent_dim)
        self.built = True

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reparametrised codes z ~ q(z | x), `(batch, latent_dim)`, and log q(z | x) in nats, `(batch,)`.

        Args:
            params: `(batch, units)`.
            noise: standard normal, `(batch, noise_dim)`; zeros give the code that `encode` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `sample_and_log_prob(params, noise)`.")

    def draw(self, params: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The codes of `sample_and_log_prob` alone."""
        return self.sample_and_log_prob(params, noise)[0]

    def log_prob(self, params: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        """log q(z | x) of given codes `(batch, latent_dim)`, in nats, `(batch,)`."""
        raise NotImplementedError(f"{type(self).__name__} has no density `log_prob(params, z)` of given codes.")

    def has_kl(self, prior: Prior) -> bool:
        """Whether `kl(params, prior)` is in closed form."""
        return self.kl_to is not None and type(prior).log_prob is self.kl_to.log_prob

    def kl(self, params: tf.Tensor, prior: Prior | None = None) -> tf.Tensor:
        """KL(q(z | x) || p(z)) in nats, `(batch,)`, in closed form.

        Args:
            params: `(batch, units)`.
            prior: p, for which `has_kl` holds; None: `kl_to` with its default arguments.
        """
        raise NotImplementedError(f"{type(self).__name__} has no closed form `kl(params, prior)`.")

    def distribution(self, params: tf.Tensor) -> Any:
        """The TFP distribution, batch shape `(batch,)`, event shape `(latent_dim,)`, of those that are one."""
        raise NotImplementedError(f"{type(self).__name__} is no TFP distribution: use `sample_and_log_prob`.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "latent_dim": self.latent_dim}

    def _checked(self, params: tf.Tensor) -> tf.Tensor:
        params = widen(params)
        if params.shape.rank != 2 or params.shape[1] != self.units:
            raise ValueError(
                f"Argument `params` must have shape (batch, {self.units}), the outputs for "
                f"{type(self).__name__}({self.latent_dim}). Received: params of shape {tuple(params.shape)}"
            )
        return params
