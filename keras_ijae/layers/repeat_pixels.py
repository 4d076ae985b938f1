"""Nearest-neighbour upsampling."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole


@keras.saving.register_keras_serializable("keras_ijae")
class RepeatPixels(keras.layers.Layer):
    """Each row and column of a map several times: `(batch, height, width, channels)`, larger by `factors`.

    Values and gradients are those of `keras.layers.UpSampling2D(factors, interpolation="nearest")`, bit for bit. That
    one reads its sizes when it runs, and TFLite converts no convolution of a map whose channels it does not know.

    Args:
        factors: (of rows, of columns), each at least 1.
        **kwargs: `name`, `dtype`, `trainable`; anything else is refused by `keras.layers.Layer`.

    Raises:
        ValueError: a factor that is no integer of at least 1, or not two of them.

    Example:
        >>> ki.layers.RepeatPixels((1, 2))(tf.reshape([1.0, 2.0], (1, 2, 1, 1)))[0, ..., 0].numpy().tolist()
        [[1.0, 1.0], [2.0, 2.0]]
    """

    def __init__(self, factors: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(factors, (tuple, list)) or len(factors) != 2:
            raise ValueError(f"Argument `factors` must be (of rows, of columns). Received: factors={factors!r}")
        self.factors = tuple(whole("factors", factor) for factor in factors)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """`(batch, height, width, channels)` to that with height and width times `factors`."""
        _, height, width, channels = inputs.shape
        rows, columns = self.factors
        tall = keras.ops.tile(keras.ops.expand_dims(inputs, 2), (1, 1, rows, 1, 1))
        tall = keras.ops.reshape(tall, (-1, height * rows, width, channels))
        wide = keras.ops.tile(keras.ops.expand_dims(tall, 3), (1, 1, 1, columns, 1))
        return keras.ops.reshape(wide, (-1, height * rows, width * columns, channels))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the input, height and width times `factors`."""
        batch, height, width, channels = input_shape
        return batch, height * self.factors[0], width * self.factors[1], channels

    def get_config(self) -> dict:
        """The arguments."""
        return {**super().get_config(), "factors": self.factors}
