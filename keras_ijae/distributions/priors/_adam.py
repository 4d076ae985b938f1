"""Adam on all weights as one vector, by which no variable is changed.

Under several replicas a variable cannot be changed by a function that no replica runs; values can.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf


class State(NamedTuple):
    """Of a training, all of one type."""

    flat: tf.Tensor
    """All weights, one after the other."""
    mean: tf.Tensor
    square: tf.Tensor
    count: tf.Tensor
    """Of steps, a scalar."""


def start(weights: Sequence[keras.Variable]) -> State:
    """The state before the first step."""
    flat = tf.concat([tf.reshape(tf.convert_to_tensor(weight), [-1]) for weight in weights], 0)
    return State(flat, tf.zeros_like(flat), tf.zeros_like(flat), tf.zeros([], flat.dtype))


def values(weights: Sequence[keras.Variable], flat: tf.Tensor) -> list[tuple[keras.Variable, tf.Tensor]]:
    """Each weight with its value in the vector, as `keras.StatelessScope` takes them."""
    parts = tf.split(flat, [math.prod(weight.shape) for weight in weights])
    return [(weight, tf.reshape(part, weight.shape)) for weight, part in zip(weights, parts, strict=True)]


def moved(state: State, slope: tf.Tensor, rate: float, steps: int) -> State:
    """The state after a step down `slope`, at a rate that falls to 0 by a cosine in so many steps."""
    flat, mean, square, count = state
    rate = rate * (1 + tf.cos(math.pi * tf.minimum(count / steps, 1.0))) / 2
    mean, square, count = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2, count + 1
    change = mean / (1 - 0.9**count) / (tf.sqrt(square / (1 - 0.999**count)) + 1e-7)
    return State(flat - rate * change, mean, square, count)


def assign(pairs: Sequence[tuple[Any, tf.Tensor]]) -> None:
    """Give weights their values."""
    for weight, value in pairs:
        weight.assign(value)
