"""A Gaussian approximated by independent ones, under either direction of the KL divergence."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.lab._checks import covariance, of_rank, sized


@dataclasses.dataclass(frozen=True, eq=False)
class FactorisedGaussian:
    """Independent Gaussians: mean (d,) and variance (d,)."""

    mean: np.ndarray
    variance: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class MeanField(FactorisedGaussian):
    """What coordinate ascent found.

    Attributes:
        trace: (sweeps + 1, d), the start and the means after each sweep; the last row is `mean`.
        converged: whether the last sweep moved no mean by more than 1e-10 of its factor's standard deviation.
    """

    trace: np.ndarray
    converged: bool


def mean_field_gaussian(
    mean: ArrayLike, cov: ArrayLike, start: ArrayLike | None = None, sweeps: int = 1000
) -> MeanField:
    """The q = prod_i N(m_i, v_i) of least KL(q || N(mean, cov)), by coordinate ascent.

    With the precision P = cov^-1, the best factor i given the others has v_i = 1 / P_ii and
    m_i = mean_i - sum_{j != i} P_ij (m_j - mean_j) / P_ii. A sweep updates m_1, m_2, ... in this order; the
    variances are right at once. Where correlations are strong the means come slowly: in two dimensions the error
    shrinks by the squared correlation per sweep; `converged` says whether they came.

    Args:
        mean: (d,).
        cov: (d, d), symmetric and positive definite.
        start: means to start from, (d,); zeros by default.
        sweeps: how many, at least 1.

    Raises:
        ValueError: a matrix that is not symmetric or not positive definite, other shapes, values that are not finite.

    References:
        Bishop: Pattern recognition and machine learning (2006), section 10.1.2, eqs 10.12 to 10.15.

    Example:
        >>> ki.lab.mean_field_gaussian([0, 1], [[1, 0.9], [0.9, 1]]).variance.round(5).tolist()
        [0.19, 0.19]
    """
    mean = of_rank("mean", mean, 1)
    precision = np.linalg.inv(covariance("cov", cov, len(mean)))
    m = np.zeros_like(mean) if start is None else sized("start", start, len(mean)).copy()
    trace = [m.copy()]
    for _ in range(whole("sweeps", sweeps)):
        for i, row in enumerate(precision):
            m[i] -= row @ (m - mean) / row[i]
        trace.append(m.copy())
    variance = 1 / np.diag(precision)
    converged = bool(np.all(np.abs(trace[-1] - trace[-2]) <= 1e-10 * np.sqrt(variance)))
    return MeanField(m, variance, np.stack(trace), converged)


def moment_matching_gaussian(mean: ArrayLike, cov: ArrayLike) -> FactorisedGaussian:
    """The q = prod_i N(m_i, v_i) of least KL(N(mean, cov) || q): it has the marginals' means and variances.

    Args:
        mean: (d,).
        cov: (d, d), symmetric and positive definite.

    Raises:
        ValueError: as in `mean_field_gaussian`.

    References:
        Bishop 2006, eq. 10.17.
    """
    mean = of_rank("mean", mean, 1)
    return FactorisedGaussian(mean.copy(), np.diag(covariance("cov", cov, len(mean))).copy())
