"""Checks of arguments that the distributions share."""

import math
import numbers
from typing import Any

import tensorflow as tf


def positive_int(name: str, value: Any) -> int:
    """`value` as an int; ValueError unless it is a whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"Argument `{name}` must be an integer >= 1. Received: {name}={value!r}")
    return int(value)


def is_positive(value: Any) -> bool:
    """Whether `value` is a finite real number above 0 (and not a bool)."""
    return _is_real(value) and value > 0


def finite_float(name: str, value: Any) -> float:
    """`value` as a float; ValueError unless it is a finite real number."""
    if not _is_real(value):
        raise ValueError(f"Argument `{name}` must be a finite number. Received: {name}={value!r}")
    return float(value)


def positive_float(name: str, value: Any) -> float:
    """`value` as a float; ValueError unless it is a finite number above 0."""
    if not is_positive(value):
        raise ValueError(f"Argument `{name}` must be a finite number > 0. Received: {name}={value!r}")
    return float(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def widen(values: Any) -> tf.Tensor:
    """`values` as a tensor in float32, or in float64 where they are float64 already."""
    values = tf.convert_to_tensor(values)
    return values if values.dtype == tf.float64 else tf.cast(values, tf.float32)
