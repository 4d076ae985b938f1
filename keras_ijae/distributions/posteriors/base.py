"""What every posterior shares."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import size
from keras_ijae.distributions._given import beside, check_arguments, table
from keras_ijae.distributions._owned import Owned
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.supports import REALS, Support


class Posterior(Owned, keras.layers.Layer):
    """q(z | x), read from the `units` outputs of an encoder.

    It is a Keras layer, so that weights of its own are saved, averaged and moved with the encoder's; noise comes from
    outside. A subclass defines `units` and `sample_and_log_prob`, and what else it has a formula for; registered with
    `keras.saving.register_keras_serializable`, it can be used wherever a posterior is taken. All methods take `params`
    of shape `(batch, units)` and compute in float32, or in float64 where `params` are float64. What a subclass defines
    sees `params` as a tensor of one of these two types, noise and codes as one of the same type and rows; anything else
    has been refused by a ValueError.

    Attributes:
        units: number of outputs that the encoder must have; a subclass sets it, or has a property of that name.
        noise_dim: size of the normal noise that one code is made of, latent_dim unless a subclass sets another.
        has_log_prob: whether `log_prob` of any code is defined, as it is in a subclass that defines it. One that draws
            other codes than its base does, by a `sample_and_log_prob` of its own, has neither this nor the next of its
            base.
        has_kl: whether `kl`, to N(0, I), is, likewise; a `Prior` says what other closed forms there are.
        support: where the codes are, see `Prior`.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    _argument = "posterior"
    units: int
    noise_dim: int
    has_log_prob: bool = False
    has_kl: bool = False
    support: Support = REALS

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_arguments(
            cls,
            sample_and_log_prob=(Posterior._checked, Posterior._noise),
            draw=(Posterior._checked, Posterior._noise),
            log_prob=(Posterior._checked, Posterior._codes),
            kl=(Posterior._checked,),
        )
        own = vars(cls)
        other_codes = own.keys() & {"sample_and_log_prob", "draw"} and "distribution" not in own  # than its base's
        for name, method in (("has_log_prob", "log_prob"), ("has_kl", "kl")):
            if name in own:
                continue
            if method in own:
                setattr(cls, name, True)
            elif other_codes and getattr(cls, name) is True:
                setattr(cls, name, False)

    def __init__(self, latent_dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.latent_dim = self.noise_dim = size("latent_dim", latent_dim)
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
        """log q(z | x) of given codes `(batch, latent_dim)`, in nats, `(batch,)`.

        Raises:
            NotImplementedError: where `has_log_prob` is False.
        """
        raise NotImplementedError(f"{type(self).__name__} has no density `log_prob(params, z)` of given codes.")

    def kl(self, params: tf.Tensor) -> tf.Tensor:
        """KL(q(z | x) || N(0, I)) in nats, `(batch,)`, in closed form.

        Raises:
            NotImplementedError: where `has_kl` is False.
        """
        raise NotImplementedError(f"{type(self).__name__} has no closed form `kl(params)`.")

    def distribution(self, params: tf.Tensor) -> Any:
        """The TFP distribution, batch shape `(batch,)`, event shape `(latent_dim,)`, of those that are one.

        Raises:
            NotImplementedError: by those that are none.
        """
        raise NotImplementedError(f"{type(self).__name__} is no TFP distribution: use `sample_and_log_prob`.")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "latent_dim": self.latent_dim}

    def _checked(self, params: Any) -> tf.Tensor:
        what = f", the outputs for {type(self).__name__}({self.latent_dim})"
        return widen(table("params", params, self.units, what))

    def _noise(self, params: tf.Tensor, noise: Any) -> tf.Tensor:
        return beside("noise", noise, self.noise_dim, params)

    def _codes(self, params: tf.Tensor, z: Any) -> tf.Tensor:
        return beside("z", z, self.latent_dim, params)
