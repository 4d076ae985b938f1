"""Gaussian and Laplace likelihoods, of a fixed or a learned scale."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.likelihoods.base import ScaledLikelihood, matched, sum_over_dimensions
from keras_ijae.distributions.tfp import tfp


@keras.saving.register_keras_serializable("keras_ijae")
class Gaussian(ScaledLikelihood):
    """N(x; params, σ² I), σ the standard deviation of every dimension.

    -log p = Σ (x - params)² / (2σ²) + D ½ log 2πσ², with D dimensions; σ² = ½ makes the first term the
    squared error. A learned σ² has its optimum at the mean squared error.

    Args:
        sigma: a number > 0, or "learned" for one trainable scalar.
        initial_sigma: where a learned σ starts.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(self, sigma: float | str = 1.0, initial_sigma: float = 0.3, **options: Any) -> None:
        super().__init__("sigma", sigma, initial_sigma, **options)

    @property
    def symmetric(self) -> bool:
        return not self.learned

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        params, x = matched(params, x)
        return sum_over_dimensions(tfp().distributions.Normal(params, tf.cast(self.scale(), x.dtype)).log_prob(x))

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        params = widen(params)
        return params + tf.cast(self.scale(), params.dtype) * tf.math.ndtri(tf.cast(uniform, params.dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.given_scale, "initial_sigma": self.initial}


@keras.saving.register_keras_serializable("keras_ijae")
class Laplace(ScaledLikelihood):
    """Laplace(x; params, b): -log p = Σ |x - params| / b + D log 2b.

    A learned b has its optimum at the mean absolute error. As λ-IJAE's r it is symmetric with its mode at
    `params`, where it has a kink.

    Args:
        scale: b > 0, or "learned" for one trainable scalar.
        initial_scale: where a learned b starts.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(self, scale: float | str = 1.0, initial_scale: float = 0.2, **options: Any) -> None:
        super().__init__("scale", scale, initial_scale, **options)

    @property
    def symmetric(self) -> bool:
        return not self.learned

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        params, x = matched(params, x)
        return sum_over_dimensions(tfp().distributions.Laplace(params, tf.cast(self.scale(), x.dtype)).log_prob(x))

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        params = widen(params)
        uniform = tf.cast(uniform, params.dtype)
        magnitude = -tf.math.log(2.0 * tf.minimum(uniform, 1.0 - uniform))
        return params + tf.cast(self.scale(), params.dtype) * tf.sign(uniform - 0.5) * magnitude

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.given_scale, "initial_scale": self.initial}
