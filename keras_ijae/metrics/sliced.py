"""The sliced Wasserstein distance."""

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks


def sliced_wasserstein(x: ArrayLike, y: ArrayLike, projections: int = 128, seed: int = 0) -> float:
    """sqrt(mean_theta W_2^2(theta.x, theta.y)) over random unit vectors theta; each W_2 is exact, by quantiles.

    A shift by delta costs |delta| / sqrt(d) in expectation.

    Args:
        x, y: (n, d) and (m, d); n and m may differ.
        projections: number of directions, uniform on the sphere.
        seed: of the directions, at least 0.

    Returns:
        A distance, in the unit of x, at least 0.

    Raises:
        ValueError: other ranks, different d, values that are not finite, fewer than one projection, or a seed below 0.

    References:
        Bonneel et al. 2015, definition 2; Rabin et al. 2011.
    """
    x, y = _checks.two_sets(("x", "y"), x, y, minimum=1)
    projections, seed = whole("projections", projections, 1), whole("seed", seed, 0)
    normals = np.random.default_rng(seed).normal(size=(x.shape[1], projections))
    directions = normals / np.linalg.norm(normals, axis=0)
    levels = np.union1d(np.arange(len(x) + 1) / len(x), np.arange(len(y) + 1) / len(y))
    middles, widths = (levels[:-1] + levels[1:]) / 2, np.diff(levels)
    first, second = (np.sort(a @ directions, axis=0)[(middles * len(a)).astype(int)] for a in (x, y))
    return float(np.sqrt(np.mean(widths @ (first - second) ** 2)))
