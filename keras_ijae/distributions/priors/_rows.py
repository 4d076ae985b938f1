"""Codes of which no bit depends on how many are drawn."""

from collections.abc import Callable

import tensorflow as tf

from keras_ijae import random

ROWS = 64  # go through the network at once


def by_rows(network: Callable[[tf.Tensor], tf.Tensor], noise: tf.Tensor, latent_dim: int) -> tf.Tensor:
    """`network(noise)`, (n, latent_dim) float32: it sees always the same number of rows, the last ones filled up.

    Args:
        network: (rows, noise_dim) -> (rows, latent_dim).
        noise: (n, noise_dim).
        latent_dim: size of a code.
    """
    n = tf.shape(noise)[0]
    parts = tf.reshape(tf.pad(noise, [[0, -n % ROWS], [0, 0]]), [-1, ROWS, noise.shape[1]])
    spec = tf.TensorSpec([ROWS, latent_dim], tf.float32)
    codes = tf.map_fn(lambda part: tf.cast(network(part), tf.float32), parts, fn_output_signature=spec)
    return tf.reshape(codes, [-1, latent_dim])[:n]


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
