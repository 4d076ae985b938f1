"""Improved precision and recall: shares of samples in the balls around the other set's points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks
from keras_ijae.metrics._distances import Pairs, Tile, nearest


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]: `precision` of the generated that look real, `recall` of the real that can be generated."""

    precision: float
    recall: float


def precision_recall(real: ArrayLike, fake: ArrayLike, k: int = 3) -> PrecisionRecall:
    """Share of each set that lies in a ball of the other: around a point, as far as its k-th nearest of its own set.

    Balls are closed; a point is not its own neighbour. Distances are exact (float64) and take constant memory.
    Equal distributions do not score 1: two samples of 10,000 from N(0, I_1000) score 0.48 and 0.47 with k = 5.

    Args:
        real, fake: features, (n, d) and (m, d).
        k: from 1 to one less than the smaller number of rows.

    Returns:
        `precision`, which spurious samples lower, and `recall`, which missing modes lower.

    Raises:
        ValueError: other ranks, different d, values that are not finite, or another `k`.

    References:
        Kynkaanniemi et al. 2019, eq. 1 and 2.
    """
    real, fake = _checks.two_sets(("real", "fake"), real, fake)
    k = whole("k", k, 1, min(len(real), len(fake)) - 1, ", less than the rows of each set")
    caught = Caught(nearest(real, None, k)[1][:, -1], nearest(fake, None, k)[1][:, -1])
    for tile in Pairs(real, fake).tiles():
        caught.look_at(tile)
    return caught.result()


class Caught:
    """Which points lie in balls of the other set, given the squared radii of both."""

    def __init__(self, real_radii: np.ndarray, fake_radii: np.ndarray) -> None:
        self.radii = real_radii, fake_radii
        self.real, self.fake = np.zeros(len(real_radii), bool), np.zeros(len(fake_radii), bool)

    def look_at(self, tile: Tile) -> None:
        self.fake[tile.columns] |= tile.within(self.radii[0], of_rows=True, closed=True).any(axis=0)
        self.real[tile.rows] |= tile.within(self.radii[1], of_rows=False, closed=True).any(axis=1)

    def result(self) -> PrecisionRecall:
        return PrecisionRecall(float(self.fake.mean()), float(self.real.mean()))
