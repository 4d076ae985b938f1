"""Penalties on the gradient of a discriminator with respect to its inputs."""

from collections.abc import Callable, Sequence

import tensorflow as tf


def gradient_penalty(function: Callable, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """mean ||d function / d inputs||^2, the squared norm per example over all axes of all inputs: a scalar.

    With the data as inputs this is R1, which keeps losses linear in the logits bounded.

    Args:
        function: maps the tensors of `inputs`, as one list, to logits (batch, 1).
        inputs: tensors (batch, ...).

    References:
        Mescheder, Geiger & Nowozin 2018, eq. 9 (without its factor gamma / 2).
    """
    inputs = [tf.identity(tensor) for tensor in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(function(inputs))
    gradients = tape.gradient(total, inputs, unconnected_gradients="zero")
    squares = [tf.reduce_sum(tf.reshape(gradient**2, [tf.shape(gradient)[0], -1]), axis=1) for gradient in gradients]
    return tf.reduce_mean(tf.add_n(squares))
