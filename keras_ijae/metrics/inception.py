"""The Inception score of class probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks


@dataclass(frozen=True)
class InceptionScore:
    """`mean` and `std` (ddof = 0) over the splits; between 1 and the number of classes."""

    mean: float
    std: float


def inception_score(probabilities: ArrayLike, splits: int = 10) -> InceptionScore:
    """exp(mean_i KL(p(y|x_i) || p(y))), with p(y) the mean of a split; mean and deviation over splits.

    Splits are consecutive and differ by at most one row, so images in order of class must be shuffled first. A split
    with fewer rows than classes cannot reach the highest score: published ones use 50,000 images. The score never sees
    the data, and one image of each class, repeated, scores best.

    Args:
        probabilities: (n, classes), at least 0, rows that sum to 1 (within 1e-3).
        splits: from 1 to n.

    Raises:
        ValueError: another rank, rows that are no probabilities, values that are not finite, or other `splits`.

    References:
        Salimans et al. 2016, section 4; Barratt & Sharma 2018 (what it cannot say).
    """
    from scipy.special import rel_entr

    rows = _checks.rows("probabilities", probabilities, minimum=1).astype(np.float64)
    sums = rows.sum(axis=1)
    if rows.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        received = f"values from {float(rows.min())}, sums from {float(sums.min())} to {float(sums.max())}"
        raise ValueError(f"Argument `probabilities` must be at least 0 with rows that sum to 1. Received: {received}")
    splits = whole("splits", splits, 1, len(rows), ", the number of rows")
    bounds = [i * len(rows) // splits for i in range(splits + 1)]
    parts = (rows[start:stop] for start, stop in zip(bounds[:-1], bounds[1:], strict=True))
    scores = [np.exp(rel_entr(part, part.mean(axis=0)).sum(axis=1).mean()) for part in parts]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
