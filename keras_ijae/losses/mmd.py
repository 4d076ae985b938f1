"""The maximum mean discrepancy between two samples."""

import tensorflow as tf

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def mmd(a: tf.Tensor, b: tf.Tensor, variance: float | tf.Tensor = 1.0) -> tf.Tensor:
    """Unbiased estimate of the squared MMD under a sum of inverse multiquadratic kernels: a scalar, also below 0.

    With k(u, v) = sum_s C / (C + ||u - v||^2), C = 2 m variance s, s in `SCALES`, m dimensions and n rows:

        sum_{i != j} [k(a_i, a_j) + k(b_i, b_j)] / (n (n - 1)) - 2 sum_{i, j} k(a_i, b_j) / n^2

    The mean of the estimates of two half batches differs from the estimate of the whole batch: under replicas, gather
    the rows of all replicas first.

    Args:
        a, b: independent samples, (n, m) each, n at least 2; of a single row, which has no estimate, 0.
        variance: of one dimension of the prior; 1 for N(0, I).

    Raises:
        ValueError: samples of different shapes.

    References:
        Gretton et al. 2012, eq. 3; the kernels are those of Tolstikhin et al. 2018, section 4 and its code.
    """
    if not a.shape.is_compatible_with(b.shape):
        raise ValueError(f"Arguments `a` and `b` must have one shape (n, m). Received: {a.shape} and {b.shape}")
    n = tf.cast(tf.shape(a)[0], a.dtype)
    within = tf.reduce_sum(_off_diagonal(_kernel(a, a, variance))) + tf.reduce_sum(
        _off_diagonal(_kernel(b, b, variance))
    )
    several = tf.cast(n > 1, n.dtype)  # a last batch may have one row
    return several * (within / tf.maximum(n * (n - 1), 1) - 2 * tf.reduce_mean(_kernel(a, b, variance)))


def _kernel(a, b, variance):
    squares = tf.reduce_sum(a**2, 1)[:, None] - 2 * tf.matmul(a, b, transpose_b=True) + tf.reduce_sum(b**2, 1)[None]
    variance = tf.cast(variance, a.dtype) if tf.is_tensor(variance) else variance
    distance, width = tf.maximum(squares, 0), 2.0 * a.shape[1] * variance
    return tf.add_n([width * s / (width * s + distance) for s in SCALES])


def _off_diagonal(kernel):
    return tf.linalg.set_diag(kernel, tf.zeros_like(kernel[:, 0]))
