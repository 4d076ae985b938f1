"""The toy of lambda-IJAE: a model of two Gaussians fitted to four, exactly, under each divergence."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import scipy.optimize
import threadpoolctl

from keras_ijae.checks import choice, instance, number, whole
from keras_ijae.lab._checks import sized
from keras_ijae.lab._mixture_objective import MixtureObjective
from keras_ijae.lab.gaussian_mixture import TOY, GaussianMixture

OBJECTIVES = ("forward_kl", "reverse_kl", "jensen_shannon", "jeffreys")
IDENTICAL = (
    "identical start: equal components get equal gradients and stay equal; what is found is a saddle, which any "
    "split of the means leaves"
)
BOUND = "a parameter at its bound: a component is running off, to infinite variance as a rule; take another start"
NO_MINIMUM = "not a strict minimum: the Hessian has an eigenvalue that is not positive"
LOCAL = "a local optimum: the minimum `others[0]`, in another basin, is lower"


@dataclasses.dataclass(frozen=True, eq=False)
class MixtureFit:
    """A local optimum; the components are ordered by their means.

    Attributes:
        value: of the objective, in nats.
        means, stddevs: (2,) each.
        basin: for each component of the model the indices of the target's components it is responsible for, that
            is, to whose mean it gives the higher density. Of the text's target, branch A ("both broaden") is
            `((0, 1), (2, 3))` and branch C ("spike and rest") `((0, 1, 2), (3,))`.
        eigenvalues: of the Hessian in (mean, log-variance) of both components, (4,), ascending.
        pitfall: which of the known pitfalls applies, in words, or None.
        others: the other strict minima that the restarts found, best first; theirs are empty.
    """

    value: float
    means: np.ndarray
    stddevs: np.ndarray
    basin: tuple[tuple[int, ...], tuple[int, ...]]
    eigenvalues: np.ndarray
    pitfall: str | None = None
    others: tuple["MixtureFit", ...] = ()

    @property
    def strict_minimum(self) -> bool:
        """Whether all eigenvalues of the Hessian are positive."""
        return bool(self.eigenvalues[0] > 1e-6)

    @property
    def mixture(self) -> GaussianMixture:
        """The fitted model."""
        return GaussianMixture((0.5, 0.5), self.means, self.stddevs)


def fit_mixture(
    objective: str,
    lam: float | None = None,
    start: Sequence[float] | None = None,
    restarts: int = 24,
    target: GaussianMixture = TOY,
) -> MixtureFit:
    """The model q = N(m1, s1^2) / 2 + N(m2, s2^2) / 2 nearest to the target p under a divergence.

    `forward_kl` is KL(p || q), `reverse_kl` KL(q || p), `jensen_shannon` with its halves, `jeffreys`
    lam KL(p || q) + (1 - lam) KL(q || p). All are integrated by the trapezoid rule with log-sum-exp, fine enough for
    the least standard deviation that is allowed, and lowered by L-BFGS-B with gradients from TensorFlow, then by
    Newton's steps.

    The surface has pitfalls. (1) Basins: for the text's target and lam > 0.16675 a narrow component on the narrow
    mode beside one broad component (branch C) is better than two components that broaden (branch A), where most
    starts end. (2) Two components that start equal stay equal; under the forward KL they end in the moment match, a
    degenerate saddle. (3) A component may run to infinite variance, where a grid misses its mass and reports a value
    that is too low. Against (1), without `start`, many are tried: all pairs of moment matches of neighbouring
    components of the target, and random ones; the best of these are followed. What is met is named in `pitfall`: the
    end of a given `start` is compared with theirs, the Hessian is examined, and the parameters are bounded, on a grid
    that holds the mass of all models within.

    Args:
        objective: `forward_kl`, `reverse_kl`, `jensen_shannon` or `jeffreys`.
        lam: weight of the forward KL in [0, 1]; for `jeffreys`, and only there.
        start: (m1, log s1^2, m2, log s2^2): a local fit from there. Without it, the global optimum.
        restarts: how many starts to follow in search of the global optimum and the other minima, at least 1.
        target: p; by default the text's four components.

    Returns:
        `MixtureFit` with `value`, `means`, `stddevs`.

    Raises:
        ValueError: an unknown objective, `lam` missing, outside [0, 1] or where it does not belong, a start that is
            not four numbers within the bounds, a target that is no `GaussianMixture`.

    References:
        Alanov et al. 2019 (lambda-IJAE), the figure of the toy.

    Example:
        >>> ki.lab.fit_mixture("jeffreys", 0.3).means.round(5).tolist()
        [-0.28704, 8.00072]
        >>> ki.lab.fit_mixture("jeffreys", 0.3, start=(-3, 0, 3, 0)).means.round(5).tolist()
        [-3.19702, 3.35628]
    """
    lam = _weight(objective, lam)
    bounds = _bounds(instance("target", target, GaussianMixture))
    coarse, fine = (MixtureObjective(target, lam, bounds, per_width) for per_width in (1, 5))
    start, restarts = _checked_start(start, bounds), whole("restarts", restarts)
    with threadpoolctl.threadpool_limits(1, "blas"):  # SciPy's step is on four numbers; threads would cost tenfold
        given = [] if start is None else [_fit(fine, start)]
        ends = _distinct([_descend(coarse, point) for point in _promising(coarse, target, restarts)])
        found = sorted((_fit(fine, end) for end in ends), key=lambda fit: fit.value)
    best = (given or found)[0]
    others = tuple(fit for fit in found if fit.pitfall is None and _apart(fit, best))
    lower = others and others[0].value < best.value
    same = start is not None and start[0] == start[2] and start[1] == start[3]
    return dataclasses.replace(
        best, pitfall=IDENTICAL if same else best.pitfall or (LOCAL if lower else None), others=others
    )


def _weight(objective: str, lam: float | None) -> float | None:
    """The weight of the forward KL; None for the Jensen-Shannon divergence."""
    choice("objective", objective, OBJECTIVES)
    if (objective == "jeffreys") != (lam is not None):
        raise ValueError(f"Argument `lam` must be given for `jeffreys` alone. Received: {objective!r}, lam={lam}")
    if lam is not None:
        return number("lam", lam, least=0, most=1)
    return {"forward_kl": 1.0, "reverse_kl": 0.0}.get(objective)


def _bounds(target: GaussianMixture) -> np.ndarray:
    """Of (m1, log s1^2, m2, log s2^2), (4, 2); for the text's target about +-16 and -6 to 4."""
    mean, stddev = target.moments()
    pair = [
        (mean - 3 * stddev, mean + 3 * stddev),
        (2 * np.log(target.stddevs.min() / 4), 2 * np.log(stddev) + np.log(2)),
    ]
    return np.array(pair + pair)


