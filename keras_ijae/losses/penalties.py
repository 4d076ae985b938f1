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
    return tf.reduce_mean(_squared_slopes(function, [tf.identity(tensor) for tensor in inputs]))


def wasserstein_gradient_penalty(critic: Callable, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """mean (||d critic / d x|| - 1)^2 at x = mix real + (1 - mix) fake, the norm per example over all axes: a scalar.

    Args:
        critic: maps x to (batch, 1).
        real, fake: (batch, ...), of one shape.
        mix: (batch,) uniform numbers in (0, 1).

    References:
        Gulrajani et al. 2017, eq. 3 (without its factor lambda = 10).
    """
    mix = tf.reshape(mix, [-1, *[1] * (real.shape.rank - 1)])
    squares = _squared_slopes(lambda inputs: critic(inputs[0]), [mix * real + (1 - mix) * fake])
    tiny = tf.cast(1e-12, squares.dtype)  # where the slope is 0 the root has no derivative
    return tf.reduce_mean((tf.sqrt(tf.maximum(squares, tiny)) - 1) ** 2)


def _squared_slopes(function, inputs):
    """||d function / d inputs||^2 over all axes of all inputs: (batch,)."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(function(inputs))
    gradients = tape.gradient(total, inputs, unconnected_gradients="zero")
    return tf.add_n([tf.reduce_sum(tf.reshape(g**2, [tf.shape(g)[0], -1]), axis=1) for g in gradients])
