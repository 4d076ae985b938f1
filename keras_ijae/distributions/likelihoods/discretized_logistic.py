"""Discretised logistic likelihood."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.likelihoods.base import LEARNED, ScaledLikelihood, matched, sum_over_dimensions


@keras.saving.register_keras_serializable("keras_ijae")
class DiscretizedLogistic(ScaledLikelihood):
    """Probability of images of `levels` grey levels k / (levels - 1): a logistic density, binned.

    P(k) = σ(b) - σ(a), a and b the standardised edges k ∓ ½ of its bin; the outer bins reach to ∓∞. It is
    computed as log σ(b) + log σ(-a) + log(1 - exp(a - b)), where b - a is the same for all pixels, which
    neither cancels nor overflows. Values between levels count as the nearest.

    Args:
        scale: scale of the logistic in units of the [0, 1] range, > 0, or "learned" for one trainable scalar.
        levels: number of grey levels, >= 2.
        initial_scale: where a learned scale starts.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow, 2016;
        Salimans et al., PixelCNN++, 2017.
    """

    discrete = True
    of_unit_interval = True
    has_bits_per_dim = True

    def __init__(
        self, scale: float | str = LEARNED, levels: int = 256, initial_scale: float = 0.1, **options: Any
    ) -> None:
        super().__init__("scale", scale, initial_scale, **options)
        self.levels = whole("levels", levels, 2)

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        params, x = matched(params, x)
        top = self.levels - 1
        scale = tf.cast(self.scale(), x.dtype) * top
        level = tf.round(x * top)
        lower, upper = (level - 0.5 - params * top) / scale, (level + 0.5 - params * top) / scale
        log_cdf, log_survival = -tf.nn.softplus(-upper), -tf.nn.softplus(lower)
        inside = log_cdf + log_survival + tf.math.log(-tf.math.expm1(-1.0 / scale))
        return sum_over_dimensions(tf.where(level <= 0, log_cdf, tf.where(level >= top, log_survival, inside)))

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Grey levels in [0, 1], multiples of 1 / (levels - 1). Without gradients."""
        params = widen(params)
        uniform = tf.cast(uniform, params.dtype)
        value = params + tf.cast(self.scale(), params.dtype) * (tf.math.log(uniform) - tf.math.log1p(-uniform))
        return tf.clip_by_value(tf.round(value * (self.levels - 1)) / (self.levels - 1), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        config = {"scale": self.given_scale, "levels": self.levels, "initial_scale": self.initial}
        return {**super().get_config(), **config}
