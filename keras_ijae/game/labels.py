"""How often each label came in training, by which labels of samples are drawn."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.replicas import Share, total


@keras.saving.register_keras_serializable("keras_ijae")
class LabelCounts(keras.layers.Layer):
    """Counts of the labels 0..classes-1, saved with the model.

    Args:
        classes: K, at least 2.
        options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(self, classes: int, **options: Any):
        super().__init__(**options)
        self.classes = classes
        self.counts = self.add_weight(
            (classes,), "zeros", "int64", trainable=False, name="counts", aggregation="only_first_replica"
        )
        self.built = True

    def add(self, labels: tf.Tensor, share: Share) -> None:
        """Count the rows of one-hot labels (batch, classes) on all replicas; rows of zeros are not counted."""
        counts = total(tf.reduce_sum(tf.cast(labels, tf.float32), axis=0) / share.copies)
        self.counts.assign_add(tf.cast(tf.round(counts), tf.int64))

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        """n labels, int32: the first k do not depend on n. By the counts; before any was counted all alike."""
        counts = tf.cast(tf.convert_to_tensor(self.counts), tf.float64)
        shares = tf.where(tf.reduce_sum(counts) > 0, counts, tf.ones_like(counts))
        return random.choices(shares, n, random.fold(seed, "label"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}
