"""Networks on a fixed number of rows at once."""

from collections.abc import Callable

import tensorflow as tf

ROWS = 64
"""That go through a network at once."""


def in_parts(function: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor, size: int, gives: int) -> tf.Tensor:
    """`function` of `size` rows at once, the last ones filled up, so that a row depends by no bit on their number.

    Args:
        function: `(size, a)` -> `(size, gives)`, of the type of `rows`.
        rows: `(n, a)`.
        size: rows at once, >= 1.
        gives: size of a row of what comes back.

    Returns:
        `(n, gives)`.
    """
    n, width = tf.shape(rows)[0], rows.shape[1]
    parts = tf.reshape(tf.pad(rows, [[0, -n % size], [0, 0]]), [-1, size, width])
    spec = tf.TensorSpec([size, gives], rows.dtype)
    return tf.reshape(tf.map_fn(function, parts, fn_output_signature=spec), [-1, gives])[:n]
