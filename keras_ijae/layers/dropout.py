"""Dropout whose masks are a function of a counter, as all noise of the package is."""

from __future__ import annotations

import random as python_random
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import number, whole
from keras_ijae.layers.advancing import Advancing
from keras_ijae.replicas import share_of


@keras.saving.register_keras_serializable("keras_ijae")
class Dropout(Advancing, keras.layers.Layer):
    """Sets a share `rate` of the features to 0 in training and divides the others by 1 - rate.

    The mask is a function of (seed, step, row) alone, where `step` is a weight that `advance()` counts up: a forward
    pass changes nothing, a run resumes exactly, and two replicas see the masks of one with the double batch.
    All passes of one step have one mask: real and generated rows are seen by the same thinned network.

    Args:
        rate: share of the features that is dropped, in [0, 1).
        seed: of the masks, >= 0; None: drawn from Python's `random`, which `keras.utils.set_random_seed` sets.
        **kwargs: `name`, `dtype`, `trainable`; anything else is refused by `keras.layers.Layer`.

    References:
        Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = number("rate", rate, least=0, below=1)
        self.seed = python_random.randrange(2**31) if seed is None else whole("seed", seed, 0)
        self.step = self.add_weight(
            (), "zeros", dtype="int64", trainable=False, name="step", aggregation="only_first_replica"
        )
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """`(batch, ...)` to the same; the identity unless `training`."""
        if not training:
            return inputs
        kept = self._draws(tf.shape(inputs)[0]).uniform("mask", *inputs.shape[1:]) >= self.rate
        return tf.where(kept, inputs / (1 - self.rate), tf.zeros_like(inputs))

    def advance(self) -> None:
        """The next step's masks. For once a step, never for a forward pass."""
        self.step.assign_add(1)

    def _draws(self, rows: tf.Tensor) -> random.Draws:
        share = share_of(rows)
        key = random.fold(self.seed, tf.convert_to_tensor(self.step))
        return random.Draws(key, share.rows, share.start, share.total)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """The arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
