"""Two distributions on common points: every divergence between them is then a weighted sum."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

from keras_ijae.lab import _quadrature
from keras_ijae.lab._supports import atoms, bounds, knots, log_mass, log_prob

_FAR = 1e150
_NEAR = 1e-290
ENOUGH = 1e-6
"""A density must integrate to 1 within this."""


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """log p and log q at points x, with weights such that sum w f(x) is the integral (or sum) of f; all (n,)."""

    x: np.ndarray
    log_p: np.ndarray
    log_q: np.ndarray
    weights: np.ndarray

    def total(self, terms: np.ndarray) -> float:
        """The integral of `terms`, (n,)."""
        return float(np.sum(self.weights * terms))

    def kl(self) -> float:
        return self.total(relative(self.log_p, self.log_q))

    def jensen_shannon(self) -> float:
        middle = np.logaddexp(self.log_p, self.log_q) - np.log(2)
        return self.total(relative(self.log_p, middle) + relative(self.log_q, middle)) / 2

    def total_variation(self) -> float:
        return self.total(np.abs(np.exp(self.log_p) - np.exp(self.log_q))) / 2

    def wasserstein(self) -> float:
        """Integral of |F - G|, each point with its mass."""
        masses = (np.exp(values) * self.weights for values in (self.log_p, self.log_q))
        return float(scipy.stats.wasserstein_distance(self.x, self.x, *masses))


@dataclasses.dataclass(frozen=True, eq=False)
class Line(Pair):
    """Two densities on the line, on the points of an adaptive rule of `panels`, (2, m): their ends."""

    panels: np.ndarray
    gap: Callable

    def total(self, terms: np.ndarray) -> float:
        """The integral, inf where its parts do not fall off towards an end of the line, or a bound."""
        with np.errstate(over="ignore"):
            return _summed((self.weights * terms).reshape(self.panels.shape[1], -1).sum(axis=1), self.panels)

    def wasserstein(self) -> float:
        """Integral of |F - G|, panels halved where F - G may change its sign.

        On a panel [a, b] the integral of F - G is (b - a) (F - G)(a) + integral of (b - x) (p - q); F - G is summed
        from the nearer end of the line, so that heavy tails keep their digits.
        """
        left, right = self.panels
        mass = (self.weights * np.exp(self.log_p)).reshape(len(left), -1).sum(axis=1)
        middle = right[min(np.searchsorted(np.cumsum(mass), 0.5), len(left) - 1)]
        for _ in range(60):
            order = np.argsort(left)
            left, right = left[order], right[order]
            x, weights = _quadrature.nodes(left, right)
            gap = self.gap(x.ravel()).reshape(x.shape)
            difference, variation = (weights * gap).sum(axis=1), (weights * np.abs(gap)).sum(axis=1)
            below = np.concatenate([[0], np.cumsum(difference)[:-1]])
            above = -np.cumsum(difference[::-1])[::-1]
            start = np.where(right <= middle, below, above)
            parts = np.abs((right - left) * start + (weights * (right[:, None] - x) * gap).sum(axis=1))
            unsure = (np.abs(start) < variation) & ((right - left) * variation > 1e-13 * parts.sum())
            if not unsure.any():
                break
            new_left, new_right = _quadrature.halves(left[unsure], right[unsure])
            left, right = np.append(left[~unsure], new_left), np.append(right[~unsure], new_right)
        return _summed(parts, np.stack([left, right]))


def on_atoms(p: Any, q: Any) -> Pair:
    """Two discrete distributions of numbers on all the points of either."""
    x = np.union1d(atoms("p", p), atoms("q", q))
    logs = [log_mass(distribution, x) for distribution in (p, q)]
    for name, values in zip("pq", logs, strict=True):
        mass = np.exp(values).sum()
        _check_mass(name, mass)
        values -= np.log(mass)
    return Pair(x, *logs, np.ones(len(x)))


def on_line(p: Any, q: Any) -> Line:
    """Two densities on the line, on points dense enough for all divergences between them."""
    ends = [bounds(p), bounds(q)]

    def densities(x: np.ndarray) -> list[np.ndarray]:
        pairs = zip((p, q), ends, strict=True)
        return [np.where((x > end[0]) & (x < end[-1]), log_prob(d, x), -np.inf) for d, end in pairs]

    def gap(x: np.ndarray) -> np.ndarray:
        return np.subtract(*np.exp(densities(x)))

    panels = _quadrature.refined(lambda x: _integrands(*densities(x)), _edges(np.concatenate(ends), p, q))
    x, weights = (values.ravel() for values in _quadrature.nodes(*panels))
    log_p, log_q = densities(x)
    for name, values in (("p", log_p), ("q", log_q)):
        _check_mass(name, float(np.sum(weights * np.exp(values))))
    return Line(x, log_p, log_q, weights, np.stack(panels), gap)


def relative(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """p (log p - log q), with 0 log 0 = 0 and inf where q vanishes and p does not."""
    p = np.exp(log_p)
    with np.errstate(invalid="ignore"):
        return np.where(p > 0, p * (log_p - log_q), 0)


def _integrands(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    p, q, middle = np.exp(log_p), np.exp(log_q), np.logaddexp(log_p, log_q)
    directions = [relative(log_p, log_q), relative(log_q, log_p), relative(log_p, middle), relative(log_q, middle)]
    return np.stack([p, q, np.abs(p - q), *directions])


def _edges(ends: np.ndarray, p: Any, q: Any) -> np.ndarray:
    """Panels to begin with: quantiles and bounds, and beyond them distances that grow (or shrink) fourfold."""
    finite = ends[np.isfinite(ends)]
    inner = np.unique(np.concatenate([knots(p), knots(q), finite]))
    inner = inner[np.isfinite(inner)]
    spread = max(inner[-1] - inner[0], 1e-12 * np.abs(inner).max(), _NEAR)
    outward = spread * 4.0 ** np.arange(np.log(_FAR / max(spread, 1)) / np.log(4))
    inward = spread * 4.0 ** -np.arange(1, np.log(spread / _NEAR) / np.log(4))
    near = [bound + sign * inward for bound in finite for sign in (-1, 1)]
    edges = np.unique(np.concatenate([inner[0] - outward, inner, inner[-1] + outward, *near]))
    return edges[(edges >= ends.min()) & (edges <= ends.max())]


def _summed(parts: np.ndarray, panels: np.ndarray) -> float:
    """Sum over panels, or inf: towards each end, where panels grow or shrink fourfold, the parts must fall.

    They are compared eight panels from the end, since the last ones lack what lies beyond, or are too narrow.
    """
    total = parts.sum()
    for outer, inner in (parts[7:9], parts[-8:-10:-1]):
        if outer > 1e-9 * np.abs(parts).sum() and outer > 0.97 * inner:
            return float("inf")
    return float(total)


def _check_mass(name: str, mass: float) -> None:
    if not abs(mass - 1) <= ENOUGH:
        raise ValueError(
            f"Argument `{name}` must have probabilities that sum to 1, and a density that quadrature can follow. "
            f"Received: a total of {mass:.9g}"
        )
