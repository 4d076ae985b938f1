"""A mixture of Gaussians over codes that is learned in the game."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size
from keras_ijae.distributions._scales import positive_scale
from keras_ijae.distributions.priors.base import Prior

_SPREAD = 0.5  # of the means at the start: the components differ, and together are not far from N(0, I)


@keras.saving.register_keras_serializable("keras_ijae")
class LearnedMixture(Prior):
    """p(z) = sum_k share_k N(mean_k, diag(scale_k^2)); shares, means and scales are trained by the system's loss.

    The shares are the softmax of `logits`, the scales 1e-5 + softplus(raw + c), 1 at raw = 0. At the start the shares
    are equal, the scales 1, and the means normal with deviation 0.5, by Keras' seed, because components that begin
    alike stay alike.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        components: number of Gaussians, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        ki.create("vae", (28, 28, 1), 16, prior=LearnedMixture(16, components=50))

    References:
        Tomczak & Welling 2018, "VAE with a VampPrior", where the encoder gives the components; here they are free. The
        number of components and the start are choices of this library.
    """

    def __init__(self, latent_dim: int, components: int = 10, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.components = k = size("components", components)
        spread = keras.initializers.RandomNormal(stddev=_SPREAD)
        self.logits = self.add_weight((k,), "zeros", autocast=False, name="logits")
        self.means = self.add_weight((k, self.latent_dim), spread, autocast=False, name="means")
        self.raw_scales = self.add_weight((k, self.latent_dim), "zeros", autocast=False, name="raw_scales")

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        noise = tf.cast(random.normal((n, self.latent_dim), random.fold(seed, "normal")), tf.float64)
        logits, means, raw = (tf.cast(weight, tf.float64) for weight in (self.logits, self.means, self.raw_scales))
        # rounded, so that products are exact, and XLA agrees where a sum is half-way between two float32
        scales = tf.cast(tf.cast(positive_scale(raw), tf.float32), tf.float64)
        k = random.choices(tf.nn.softmax(logits), n, random.fold(seed, "component"))
        return tf.cast(tf.gather(means, k) + tf.gather(scales, k) * noise, tf.float32)

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        logits, means, raw = (tf.cast(weight, z.dtype) for weight in (self.logits, self.means, self.raw_scales))
        scales = positive_scale(raw)
        normalised = (z[:, None] - means) / scales
        log_scales = tf.reduce_sum(tf.math.log(scales), axis=1) + self.latent_dim * math.log(2 * math.pi) / 2
        of_each = tf.nn.log_softmax(logits) - log_scales - tf.reduce_sum(normalised**2, axis=2) / 2
        return tf.reduce_logsumexp(of_each, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}
