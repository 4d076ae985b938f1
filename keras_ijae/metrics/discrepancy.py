"""The maximum mean discrepancy of two samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import finite, real
from keras_ijae.checks import choice, number
from keras_ijae.metrics import _checks

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""The kernels that are summed, in units of the bandwidth (Tolstikhin et al. 2018)."""
_ROWS, _FOR_MEDIAN = 1024, 2000


def mmd(
    x: ArrayLike,
    y: ArrayLike,
    kernel: str = "imq",
    bandwidth: float | None = None,
    scales: Sequence[float] | None = None,
) -> float:
    """Unbiased MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j).

    0 in expectation if the distributions are equal, so it may be negative.

    Args:
        x, y: (n, d) and (m, d), for instance codes and samples of their prior.
        kernel: "imq", sum_s C s / (C s + |x - y|^2), or "rbf", sum_s exp(-|x - y|^2 / (C s)).
        bandwidth: C, a squared distance. None: for "imq" 2 d, the expected squared distance of two samples of N(0, I);
            for "rbf" twice the median squared distance between rows of the union (of up to 2,000 of them).
        scales: s, at least one; None: 0.1, 0.2, 0.5, 1, 2, 5 and 10 for "imq", 1 for "rbf".

    Raises:
        ValueError: fewer than two rows, other ranks, different d, values that are not finite, an unknown kernel,
            numbers that are not above 0, or, for "rbf" without a bandwidth, rows of which most are equal.

    References:
        Gretton et al. 2012, eq. 3; Tolstikhin et al. 2018, section 4 (the kernel's scales).
    """
    x, y = (array.astype(np.float64) for array in _checks.two_sets(("x", "y"), x, y))
    choice("kernel", kernel, ("imq", "rbf"))
    scales = _above_0("scales", (SCALES if kernel == "imq" else (1.0,)) if scales is None else scales)
    if bandwidth is not None:
        bandwidth = number("bandwidth", bandwidth, above=0)
    else:
        bandwidth = 2 * x.shape[1] if kernel == "imq" else 2 * _median(np.concatenate([x, y]))
    widths = _above_0("scales", scales * bandwidth)
    within = [(_sum(a, a, kernel, widths) - len(a) * len(widths)) / (len(a) * (len(a) - 1)) for a in (x, y)]
    return float(sum(within) - 2 * _sum(x, y, kernel, widths) / (len(x) * len(y)))


def _above_0(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as (s,), s >= 1, in float64."""
    array = finite(name, real(name, values).astype(np.float64))
    if array.ndim != 1 or not array.size or array.min() <= 0:
        raise ValueError(f"Argument `{name}` must be numbers above 0, at least one. Received: {array.tolist()!r:.200}")
    return array


def _sum(first: np.ndarray, second: np.ndarray, kernel: str, widths: np.ndarray) -> float:
    """Of the kernel over all pairs; a row with itself counts 1 for each width."""
    from scipy.spatial.distance import cdist

    total = 0.0
    for start in range(0, len(first), _ROWS):
        squares = cdist(first[start : start + _ROWS], second, "sqeuclidean")
        for width in widths:
            total += (np.exp(-squares / width) if kernel == "rbf" else width / (width + squares)).sum()
    return total


def _median(rows: np.ndarray) -> float:
    from scipy.spatial.distance import pdist

    few = rows[np.linspace(0, len(rows) - 1, min(len(rows), _FOR_MEDIAN)).astype(int)]
    median = float(np.median(pdist(few, "sqeuclidean")))
    if not median:
        raise ValueError(
            "Argument `bandwidth` is needed where most rows of `x` and `y` are equal: twice their median squared "
            "distance, 0, is none. Received: bandwidth=None"
        )
    return median
