"""Maxout activations."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole


@keras.saving.register_keras_serializable("keras_ijae")
class Maxout(keras.layers.Layer):
    """The largest of each `pieces` neighbouring features: `(..., units * pieces)` to `(..., units)`.

    After a dense layer or a convolution with `units * pieces` outputs it makes a maxout layer of `units` units.

    Args:
        pieces: features of which one is left, >= 2.
        **kwargs: `name`, `dtype`, `trainable`; anything else is refused by `keras.layers.Layer`.

    Raises:
        ValueError: `pieces` is below 2, or does not divide the number of features.

    Example:
        >>> ki.layers.Maxout(2)(tf.constant([[1.0, 3.0, -2.0, -5.0]])).numpy().tolist()
        [[3.0, -2.0]]

    References:
        Goodfellow et al. 2013, "Maxout networks", section 3.
    """

    def __init__(self, pieces: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pieces = whole("pieces", pieces, 2)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """`(batch, ..., units * pieces)` to `(batch, ..., units)`."""
        shape = self.compute_output_shape(inputs.shape)
        return keras.ops.max(keras.ops.reshape(inputs, (-1, *shape[1:], self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the input, its last axis divided by `pieces`."""
        *leading, features = input_shape
        if features % self.pieces:
            raise ValueError(f"Argument `pieces` must divide {features} features. Received: pieces={self.pieces}")
        return (*leading, features // self.pieces)

    def get_config(self) -> dict:
        """The arguments."""
        return {**super().get_config(), "pieces": self.pieces}
