"""Cyclic shifts of images, one shift per image."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


def _gather(images: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    rows = tf.math.floormod(tf.range(height)[None, :] - shifts[:, :1], height)
    columns = tf.math.floormod(tf.range(width)[None, :] - shifts[:, 1:], width)
    return tf.gather(tf.gather(images, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


@tf.custom_gradient
def _roll(images: tf.Tensor, shifts: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return _roll(upstream, -shifts), None

    return _gather(images, shifts), gradient


def roll(images: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """Rolls each image by its own shift; what leaves on one side enters on the other.

    Row i of the result equals `tf.roll(images[i], shifts[i], axis=(0, 1))`. Works in graphs and under XLA, and is
    differentiable in `images` to any order (the gradient is the opposite roll).

    Args:
        images: `(batch, height, width, channels)`, any floating type.
        shifts: `(batch, 2)` int32, pixels down and to the right; any integers, taken modulo the size.

    Returns:
        The rolled images, of the shape and type of `images`.
    """
    images, shifts = tf.convert_to_tensor(images), tf.convert_to_tensor(shifts)
    if images.shape.rank != 4:
        raise ValueError(f"Argument `images` must be (batch, height, width, channels). Received: shape={images.shape}.")
    if shifts.shape.rank != 2 or shifts.shape[-1] != 2 or not shifts.dtype.is_integer:
        raise ValueError(
            f"Argument `shifts` must be (batch, 2) integers. Received: shape={shifts.shape}, dtype={shifts.dtype.name}."
        )
    rolled = _roll(images, tf.cast(shifts, tf.int32))
    rolled.set_shape(images.shape)
    return rolled


@keras.saving.register_keras_serializable("keras_ijae")
class CyclicRoll(keras.layers.Layer):
    """`roll` as a layer: called on `[images, shifts]`, returns the images, each rolled by its own shift."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """images `(batch, height, width, channels)`, shifts `(batch, 2)` int32."""
        images, shifts = inputs
        return roll(images, shifts)

    def compute_output_shape(self, input_shape: list[tuple]) -> tuple:
        """The shape of the images."""
        return tuple(input_shape[0])
