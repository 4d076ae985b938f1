"""The Frechet distance between Gaussians fitted to features."""

import warnings

import numpy as np
from numpy.typing import ArrayLike


def frechet_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), in float64.

    The covariances are unbiased (ddof = 1). The root is taken symmetrically, by eigenvalues of S1 and of
    S1^(1/2) S2 S1^(1/2), clipped at 0, which no rank deficiency breaks.

    Args:
        real, fake: features, (n, d) each, at least two rows; the numbers of rows may differ.

    Returns:
        The distance, at least 0, symmetric in its arguments.

    Raises:
        ValueError: fewer than two rows, other ranks, different d, or values that are not finite.

    References:
        Dowson & Landau 1982; Heusel et al. 2017, eq. 6.
    """
    real, fake = _features("real", real), _features("fake", fake)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"Arguments `real` and `fake` must have one d. Received: shapes {real.shape} and {fake.shape}")
    first, second = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (real, fake))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)).sum()
    means = np.sum((real.mean(axis=0) - fake.mean(axis=0)) ** 2)
    return float(max(means + np.trace(first) + np.trace(second) - 2 * cross, 0.0))


def _features(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(
            f"Argument `{name}` must have shape (n, d) with n of at least 2. Received: shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"Argument `{name}` must be finite. Received: {np.count_nonzero(~np.isfinite(array))} values that are not"
        )
    if len(array) <= array.shape[1]:
        warnings.warn(
            f"`{name}` has {len(array)} rows for {array.shape[1]} dimensions: the distance is biased upwards",
            stacklevel=3,
        )
    return array
