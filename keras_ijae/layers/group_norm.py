"""Group normalisation, written to be cheap on CPUs."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import number, whole


@keras.saving.register_keras_serializable("keras_ijae")
class GroupNorm(keras.layers.Layer):
    """Group normalisation of feature maps `(batch, height, width, channels)`.

    Channels are split into groups of equal size; each group of each image is brought to mean 0 and variance 1
    over its pixels and channels, then scaled and shifted per channel. No statistic crosses the batch, so training
    and inference are the same function. The numbers are those of `keras.layers.GroupNormalization`; here the sums
    over pixels come first and the whole map is touched by one multiply-add, which is cheaper on a CPU.

    Args:
        groups: at most this many groups; the largest number that divides the channels is used. 1 is layer
            normalisation over pixels and channels.
        epsilon: added to the variance.
        **kwargs: `name`, `dtype`, `trainable`; anything else is refused by `keras.layers.Layer`.

    References:
        Wu and He (2018), Group normalization.
    """

    def __init__(self, groups: int = 8, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups, self.epsilon = whole("groups", groups), number("epsilon", epsilon, above=0)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates `gamma` (ones) and `beta` (zeros), one per channel."""
        channels = input_shape[-1]
        self.used_groups = next(g for g in range(min(self.groups, channels), 0, -1) if channels % g == 0)
        self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros", autocast=False)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """`(batch, height, width, channels)` to the same; statistics in float32 at least."""
        x = tf.cast(inputs, self.variable_dtype)
        mean = self._spread(self._group_mean(tf.reduce_mean(x, axis=(1, 2))))
        square = self._spread(self._group_mean(tf.reduce_mean(tf.square(x), axis=(1, 2))))
        variance = tf.maximum(square - tf.square(mean), 0.0)
        scale = tf.convert_to_tensor(self.gamma) * tf.math.rsqrt(variance + self.epsilon)
        shift = tf.convert_to_tensor(self.beta) - mean * scale
        return tf.cast(x * scale[:, None, None, :] + shift[:, None, None, :], self.compute_dtype)

    def _group_mean(self, per_channel: tf.Tensor) -> tf.Tensor:
        channels = per_channel.shape[-1]
        return tf.reduce_mean(tf.reshape(per_channel, (-1, self.used_groups, channels // self.used_groups)), axis=-1)

    def _spread(self, per_group: tf.Tensor) -> tf.Tensor:
        return tf.repeat(per_group, self.gamma.shape[0] // self.used_groups, axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """The arguments."""
        return {**super().get_config(), "groups": self.groups, "epsilon": self.epsilon}
