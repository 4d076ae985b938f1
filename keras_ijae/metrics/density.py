"""Density and coverage: how many balls of the data hold a sample, and how many hold any."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks
from keras_ijae.metrics._distances import Pairs, Tile, nearest


@dataclass(frozen=True)
class DensityCoverage:
    """`density`, at least 0, about 1 for equal distributions, may be above; `coverage`, in [0, 1]."""

    density: float
    coverage: float


def density_coverage(real: ArrayLike, fake: ArrayLike, k: int = 5) -> DensityCoverage:
    """Balls around the real points, as far as their k-th nearest real one, and the generated samples inside.

    Density: the mean number of balls that hold a sample, over k. Coverage: the share of balls that hold a sample.
    Balls are open, as in the authors' code, by which a set scores a density of 1 against itself; a point is not its own
    neighbour. Distances are exact (float64) and take constant memory.

    Args:
        real, fake: features, (n, d) and (m, d).
        k: from 1 to n - 1.

    Returns:
        `density`, which spurious samples lower, and `coverage`, which missing modes lower.

    Raises:
        ValueError: other ranks, different d, values that are not finite, or another `k`.

    References:
        Naeem et al. 2020, eq. 4 and 5.
    """
    real, fake = _checks.two_sets(("real", "fake"), real, fake)
    k = whole("k", k, 1, len(real) - 1, ", less than the rows of `real`")
    held = Held(nearest(real, None, k)[1][:, -1], len(fake), k)
    for tile in Pairs(real, fake).tiles():
        held.look_at(tile)
    return held.result()


class Held:
    """How many of `samples` the balls of the data hold, given their squared radii."""

    def __init__(self, radii: np.ndarray, samples: int, k: int) -> None:
        self.radii, self.samples, self.k = radii, samples, k
        self.inside, self.covered = 0, np.zeros(len(radii), bool)

    def look_at(self, tile: Tile) -> None:
        inside = tile.within(self.radii, of_rows=True, closed=False)
        self.inside += int(np.count_nonzero(inside))
        self.covered[tile.rows] |= inside.any(axis=1)

    def result(self) -> DensityCoverage:
        return DensityCoverage(self.inside / (self.k * self.samples), float(self.covered.mean()))
