"""Codes: how correlated their dimensions are, and which are in use."""

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import real
from keras_ijae.checks import choice, number
from keras_ijae.metrics import _checks

THRESHOLDS = {"mask": 0.1, "posterior_mean": 1e-2, "stddev": 0.1}
"""What a dimension must have to be active, by definition."""


def nac(codes: ArrayLike, active: ArrayLike | None = None, kind: str = "correlation") -> float:
    """Mean over pairs of active dimensions i != j of |corr(z_i, z_j)|, or of |cov(z_i, z_j)|.

    Independent codes do not score 0 but about sqrt(2 / (pi n)): 0.0080 for n = 10,000. Covariances depend on the scale
    of the codes.

    Args:
        codes: of held-out data, (n, m).
        active: which dimensions count, (m,) booleans as from `active_dimensions`; None for all.
        kind: "correlation" or "covariance" (ddof = 1).

    Raises:
        ValueError: another rank, values that are not finite, fewer than two active dimensions, or an active one that
            is constant, which has no correlation.

    References:
        Mondal et al. 2020, table 2 (normalised absolute correlation; the text leaves the formula open).
    """
    codes = _checks.rows("codes", codes).astype(np.float64)
    choice("kind", kind, ("correlation", "covariance"))
    chosen = np.flatnonzero(np.ones(codes.shape[1], bool) if active is None else _mask(active, codes.shape[1]))
    if len(chosen) < 2:
        raise ValueError(f"Argument `active` must leave at least two dimensions. Received: {len(chosen)}")
    codes = codes[:, chosen]
    _checks.warn_few("codes", *codes.shape, "the score is biased upwards")
    constant = chosen[np.ptp(codes, axis=0) == 0]
    if kind == "correlation" and len(constant):
        message = "Argument `codes` must vary in every active dimension (see `active_dimensions`)"
        raise ValueError(f"{message}. Received: constant dimensions {constant.tolist()}")
    matrix = np.corrcoef(codes, rowvar=False) if kind == "correlation" else np.cov(codes, rowvar=False)
    return float(np.abs(matrix[~np.eye(len(matrix), dtype=bool)]).mean())


def active_dimensions(values: ArrayLike, definition: str | None = None, threshold: float | None = None) -> np.ndarray:
    """Which dimensions of the code are in use; `.sum()` counts them.

    Args:
        values: by definition, the mask, (m,), the posteriors' means of data, (n, m), or codes of data, (n, m).
        definition: "mask", alpha_j >= threshold (0.1), of auto-encoders with a mask; "posterior_mean",
            Var_x(E[z_j | x]) > threshold (0.01), of variational ones; "stddev", std(z_j) > threshold (0.1), of those
            with deterministic codes. Deviations have ddof = 1. None: "mask" for (m,), "stddev" for (n, m).
        threshold: another one than the definition's own.

    Returns:
        (m,) booleans.

    Raises:
        ValueError: an unknown definition, another rank, or values or a threshold that are not finite.

    References:
        Mondal et al. 2020 (mask); Burda et al. 2016, section 5.1 (posterior mean).
    """
    values = real("values", values)
    definition = definition or ("mask" if values.ndim == 1 else "stddev")
    choice("definition", definition, tuple(THRESHOLDS))
    threshold = THRESHOLDS[definition] if threshold is None else threshold
    number("threshold", threshold)
    if definition == "mask":
        if values.ndim != 1:
            raise ValueError(f"Argument `values` must be a mask (m,). Received: shape {values.shape}")
        return _checks.rows("values", values[None], minimum=1)[0] >= threshold
    variances = _checks.rows("values", values).astype(np.float64).var(axis=0, ddof=1)
    return (variances if definition == "posterior_mean" else np.sqrt(variances)) > threshold


def _mask(active: ArrayLike, dimensions: int) -> np.ndarray:
    mask = np.asarray(active)
    if mask.dtype != bool or mask.shape != (dimensions,):
        received = f"{mask.dtype} of shape {mask.shape}"
        raise ValueError(f"Argument `active` must be booleans of shape ({dimensions},). Received: {received}")
    return mask
