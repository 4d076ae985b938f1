"""Bernoulli likelihood."""

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.likelihoods.base import Likelihood, matched, sum_over_dimensions

LEAST_PROBABILITY = 1e-6
"""Where probabilities are turned into logits, they are clipped to at least this and at most 1 minus this."""


@keras.saving.register_keras_serializable("keras_ijae")
class Bernoulli(Likelihood):
    """p(x | ℓ) = Π σ(ℓ)^x (1 - σ(ℓ))^(1 - x), with `params` the logits ℓ.

    log p = Σ xℓ - softplus(ℓ). For binary data it is a log-probability in nats; grey values in [0, 1] are taken as
    probabilities of a binary pixel, and the same sum is the negative cross-entropy, not a log-probability.

    Example:
        >>> round(float(ki.distributions.Bernoulli().log_prob(tf.zeros((1, 2)), tf.constant([[0.0, 1.0]]))[0]), 4)
        -1.3863
    """

    discrete = True
    of_unit_interval = True
    image_activation = "linear"

    def output_problem(self, outputs: np.ndarray) -> str:
        """Logits that all lie in [0, 1], and differ, are probabilities: the last layer has a sigmoid too many."""
        if not np.isfinite(outputs).all():
            return "The decoder gives NaN or infinite values."
        low, high = float(outputs.min()), float(outputs.max())
        if low < 0 or high > 1 or low == high:
            return ""
        return (
            f"The decoder gives values in [{low:.3g}, {high:.3g}], which look like probabilities, and the Bernoulli "
            "likelihood reads them as logits: give its last layer the activation 'linear'."
        )

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """The probabilities σ(params)."""
        return tf.sigmoid(widen(params))

    def params_of_mean(self, mean: tf.Tensor) -> tf.Tensor:
        """The logits of these probabilities, clipped to [1e-6, 1 - 1e-6]: one pixel costs at most 13.8 nats."""
        probabilities = tf.clip_by_value(widen(mean), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return tf.math.log(probabilities) - tf.math.log1p(-probabilities)

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        params, x = matched(params, x)
        return -sum_over_dimensions(tf.nn.sigmoid_cross_entropy_with_logits(x, params))

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """0s and 1s: 1 where uniform > 1 - σ(params). Without gradients."""
        params = widen(params)
        return tf.cast(tf.cast(uniform, params.dtype) > tf.sigmoid(-params), params.dtype)
