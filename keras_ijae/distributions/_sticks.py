"""Weights of broken sticks: pi_k = v_k prod_{j<k} (1 - v_j) for k < K, and pi_K what is left."""

import tensorflow as tf

LEAST = -80.0  # of the logarithm of a weight: float32 has no smaller ones
_CLOSE = 1e-20  # of -log v


def log_rest(log_v: tf.Tensor) -> tf.Tensor:
    """log(1 - v), finite where v is 1 as far as floating point goes."""
    x = tf.maximum(-log_v, _CLOSE)
    small = x < 0.7
    one = tf.ones_like(x)  # each side has a gradient that is finite for all x
    near = tf.math.log(-tf.math.expm1(-tf.where(small, x, one)))
    return tf.where(small, near, tf.math.log1p(-tf.exp(-tf.where(small, one, x))))


def weights(log_v: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """From log v, `(batch, K - 1)`: the weights, `(batch, K)`, none below exp(-80); and log of what is left before
    each v, `(batch, K - 1)`.
    """
    rest = tf.cumsum(log_rest(log_v), axis=1)
    before = tf.maximum(tf.concat([tf.zeros_like(rest[:, :1]), rest[:, :-1]], 1), LEAST)
    return tf.exp(tf.maximum(tf.concat([log_v + before, rest[:, -1:]], 1), LEAST)), before


def left(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Of weights `(batch, K)`: themselves, not below exp(-80), and what is left before each, `(batch, K)` both."""
    z = tf.maximum(z, tf.exp(tf.cast(LEAST, z.dtype)))
    return z, tf.cumsum(z, axis=1, reverse=True)


def log_v(z: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """log v, `(batch, K - 1)`, of what `left` gives; on the side where it does not cancel."""
    rest = before[:, 1:] / before[:, :-1]
    small = rest < 0.5
    near = tf.math.log1p(-tf.where(small, rest, tf.zeros_like(rest)))
    return tf.where(small, near, tf.math.log(z / before)[:, :-1])
