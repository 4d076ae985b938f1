"""Optimal transport between finite distributions: exact plans, potentials, and the closed form on the line."""

import dataclasses

import numpy as np
import scipy.optimize
import scipy.sparse
import scipy.stats
from numpy.typing import ArrayLike

from keras_ijae.lab._checks import of_rank, probabilities, sized

_EXACT = {"presolve": False, "primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
"""Without presolve, which finds masses that differ by rounding infeasible."""


@dataclasses.dataclass(frozen=True, eq=False)
class Transport:
    """What `optimal_transport` found.

    Attributes:
        value: the least cost, sum of plan * cost.
        plan: (n, m), mass moved from i to j; rows sum to a, columns to b.
        potentials: u (n,) and v (m,) with u_i + v_j <= cost_ij everywhere and a.u + b.v = value.
    """

    value: float
    plan: np.ndarray
    potentials: tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Duality:
    """What `kantorovich_rubinstein` found: the value, the points (k, d), and the 1-Lipschitz function at each, (k,)."""

    value: float
    points: np.ndarray
    potential: np.ndarray


def wasserstein_1d(x: ArrayLike, a: ArrayLike, y: ArrayLike, b: ArrayLike) -> float:
    """W_1 of two finite distributions on the line: the integral of |F - G|, F and G their distribution functions.

    Args:
        x, a: points (n,) of the first in any order, repetitions allowed, and their probabilities (n,).
        y, b: those of the second, (m,).

    Raises:
        ValueError: weights that are negative or do not sum to 1, other shapes, values that are not finite.

    References:
        Vallender 1974.

    Example:
        >>> round(ki.lab.wasserstein_1d([0, 1, 3], [0.2, 0.5, 0.3], [-1, 0.5, 2, 4], [0.25] * 4), 3)
        0.925
    """
    a, b = probabilities("a", a), probabilities("b", b)
    x, y = sized("x", x, len(a)), sized("y", y, len(b))
    return float(scipy.stats.wasserstein_distance(x, y, a, b))


def optimal_transport(a: ArrayLike, b: ArrayLike, cost: ArrayLike) -> Transport:
    """The cheapest plan min <plan, cost> with marginals a and b, by SciPy's linear programme (HiGHS).

    The potentials are the programme's multipliers; a c-transform, v_j = min_i (cost_ij - u_i) and likewise u,
    makes them feasible to the last bit.

    Args:
        a, b: probabilities, (n,) and (m,).
        cost: (n, m), finite, of any sign.

    Returns:
        Value, plan and potentials; the value of the potentials is that of the plan to about 1e-12 of the costs.

    Raises:
        ValueError: weights that are negative or do not sum to 1 (so also masses that differ), other shapes, values that
            are not finite.

    References:
        Peyre & Cuturi: Computational optimal transport (2019), eqs 2.11, 2.20 and section 5.1 (c-transforms).

    Example:
        >>> round(ki.lab.optimal_transport([0.5, 0.5], [0.25, 0.75], [[0, 1], [1, 0]]).value, 5)
        0.25
    """
    a, b = probabilities("a", a), probabilities("b", b)
    cost = sized("cost", cost, len(a), len(b))
    scale = np.abs(cost).max() or 1.0
    found = scipy.optimize.linprog(
        cost.ravel() / scale, A_eq=_marginals(*cost.shape), b_eq=np.r_[a, b], method="highs", options=_EXACT
    )
    if found.status != 0:
        raise RuntimeError(f"The linear programme failed: {found.message}")
    plan = np.maximum(found.x.reshape(cost.shape), 0)
    u = scale * found.eqlin.marginals[: len(a)]
    v = np.min(cost - u[:, None], axis=0)
    u = np.min(cost - v, axis=1)
    return Transport(float(np.sum(plan * cost)), plan, (u, v))


def kantorovich_rubinstein(x: ArrayLike, a: ArrayLike, y: ArrayLike, b: ArrayLike) -> Duality:
    """W_1 from its dual: max over 1-Lipschitz f of E_a f(x) - E_b f(y), over the union of the points.

    Solved as a linear programme in the values of f with |f(p) - f(q)| <= ||p - q|| for every pair of points.

    Args:
        x, a: points (n, d) of the first and their probabilities (n,).
        y, b: those of the second, (m, d) and (m,).

    Raises:
        ValueError: as in `optimal_transport`.

    References:
        Villani: Optimal transport, old and new (2009), theorem 5.10 and eq. 5.11.
    """
    a, b, x, y = probabilities("a", a), probabilities("b", b), of_rank("x", x, 2), of_rank("y", y, 2)
    x, y = sized("x", x, len(a), x.shape[1]), sized("y", y, len(b), x.shape[1])
    points, index = np.unique(np.vstack([x, y]), axis=0, return_inverse=True)
    mass = np.bincount(index.ravel(), np.r_[a, -b], len(points))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    scale = distances.max() or 1.0
    found = scipy.optimize.linprog(
        -mass, A_ub=_differences(len(points)), b_ub=distances.ravel() / scale, bounds=(-1, 1), options=_EXACT
    )
    if found.status != 0:
        raise RuntimeError(f"The linear programme failed: {found.message}")
    potential = scale * (found.x - found.x[0])
    return Duality(float(mass @ potential), points, potential)


def _marginals(rows: int, columns: int) -> scipy.sparse.csr_array:
    """The matrix that takes a plan, row after row, to its two marginals."""
    of_rows = scipy.sparse.kron(scipy.sparse.eye_array(rows), np.ones((1, columns)))
    of_columns = scipy.sparse.kron(np.ones((1, rows)), scipy.sparse.eye_array(columns))
    return scipy.sparse.vstack([of_rows, of_columns]).tocsr()


def _differences(size: int) -> scipy.sparse.csr_array:
    """The matrix that takes f to f_i - f_j for all pairs, row after row."""
    ones, unit = np.ones((size, 1)), scipy.sparse.eye_array(size)
    return (scipy.sparse.kron(unit, ones) - scipy.sparse.kron(ones, unit)).tocsr()