def _checked_start(start: Sequence[float] | None, bounds: np.ndarray) -> np.ndarray | None:
    if start is None:
        return None
    start = sized("start", start, 4)
    if (start < bounds[:, 0]).any() or (start > bounds[:, 1]).any():
        shown = ", ".join(f"[{low:.2f}, {high:.2f}]" for low, high in bounds)
        raise ValueError(
            f"Argument `start` must be (mean, log-variance) twice, within {shown}. Received: {start.tolist()}"
        )
    return start


def _promising(objective: MixtureObjective, target: GaussianMixture, restarts: int) -> np.ndarray:
    """The starts of least value, (restarts, 4): half pairs of moment matches, half random."""
    order = np.argsort(target.means)
    order = order[target.weights[order] > 0]
    runs = [order[i:j] for i, j in itertools.combinations(range(len(order) + 1), 2)]
    matches = [(mean, 2 * np.log(stddev)) for mean, stddev in map(target.moments, runs)]
    pairs = np.array([first + second for first, second in itertools.combinations(matches, 2)] or [matches[0] * 2])
    pairs = pairs + [0, 0, 1e-3, 0]
    low, high = objective.bounds.T
    drawn = np.random.default_rng(0).uniform(low, high, (8 * len(pairs) + 200, 4))
    chosen = []
    for starts, count in ((pairs, (restarts + 1) // 2), (drawn, restarts // 2)):
        starts = np.clip(starts, low, high)
        values = np.array([objective.value_and_gradient(point)[0] for point in starts])
        chosen.append(starts[np.argsort(values)[:count]])
    return np.concatenate(chosen)


def _descend(objective: MixtureObjective, start: np.ndarray) -> np.ndarray:
    options = {"maxiter": 2000, "maxfun": 10_000, "ftol": 0, "gtol": 1e-9}
    return scipy.optimize.minimize(
        objective.value_and_gradient, start, jac=True, method="L-BFGS-B", bounds=objective.bounds, options=options
    ).x


def _distinct(points: list[np.ndarray]) -> list[np.ndarray]:
    """Those that differ by more than 0.01 in some parameter, however their components are ordered."""
    kept = []
    for point in (_ordered(point) for point in points):
        if all(np.abs(point - other).max() > 1e-2 for other in kept):
            kept.append(point)
    return kept


def _apart(first: MixtureFit, second: MixtureFit) -> bool:
    gaps = np.abs(first.means - second.means), np.abs(np.log(first.stddevs / second.stddevs))
    return bool(np.max(gaps) > 1e-3)


def _ordered(point: np.ndarray) -> np.ndarray:
    return point if point[0] <= point[2] else point[[2, 3, 0, 1]]


def _fit(objective: MixtureObjective, start: np.ndarray) -> MixtureFit:
    """The local optimum below `start`, and what stands against it."""
    point = _ordered(_descend(objective, start))
    for _ in range(3):
        gradient, hessian = objective.value_and_gradient(point)[1], objective.hessian(point)
        step = np.linalg.lstsq(hessian, gradient, rcond=1e-9)[0]
        if np.linalg.eigvalsh(hessian)[0] > 1e-6 and np.abs(step).max() < 1e-2:
            point = point - step
    at_bound = (np.abs(point[:, None] - objective.bounds) < 1e-6).any()
    eigenvalues = np.linalg.eigvalsh(objective.hessian(point))
    pitfall = BOUND if at_bound else None if eigenvalues[0] > 1e-6 else NO_MINIMUM
    value, _ = objective.value_and_gradient(point)
    means, stddevs = point[::2], np.exp(point[1::2] / 2)
    basin = _basin(objective.target, means, stddevs)
    return MixtureFit(max(float(value), 0.0), means, stddevs, basin, eigenvalues, pitfall)


def _basin(target: GaussianMixture, means: np.ndarray, stddevs: np.ndarray) -> tuple:
    logs = -(((target.means[:, None] - means) / stddevs) ** 2) / 2 - np.log(stddevs)
    nearest = logs.argmax(axis=1)
    return tuple(tuple(np.flatnonzero(nearest == component).tolist()) for component in (0, 1))
