"""Precision and recall of distributions: the curve of Sajjadi et al."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import real
from keras_ijae.checks import whole
from keras_ijae.metrics import _checks


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """A curve of `precision` and `recall`, (angles,) each, and two numbers that sum it up, all in [0, 1].

    `f_beta` is (largest F_8, largest F_1/8): the first weights recall, and missing modes lower it; the second weights
    precision, and spurious samples lower it. `recall_like` and `precision_like` are their names.
    """

    precision: np.ndarray
    recall: np.ndarray

    @property
    def recall_like(self) -> float:
        """The largest F_8."""
        return self._largest_f(8.0)

    @property
    def precision_like(self) -> float:
        """The largest F_1/8."""
        return self._largest_f(1 / 8)

    @property
    def f_beta(self) -> tuple[float, float]:
        """(`recall_like`, `precision_like`), the order in which the authors report them."""
        return self.recall_like, self.precision_like

    def _largest_f(self, beta: float) -> float:
        product, total = self.precision * self.recall, beta**2 * self.precision + self.recall
        return float(np.max((1 + beta**2) * product / np.maximum(total, 1e-300)))


def precision_recall_distribution(
    real: ArrayLike, fake: ArrayLike, clusters: int = 20, angles: int = 1001, runs: int = 10, seed: int = 0
) -> PrecisionRecallCurve:
    """Clusters both sets together by k-means and compares the clusters' shares; the curve is a mean over runs.

    Args:
        real, fake: features, (n, d) each, of equal n: else the clusters would follow the larger set.
        clusters: from 2 to 2 n.
        angles: points of the curve.
        runs: of k-means, each from 10 starts.
        seed: of k-means, at least 0; different seeds share no run.

    Raises:
        ValueError: sets of different size or d, other ranks, values that are not finite, or other numbers.

    Example:
        curve = precision_recall_distribution(real, fake)
        plt.plot(curve.recall, curve.precision)

    References:
        Sajjadi et al. 2018, eq. 7 and section 3.3; F_8 and F_1/8: section 4.
    """
    real, fake = _checks.two_sets(("real", "fake"), real, fake)
    if len(real) != len(fake):
        advice = f"take {min(len(real), len(fake))} rows of each"
        raise ValueError(f"`real` and `fake` must have one n ({advice}). Received: {len(real)} and {len(fake)} rows")
    clusters = whole("clusters", clusters, 2, 2 * len(real), ", the rows of both sets")
    runs, seed = whole("runs", runs, 1), whole("seed", seed, 0)
    both = np.concatenate([real, fake], dtype=np.float64)  # squares of diverged samples overflow in float32
    seeds = [int(np.random.SeedSequence([seed, run]).generate_state(1)[0]) for run in range(runs)]
    curves = [_curve_of_run(both, clusters, angles, each) for each in seeds]
    return PrecisionRecallCurve(*(np.mean(values, axis=0) for values in zip(*curves, strict=True)))


def prd_of_histograms(real: ArrayLike, fake: ArrayLike, angles: int = 1001) -> PrecisionRecallCurve:
    """The curve of two discrete distributions: precision sum_i min(lambda real_i, fake_i), recall precision / lambda.

    Args:
        real, fake: probabilities of the same states, (s,) each.
        angles: points of the curve, lambda = tan(angle), equally spaced between 0 and pi / 2.

    Raises:
        ValueError: other shapes, negative values or sums that are not 1 (within 1e-6), or fewer than 3 angles.

    References:
        Sajjadi et al. 2018, eq. 4 to 7.
    """
    real, fake = (_distribution(name, values) for name, values in (("real", real), ("fake", fake)))
    if real.shape != fake.shape:
        raise ValueError(f"`real` and `fake` must have one shape. Received: {real.shape} and {fake.shape}")
    tiny = 1e-10
    slopes = np.tan(np.linspace(tiny, np.pi / 2 - tiny, whole("angles", angles, 3)))
    precision = np.minimum(slopes[:, None] * real, fake).sum(axis=1)
    return PrecisionRecallCurve(*(np.clip(values, 0, 1) for values in (precision, precision / slopes)))


def _curve_of_run(both: np.ndarray, clusters: int, angles: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import threadpoolctl
    from sklearn.cluster import MiniBatchKMeans

    with threadpoolctl.threadpool_limits(1):  # several threads wait for each other on a machine that is used
        labels = MiniBatchKMeans(clusters, n_init=10, random_state=seed).fit(both).labels_
    shares = [np.bincount(half, minlength=clusters) / len(half) for half in np.split(labels, 2)]
    curve = prd_of_histograms(*shares, angles=angles)
    return curve.precision, curve.recall


def _distribution(name: str, values: ArrayLike) -> np.ndarray:
    array = real(name, values).astype(np.float64)
    if array.ndim != 1 or not array.size or not np.all(array >= 0) or abs(array.sum() - 1) > 1e-6:
        raise ValueError(f"Argument `{name}` must be probabilities (s,) that sum to 1. Received: {values!r}")
    return array
