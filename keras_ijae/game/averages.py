"""The running averages of the players' weights."""

import keras
import tensorflow as tf


class RunningAverages(keras.layers.Layer):
    """One average for each of some weights; a layer, so that it is saved with the model.

        a <- a + (1 - d) (w - a),   d = min(decay, (1 + t) / (10 + t))      early averages forget the start

    Args:
        weights: that are averaged, each once; of a frozen one the average stays what the weight is.
        decay: in [0, 1); None: there is no average.
    """

    def __init__(self, weights: list[keras.Variable], decay: float | None):
        super().__init__(name="averages", trainable=False)
        self._decay, self._loaded = decay, True
        followed = [] if decay is None else list({id(weight): weight for weight in weights}.values())
        self._followed = lambda: followed  # hidden from Keras, which would take them for weights of this layer
        self._averages = [self._average_of(weight) for weight in followed]
        self.built = True

    @property
    def pairs(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """(weight, its running average)."""
        return list(zip(self._followed(), self._averages, strict=True))

    def _average_of(self, weight):
        return self.add_weight(
            weight.shape,
            lambda shape, dtype: tf.convert_to_tensor(weight),
            dtype=weight.dtype,
            trainable=False,
            autocast=False,
            name="average",
            aggregation="only_first_replica",
        )

    def load_own_variables(self, store: dict) -> None:
        """As in Keras; where the stored ones do not fit, `begin_if_not_loaded` has to follow, once the weights came."""
        self._loaded = False
        super().load_own_variables(store)
        self._loaded = True

    def begin_if_not_loaded(self) -> None:
        """All averages are their weights, if those in the file that was loaded last did not fit."""
        for weight, average in () if self._loaded else self.pairs:
            average.assign(weight)
        self._loaded = True

    def update(self, steps: tf.Tensor) -> None:
        """After step number `steps`, counted from 1."""
        if self._decay is None:
            return
        step = tf.cast(steps, tf.float32)
        rate = 1.0 - tf.minimum(self._decay, (1 + step) / (10 + step))
        for weight, average in self.pairs:
            value = tf.convert_to_tensor(average)
            average.assign(value + tf.cast(rate, value.dtype) * (tf.convert_to_tensor(weight) - value))

    def scope(self) -> keras.StatelessScope:
        """In it, and in this thread alone, the networks have the averages in the place of their weights."""
        return keras.StatelessScope([(weight, average.value) for weight, average in self.pairs])
