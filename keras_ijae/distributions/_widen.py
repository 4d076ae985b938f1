"""The precision in which densities are computed."""

from typing import Any

import tensorflow as tf


def widen(values: Any) -> tf.Tensor:
    """`values` as a tensor in float32, or in float64 where they are float64 already."""
    values = tf.convert_to_tensor(values)
    return values if values.dtype == tf.float64 else tf.cast(values, tf.float32)
