"""The kernel distance (KID): the maximum mean discrepancy of features under a cubic kernel."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks

_ROWS = 1024


@dataclass(frozen=True)
class KernelDistance:
    """`mean` of the squared discrepancy over the subsets, and their `std` (ddof = 0; NaN for one block).

    `std` is that of the value of one subset, not of `mean`.
    """

    mean: float
    std: float


def kernel_distance(
    real: ArrayLike, fake: ArrayLike, subsets: int = 100, subset_size: int | None = 1000, seed: int = 0
) -> KernelDistance:
    """Unbiased MMD^2 with k(x, y) = (x.y / d + 1)^3, in float64: mean and deviation over random subsets.

    Unlike the Frechet distance it has no bias from the number of samples, and it may be negative.

    Subsets have 1000 rows in the authors' code and may overlap. Its function takes 50 of them, its program and
    torch-fidelity 100, as here: the expectation is the same, the mean over more subsets is steadier. TF-GAN cuts both
    sets into disjoint blocks of at most 1024 rows instead: again the same expectation.

    Args:
        real, fake: features, (n, d) and (m, d).
        subsets: number of subsets of each set.
        subset_size: rows of a subset, all different; where there are fewer, all that the smaller set has are used,
            with a warning. None: one block of all pairs, `subsets` and `seed` unused.
        seed: of the choice of subsets, at least 0.

    Raises:
        ValueError: fewer than two rows, other ranks, different d, values that are not finite, other numbers.

    References:
        Binkowski et al. 2018, section 4; Gretton et al. 2012, eq. 3.
    """
    real, fake = (array.astype(np.float64) for array in _checks.two_sets(("real", "fake"), real, fake, power=6))
    if subset_size is None:
        within = [_mean_kernel(features, features, True) for features in (real, fake)]
        return KernelDistance(float(sum(within) - 2 * _mean_kernel(real, fake, False)), float("nan"))
    whole("subsets", subsets, 1)
    seed = whole("seed", seed, 0)
    size = min(whole("subset_size", subset_size, 2), len(real), len(fake))
    if size < subset_size:
        message = f"`subset_size` is {subset_size}, but a set has only {size} rows: subsets of {size} are used"
        warnings.warn(message, stacklevel=2)
    rng = np.random.default_rng(seed)
    draws = [_of_subset(*(x[rng.choice(len(x), size, replace=False)] for x in (real, fake))) for _ in range(subsets)]
    return KernelDistance(float(np.mean(draws)), float(np.std(draws)))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    products = first @ second.T
    products /= first.shape[1]
    products += 1
    return products * products * products


def _of_subset(real: np.ndarray, fake: np.ndarray) -> float:
    both, n = np.concatenate([real, fake]), len(real)
    kernel = _kernel(both, both)
    within = kernel[:n, :n].sum() + kernel[n:, n:].sum() - np.trace(kernel)
    return within / (n * (n - 1)) - 2 * kernel[:n, n:].mean()


def _mean_kernel(first: np.ndarray, second: np.ndarray, same: bool) -> float:
    """Mean over all pairs, of a row with itself excluded if the sets are the same."""
    total = sum(_kernel(first[start : start + _ROWS], second).sum() for start in range(0, len(first), _ROWS))
    if not same:
        return total / (len(first) * len(second))
    own = np.einsum("ij,ij->i", first, first) / first.shape[1] + 1
    return (total - np.sum(own**3)) / (len(first) * (len(first) - 1))
