"""The evidence lower bound in three parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import finite, real
from keras_ijae.metrics import _checks

_NUMBERS = 2**22
_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class ElboTerms:
    """Nats per example: `elbo` = `reconstruction` - `mutual_information` - `marginal_kl`."""

    reconstruction: float
    mutual_information: float
    marginal_kl: float

    @property
    def elbo(self) -> float:
        """The bound itself, on the same codes."""
        return self.reconstruction - self.mutual_information - self.marginal_kl


def elbo_terms(
    log_likelihoods: ArrayLike,
    means: ArrayLike,
    stddevs: ArrayLike,
    codes: ArrayLike,
    log_priors: ArrayLike | None = None,
) -> ElboTerms:
    """E log p(x|z), I(x; z) and KL(q(z) || p(z)) from one code of each example.

    With q(z) = mean_n q(z | x_n) over the n examples: I = mean_i [log q(z_i | x_i) - log q(z_i)] and
    KL = mean_i [log q(z_i) - log p(z_i)]. Together they are exactly the ELBO's estimate from these codes. I is at most
    log n: near that value it only says that there are too few examples.

    Args:
        log_likelihoods: log p(x_i | z_i) in nats, (n,).
        means, stddevs: of the Gaussian posteriors q(z | x_i), (n, d) each; deviations above 0.
        codes: z_i ~ q(z | x_i), (n, d).
        log_priors: log p(z_i) in nats, (n,); None for N(0, I).

    Returns:
        The three terms, and their total as `elbo`.

    Raises:
        ValueError: shapes that do not agree, values that are not finite, or deviations that are not above 0.

    References:
        Hoffman & Johnson 2016, section 3 (ELBO surgery).
    """
    codes = _checks.rows("codes", codes).astype(np.float64)
    means, stddevs = _like("means", means, codes.shape), _like("stddevs", stddevs, codes.shape)
    if stddevs.min() <= 0:
        raise ValueError(f"Argument `stddevs` must be above 0. Received: a least value of {float(stddevs.min())}")
    log_priors = _log_normal(codes) if log_priors is None else _like("log_priors", log_priors, codes.shape[:1])
    likelihood = _like("log_likelihoods", log_likelihoods, codes.shape[:1]).mean()
    own = _log_normal((codes - means) / stddevs) - np.log(stddevs).sum(axis=1)
    aggregate = log_aggregate(codes, means, stddevs)
    return ElboTerms(float(likelihood), float((own - aggregate).mean()), float((aggregate - log_priors).mean()))


def log_aggregate(codes: ArrayLike, means: ArrayLike, stddevs: ArrayLike) -> np.ndarray:
    """(n,): log q(z) = log mean_m N(z; mean_m, stddev_m^2) of codes, in nats, in memory that n does not change.

    Args:
        codes: (n, d).
        means, stddevs: of the posteriors, (m, d) each; deviations above 0.
    """
    from scipy.special import logsumexp

    codes, means, stddevs = (np.asarray(values, np.float64) for values in (codes, means, stddevs))
    scaled, constants = means / stddevs, np.log(stddevs).sum(axis=1) + np.log(len(means))
    result, step = np.empty(len(codes)), max(1, _NUMBERS // means.size)
    for start in range(0, len(codes), step):
        gaps = codes[start : start + step, None] / stddevs - scaled
        result[start : start + step] = logsumexp(_log_normal(gaps) - constants, axis=1)
    return result


def _log_normal(values: np.ndarray) -> np.ndarray:
    """log N(values; 0, I) over the last axis."""
    return -0.5 * (np.einsum("...i,...i->...", values, values) + values.shape[-1] * _LOG_2PI)


def _like(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array = real(name, values).astype(np.float64)
    if array.shape != shape:
        raise ValueError(f"Argument `{name}` must have shape {shape}, as `codes` has. Received: shape {array.shape}")
    return finite(name, array)
