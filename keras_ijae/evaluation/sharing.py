"""Several machines share the batches that are scored: each looks at some, and all get what all have found."""

import itertools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_ijae.machines import all_alive, arrays_of_all_machines, place
from keras_ijae.metrics import FrechetAccumulator


class Sharing:
    """Batch i is looked at by machine i modulo their number; the first one by all, to know what is found in one.

    Args:
        strategy: over the machines; with one machine, or without any, all batches are its own.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        self._index, self._machines = place(strategy)

    def looks_at(self, index: int) -> bool:
        """Whether this machine looks at a batch."""
        return index == 0 or index % self._machines == self._index

    def own(self, index: int, rows: np.ndarray) -> np.ndarray:
        """What this machine found in a batch that it looks at: none where another machine counts the same."""
        return rows if index % self._machines == self._index else rows[:0]

    def joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """What all machines found, in the order of the batches.

        Args:
            parts: for each batch that this machine looks at, in order, its `own` rows.
        """
        if self._machines == 1:
            return np.concatenate(parts)
        counts = self._of_all(np.array([len(part) for part in parts]))
        rows = self._of_all(np.concatenate(parts))
        found = [np.split(part, np.cumsum(count)[:-1]) for part, count in zip(rows, counts, strict=True)]
        others = [parts[1:] for parts in found[1:]]  # without the first batch
        in_turn = itertools.zip_longest(found[0], *others)
        return np.concatenate([part for parts in in_turn for part in parts if part is not None])

    def merged(self, sums: FrechetAccumulator) -> FrechetAccumulator:
        """The sums of all machines."""
        if self._machines == 1:
            return sums
        found, total = self._of_all(sums.to_array()[None]), FrechetAccumulator(sums.dim)
        for numbers in found:
            total.merge(FrechetAccumulator.from_array(numbers[0]))
        return total

    def total(self, number: int) -> int:
        """The sum of all machines' numbers."""
        return number if self._machines == 1 else int(sum(part[0] for part in self._of_all(np.array([number]))))

    def _of_all(self, rows):
        with all_alive(self._strategy):
            return arrays_of_all_machines(self._strategy, rows)
