"""Logs of a game in one vector, and the flags that find the first bad step of each term."""

import keras
import tensorflow as tf

from keras_ijae.replicas import total

_CAPACITY = 64


class Logs(keras.metrics.Metric):
    """Means of named scalars in one vector, with the first step at which each was not finite.

    The names are those of the first update, so that nothing needs to be traced beforehand. `rows` is for evaluation to
    count the rows of the global batches.
    """

    def __init__(self, name: str):
        super().__init__(name=name)
        self.names: list[str] = []
        self.flags: list[str] = []
        self.total = self.add_variable((_CAPACITY,), "zeros", name="total")
        self.weight = self.add_variable((_CAPACITY,), "zeros", name="weight")
        self.first_bad = self.add_variable((_CAPACITY,), "zeros", "int32", "only_first_replica", "first_bad")
        self.rows = self.add_variable((), "zeros", "int64", "only_first_replica", "rows")

    def update_state(
        self,
        values: dict[str, tf.Tensor],
        weight: tf.Tensor | float = 1.0,
        weights: dict[str, tf.Tensor] | None = None,
        step: tf.Tensor | int = 0,
        flags: dict[str, tf.Tensor] | None = None,
    ) -> None:
        """Add scalars.

        Args:
            values: name -> scalar, averaged.
            weight: of these values in their averages.
            weights: name -> weight, where it differs from `weight`: 0 for what did not happen.
            step: counted from 1; remembered for a value that is not finite and for a flag that is set.
            flags: name -> boolean scalar, True where something is wrong.
        """
        self.names, self.flags = list(values), list(flags or {})
        if len(self.names) + len(self.flags) > _CAPACITY:
            raise ValueError(f"A game can log {_CAPACITY} terms. Received: {self.names + self.flags}")
        vector = tf.stack([tf.cast(value, tf.float32) for value in values.values()])
        each = tf.cast(weight, tf.float32)
        if weights:
            each = tf.stack([tf.cast(weights.get(name, weight), tf.float32) for name in values])
        vector = tf.where(each > 0, vector, 0.0)  # what did not happen may hold anything
        bad = ~tf.math.is_finite(vector)
        self.total.assign_add(_padded(vector * each))
        self.weight.assign_add(_padded(tf.ones_like(vector) * each))
        self._remember(tf.concat([bad, *([flag] for flag in (flags or {}).values())], axis=0), step)

    def _remember(self, bad, step):
        bad = _padded(tf.cast(bad, tf.float32))
        bad = total(bad)
        first = tf.convert_to_tensor(self.first_bad)
        self.first_bad.assign(tf.where((first == 0) & (bad > 0), tf.cast(step, tf.int32), first))

    def filled(self) -> bool:
        """Whether anything has been added since the last reset; outside of steps."""
        return bool(keras.ops.convert_to_numpy(self.weight).any())

    def result(self) -> dict[str, tf.Tensor]:
        """name -> mean, of everything since the last reset, on all replicas."""
        sums = tf.convert_to_tensor(self.total), tf.convert_to_tensor(self.weight)
        means = tf.math.divide_no_nan(*(sums if tf.distribute.in_cross_replica_context() else total(sums)))
        return dict(zip(self.names, tf.unstack(means[: len(self.names)]), strict=True))

    def bad(self) -> dict[str, int]:
        """name -> the first step at which a term was not finite, or a flag set."""
        first = keras.ops.convert_to_numpy(self.first_bad)
        return {name: int(step) for name, step in zip(self.names + self.flags, first, strict=False) if step > 0}

    def check_flags(self, name: str) -> None:
        """ValueError where a flag was set in evaluation, whose steps are told by the number of their first row.

        Args:
            name: of the argument that the data were.
        """
        bad = {name: row for name, row in self.bad().items() if name in self.flags}
        if bad:
            told = ", ".join(f"{name} in the batch from row {row} on" for name, row in bad.items())
            raise ValueError(f"Argument `{name}` does not fit. Received: {told} (counted from 1)")


def _padded(vector):
    return tf.pad(vector, [[0, _CAPACITY - vector.shape[0]]])
