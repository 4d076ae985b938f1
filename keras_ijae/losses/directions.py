"""Codes by their directions."""

import tensorflow as tf


def unit(z: tf.Tensor) -> tf.Tensor:
    """The rows of `z`, (n, m), scaled to length 1: finite for rows of any size; a row of zeros stays as it is."""
    size = tf.stop_gradient(tf.reduce_max(tf.abs(z), axis=1, keepdims=True))  # squares of large numbers are infinite
    scaled = z / tf.where(size > 0, size, tf.ones_like(size))
    return scaled * tf.math.rsqrt(tf.maximum(tf.reduce_sum(scaled**2, axis=1, keepdims=True), 0.5))  # 1 to m, or 0


def pulling_away(codes: tf.Tensor) -> tf.Tensor:
    """The pulling-away term of codes S, (n, m): a scalar in [0, 1], 0 where all are orthogonal.

        sum_{i != j} cos^2(S_i, S_j) / (n (n - 1))          0 for a single row

    The mean of the terms of two half batches differs from that of the whole batch: under replicas, gather the rows of
    all replicas first.

    References:
        Zhao, Mathieu & LeCun 2017, eq. 14.
    """
    directions = unit(codes)
    squares = tf.matmul(directions, directions, transpose_b=True) ** 2
    n = tf.cast(tf.shape(codes)[0], codes.dtype)
    others = tf.linalg.set_diag(squares, tf.zeros_like(squares[:, 0]))
    return tf.reduce_sum(others) / tf.maximum(n * (n - 1), 1)
