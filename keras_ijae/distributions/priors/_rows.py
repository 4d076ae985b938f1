"""Codes of which no bit depends on how many are drawn."""

from collections.abc import Callable

import tensorflow as tf

from keras_ijae import random

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


def keyed_rows(
    draw: Callable[[tf.Tensor], tf.Tensor], n: int | tf.Tensor, seed: int | tf.Tensor, latent_dim: int
) -> tf.Tensor:
    """n codes, (n, latent_dim) float32, where each takes much noise, which is drawn for `ROWS` of them at a time.

    Args:
        draw: a key -> (ROWS, latent_dim) codes.
        n, seed: as in `Prior.sample`.
        latent_dim: size of a code.
    """
    codes = tf.map_fn(
        lambda at: draw(random.fold(seed, "rows", at)),
        tf.range((n + ROWS - 1) // ROWS),
        fn_output_signature=tf.TensorSpec([ROWS, latent_dim], tf.float32),
    )
    return tf.reshape(codes, [-1, latent_dim])[:n]
