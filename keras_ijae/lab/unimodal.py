"""One Gaussian for many modes: what each divergence makes of a mixture that the model cannot hold."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import scipy.optimize
import tensorflow as tf
import threadpoolctl
from numpy.typing import ArrayLike

from keras_ijae.checks import choice, instance, number
from keras_ijae.lab._checks import of_rank, probabilities, sized

OBJECTIVES = ("forward_kl", "reverse_kl", "jensen_shannon", "mmd")


@dataclasses.dataclass(frozen=True, eq=False)
class IsotropicMixture:
    """sum_k weights_k N(means_k, stddevs_k^2 I) in one or two dimensions.

    Attributes:
        weights: (k,), with sum 1.
        means: (k, d), d of 1 or 2.
        stddevs: (k,), above 0.

    Raises:
        ValueError: weights that do not sum to 1, standard deviations that are not positive, other shapes, NaN.
    """

    weights: ArrayLike
    means: ArrayLike
    stddevs: ArrayLike

    def __post_init__(self) -> None:
        weights, means = probabilities("weights", self.weights), of_rank("means", self.means, 2)
        stddevs = sized("stddevs", self.stddevs, len(weights))
        if means.shape not in ((len(weights), 1), (len(weights), 2)):
            raise ValueError(f"Argument `means` must have shape ({len(weights)}, 1 or 2). Received: {means.shape}")
        if stddevs.min() <= 0:
            raise ValueError(f"Argument `stddevs` must be positive. Received: {stddevs.tolist()}")
        for name, value in (("weights", weights), ("means", means), ("stddevs", stddevs)):
            object.__setattr__(self, name, value)

    def moments(self) -> tuple[np.ndarray, float]:
        """The mean (d,), and the root of the variance per dimension, averaged over the dimensions."""
        mean = self.weights @ self.means
        spread = self.stddevs**2 + ((self.means - mean) ** 2).mean(axis=1)
        return mean, float(np.sqrt(self.weights @ spread))


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianFit:
    """The Gaussian N(mean, stddev^2 I) at a local optimum, its value, and the `others`, best first."""

    value: float
    mean: np.ndarray
    stddev: float
    others: tuple["GaussianFit", ...] = ()


def fit_gaussian(objective: str, target: IsotropicMixture, bandwidth: float = 1.0) -> GaussianFit:
    """The isotropic Gaussian q nearest to a mixture p.

    `forward_kl`, KL(p || q): the moments of p, whatever lies between its modes. `reverse_kl`, KL(q || p): one mode,
    where modes are apart, with a local optimum at each. `jensen_shannon` (with its halves) lies between. `mmd`: the
    squared maximum mean discrepancy under the kernel exp(-||x - y||^2 / (2 bandwidth^2)), in closed form.

    The divergences are integrated by the trapezoid rule and lowered by L-BFGS-B, with gradients from TensorFlow, from
    the moments of p and from each of its components.

    Args:
        objective: `forward_kl`, `reverse_kl`, `jensen_shannon` or `mmd`.
        target: p.
        bandwidth: of the kernel of `mmd`, above 0, in the unit of x.

    Returns:
        `GaussianFit`; nats, or for `mmd` the square, without unit.

    Raises:
        ValueError: an unknown objective, a bandwidth that is not positive, a target that is no `IsotropicMixture`.

    References:
        Theis, van den Oord, Bethge: A note on the evaluation of generative models (2016), figure 1; Gretton et al.
        2012, eq. 2 (MMD).

    Example:
        >>> target = ki.lab.IsotropicMixture([0.5, 0.5], [[-3.0], [3.0]], [0.5, 0.5])
        >>> abs(ki.lab.fit_gaussian("reverse_kl", target).mean).round(3).tolist()  # one of the two
        [3.0]
    """
    choice("objective", objective, OBJECTIVES)
    bandwidth, target = number("bandwidth", bandwidth, above=0), instance("target", target, IsotropicMixture)
    lowered = _with_gradient(_Discrepancy(target, bandwidth) if objective == "mmd" else _Divergence(objective, target))
    fits = []
    with threadpoolctl.threadpool_limits(1, "blas"):  # SciPy's step is on few numbers; threads would cost tenfold
        for mean, stddev in (target.moments(), *zip(target.means, target.stddevs, strict=True)):
            fit = _descend(lowered, target, mean + 1e-3 * stddev, stddev)  # a little aside: symmetry holds saddles
            if all(_apart(fit, other) for other in fits):
                fits.append(fit)
    best, *others = sorted(fits, key=lambda fit: fit.value)
    return dataclasses.replace(best, others=tuple(others))


class _Divergence:
    """A KL or Jensen-Shannon divergence at (mean, log-variance), on a grid."""

    def __init__(self, objective: str, target: IsotropicMixture) -> None:
        self.objective = objective
        dimensions = target.means.shape[1]
        mean, stddev = target.moments()
        low = np.minimum(target.means.min(axis=0), mean) - 8 * stddev
        high = np.maximum(target.means.max(axis=0), mean) + 8 * stddev
        count = min(2**15 if dimensions == 1 else 2**9, int(np.ceil((high - low).max() / target.stddevs.min() * 5)))
        axes = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimensions)
        self.points = tf.constant(points)
        self.cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
        self.log_p = tf.reduce_logsumexp(
            [
                np.log(weight) + _log_gaussian(self.points, mean, 2 * np.log(stddev))
                for weight, mean, stddev in zip(target.weights, target.means, target.stddevs, strict=True)
            ],
            axis=0,
        )

    def __call__(self, point: tf.Tensor) -> tf.Tensor:
        log_p, log_q = self.log_p, _log_gaussian(self.points, point[:-1], point[-1])
        p, q = tf.exp(log_p), tf.exp(log_q)
        if self.objective == "forward_kl":
            return self.cell * tf.reduce_sum(p * (log_p - log_q))
        if self.objective == "reverse_kl":
            return self.cell * tf.reduce_sum(q * (log_q - log_p))
        log_m = tf.reduce_logsumexp([log_p, log_q], axis=0) - np.log(2)
        return self.cell * tf.reduce_sum(p * (log_p - log_m) + q * (log_q - log_m)) / 2


class _Discrepancy:
    """The squared MMD at (mean, log-variance): E k(x, x') - 2 E k(x, y) + E k(y, y'), each a Gaussian integral."""

    def __init__(self, target: IsotropicMixture, bandwidth: float) -> None:
        self.target, self.square = target, bandwidth**2
        self.constant = sum(
            a * b * self._kernel(m - n, s**2 + t**2)
            for (a, m, s), (b, n, t) in itertools.product(self._components(), repeat=2)
        )

    def __call__(self, point: tf.Tensor) -> tf.Tensor:
        mean, variance = point[:-1], tf.exp(point[-1])
        cross = sum(a * self._kernel(mean - m, variance + s**2) for a, m, s in self._components())
        return self.constant - 2 * cross + self._kernel(0 * mean, 2 * variance)

    def _components(self) -> list:
        return list(zip(self.target.weights, self.target.means, self.target.stddevs, strict=True))

    def _kernel(self, gap: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        """E k(x, y) of Gaussians whose means differ by `gap` and whose variances sum to `variance`."""
        total = self.square + variance
        power = self.target.means.shape[1] / 2
        return (self.square / total) ** power * tf.exp(-tf.reduce_sum(tf.square(gap)) / (2 * total))


def _log_gaussian(points: tf.Tensor, mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum((points - mean) ** 2, axis=1)
    return -squares * tf.exp(-log_variance) / 2 - points.shape[1] / 2 * (log_variance + np.log(2 * np.pi))


def _with_gradient(lowered: _Divergence | _Discrepancy) -> Callable:
    """For SciPy: point -> value, gradient."""

    @tf.function(autograph=False)
    def value_and_gradient(point: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = lowered(point)
        return value, tape.gradient(value, point)

    def both(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(tf.constant(point))
        return float(value), gradient.numpy()

    return both


def _descend(lowered: Callable, target: IsotropicMixture, mean: np.ndarray, stddev: float) -> GaussianFit:
    widest = 2 * np.log(2 * target.moments()[1])
    bounds = [(None, None)] * len(mean) + [(2 * np.log(target.stddevs.min() / 2), widest)]
    start = np.array([*mean, 2 * np.log(stddev)])
    options = {"ftol": 0, "gtol": 1e-10}
    found = scipy.optimize.minimize(lowered, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return GaussianFit(float(found.fun), found.x[:-1], float(np.exp(found.x[-1] / 2)))


def _apart(first: GaussianFit, second: GaussianFit) -> bool:
    return bool(np.abs(first.mean - second.mean).max() > 1e-3 or abs(first.stddev - second.stddev) > 1e-3)
