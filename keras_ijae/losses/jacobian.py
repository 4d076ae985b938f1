"""What a decoder's Jacobian does to a direction, and by it the Jacobian's norm, without the Jacobian itself."""

from collections.abc import Callable

import tensorflow as tf


def pushed(function: Callable, z: tf.Tensor, direction: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`function(z)`, and in the same pass J u: its derivative at z along the unit vector u of each row's direction.

    Forward-mode differentiation: it costs about as much as the pass itself, and can be differentiated like it. Under
    several replicas, whose batch statistics it does not follow in a graph, by two reverse passes instead.

    Args:
        function: (batch, m) -> (batch, ...).
        z: (batch, m).
        direction: (batch, m), not 0; its length does not matter. Of normal numbers u is uniform on the sphere.

    Raises:
        ValueError: no derivative flows through `function`.
    """
    unit = tf.math.l2_normalize(tf.cast(direction, z.dtype), axis=1)
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    outputs, along = (_by_reverse_passes if several else _by_a_forward_pass)(function, z, unit)
    if along is None:
        raise ValueError(
            "No derivative flows forward through the decoder from its codes to its outputs: it has a layer without a "
            "second derivative (bilinear UpSampling2D is known for it), or does not depend on the codes"
        )
    return outputs, along


def _by_a_forward_pass(function, z, unit):
    with tf.autodiff.ForwardAccumulator(z, unit) as accumulator:
        outputs = function(z)
    return outputs, accumulator.jvp(outputs)


def _by_reverse_passes(function, z, unit):
    """J u is the derivative of u'J'w, which is linear in w."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(z)
            outputs = function(z)
        w = tf.zeros_like(outputs)
        outer.watch(w)
        pulled = inner.gradient(outputs, z, output_gradients=w)
    return outputs, None if pulled is None else outer.gradient(pulled, w, output_gradients=unit)


def jacobian_norm(along: tf.Tensor, size: int) -> tf.Tensor:
    """size ||J u||^2 of each row, (batch,), in float32 at least: for a uniform u its mean is ||J||_F^2.

    Args:
        along: J u, (batch, ...), as `pushed` gives it.
        size: m, the number of columns of J.

    References:
        Hutchinson 1990 for the mean of such quadratic forms; with unit vectors the length adds no variance.
    """
    along = tf.cast(along, tf.float32) if along.dtype.size < 4 else along
    return size * tf.reduce_sum(tf.reshape(along, [tf.shape(along)[0], -1]) ** 2, axis=1)
