"""Bernoulli likelihood."""

import keras
import tensorflow as tf

from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.likelihoods.base import Likelihood, matched, sum_over_dimensions


@keras.saving.register_keras_serializable("keras_ijae")
class Bernoulli(Likelihood):
    """p(x | ℓ) = Π σ(ℓ)^x (1 - σ(ℓ))^(1 - x), with `params` the logits ℓ.

    log p = Σ xℓ - ζ(ℓ), ζ the softplus. On binary data it is in true nats; grey values in [0, 1] are taken
    as probabilities of a binary pixel, and the same sum is the negative cross-entropy.

    Example:
        Bernoulli().log_prob(tf.zeros((1, 2)), tf.constant([[0.0, 1.0]]))  # [-1.3863], 2 log ½
    """

    discrete = True
    image_activation = "linear"

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """The probabilities σ(params)."""
        return tf.sigmoid(widen(params))

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        params, x = matched(params, x)
        return -sum_over_dimensions(tf.nn.sigmoid_cross_entropy_with_logits(x, params))

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """0s and 1s: 1 where uniform > 1 - σ(params). Without gradients."""
        params = widen(params)
        return tf.cast(tf.cast(uniform, params.dtype) > tf.sigmoid(-params), params.dtype)
