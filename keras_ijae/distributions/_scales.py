"""Scales from real numbers."""

import math

import tensorflow as tf

MIN_SCALE = 1e-5
_SHIFT = math.log(math.expm1(1.0 - MIN_SCALE))


def positive_scale(raw: tf.Tensor) -> tf.Tensor:
    """A scale in (1e-5, inf) from a raw network output: 1e-5 + softplus(raw + c), equal to 1 at raw = 0."""
    return MIN_SCALE + tf.nn.softplus(raw + _SHIFT)
