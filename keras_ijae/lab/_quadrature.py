"""Integrals over the line of integrands whose scales differ by many orders of magnitude."""

from collections.abc import Callable

import numpy as np

FINE, COARSE = np.polynomial.legendre.leggauss(20), np.polynomial.legendre.leggauss(10)
_DEPTH = 60


def nodes(left: np.ndarray, right: np.ndarray, rule: tuple = FINE) -> tuple[np.ndarray, np.ndarray]:
    """Points (m, k) and weights (m, k) of a Gauss-Legendre rule on each of the m panels."""
    points, weights = rule
    half = (right - left)[:, None] / 2
    return left[:, None] + half * (1 + points), half * weights


def refined(integrands: Callable, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Panels on which a rule of 20 points is right for all the integrands.

    A panel is halved until rules of 10 and of 20 points agree to 1e-14 + 1e-11 |integral|, the integral is not
    finite, or the panel is too narrow for float64.

    Args:
        integrands: maps x, (n,), to their values, (k, n).
        edges: increasing, (m + 1,): the panels to begin with.

    Returns:
        Left and right ends of the panels, in order.
    """
    left, right, done = edges[:-1], edges[1:], []
    for _ in range(_DEPTH):
        open_ = _unsettled(integrands, left, right)
        done.append(np.stack([left[~open_], right[~open_]]))
        left, right = halves(left[open_], right[open_])
        if not left.size:
            break
    panels = np.concatenate([*done, np.stack([left, right])], axis=1)
    return tuple(panels[:, np.argsort(panels[0])])


def halves(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each panel cut in two."""
    middle = left / 2 + right / 2
    return np.concatenate([left, middle]), np.concatenate([middle, right])


def _unsettled(integrands: Callable, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    fine, coarse = (_integrals(integrands, *nodes(left, right, rule)) for rule in (FINE, COARSE))
    with np.errstate(invalid="ignore"):
        settled = np.abs(fine - coarse) <= 1e-14 + 1e-11 * np.abs(fine)
    settled |= ~np.isfinite(fine) | ~np.isfinite(coarse)
    wide = right - left > 1e-10 * np.maximum(np.abs(left), np.abs(right)) + 1e-300
    return wide & ~settled.all(axis=0)


def _integrals(integrands: Callable, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    values = integrands(x.ravel()).reshape(-1, *x.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        return (values * weights).sum(axis=-1)
