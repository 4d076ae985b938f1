"""Features of one set of images, of which no more is held than measures need."""

import numpy as np

from keras_ijae.evaluation.sharing import Sharing
from keras_ijae.metrics import FrechetAccumulator

_ROWS = 8192
"""Summed at a time: for features of thousands of dimensions the sums of a few rows would cost more than the rows."""


class FeatureSet:
    """Takes in features, and probabilities of classes, batch by batch.

    Args:
        rows: whether features are held, (n, dim) of them.
        moments: whether their mean and covariance are kept, in memory dim^2.
        probabilities: whether probabilities are held, (n, classes) of them.
    """

    def __init__(self, rows: bool = False, moments: bool = False, probabilities: bool = False) -> None:
        self.count = 0
        self._rows, self._probabilities = [] if rows else None, [] if probabilities else None
        self._sums, self._waiting = None, [] if moments else None

    def take(self, features: np.ndarray, probabilities: np.ndarray | None = None) -> None:
        """Features (b, dim), and probabilities (b, classes) where they are held."""
        self.count += len(features)
        if self._rows is not None:
            self._rows.append(features)
        if self._probabilities is not None:
            self._probabilities.append(probabilities)
        if self._waiting is not None:
            self._waiting.append(features)
            if sum(map(len, self._waiting)) >= _ROWS:
                self._sum()

    def take_sums(self, sums: FrechetAccumulator) -> None:
        """The moments of features that others have summed."""
        self.count, self._sums = sums.count, sums

    def share(self, sharing: Sharing) -> "FeatureSet":
        """This set, with what the sets of all machines have; each took its own rows of each batch at once."""
        if self._rows is not None:
            self._rows = [sharing.joined(self._rows)]
        if self._probabilities is not None:
            self._probabilities = [sharing.joined(self._probabilities)]
        if self._waiting is not None:
            self._sums = sharing.merged(self.moments)
        self.count = sharing.total(self.count)
        return self

    @property
    def features(self) -> np.ndarray:
        """(n, dim), in order."""
        return np.concatenate(self._rows)

    @property
    def probabilities(self) -> np.ndarray:
        """(n, classes), in order."""
        return np.concatenate(self._probabilities)

    @property
    def moments(self) -> FrechetAccumulator:
        """Mean and covariance of all features so far."""
        if self._waiting:
            self._sum()
        return self._sums

    def _sum(self):
        rows = np.concatenate(self._waiting)
        self._sums = self._sums or FrechetAccumulator(rows.shape[1])
        if len(rows):
            self._sums.update(rows)
        self._waiting.clear()
