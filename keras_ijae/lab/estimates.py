"""Divergences from draws, each with its standard error."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.checks import choice, number, whole
from keras_ijae.lab._float64 import distributions_as_float64
from keras_ijae.lab._supports import factor, support

SAMPLES = 100_000
DIVERGENCES = ("forward_kl", "reverse_kl", "jensen_shannon", "jeffreys", "total_variation")


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean over draws (`value`) and its `standard_error`, in the divergence's unit (nats, but for the variation)."""

    value: float
    standard_error: float


def monte_carlo(
    divergence: str, p: Any, q: Any, lam: float | None = None, samples: int = SAMPLES, seed: int = 0
) -> Estimate:
    """A divergence of two distributions of TFP as means of functions of log p/q over draws of p and of q.

    With r = log p - log q: KL(p || q) = E_p r and KL(q || p) = -E_q r, whose standard error is only as good as
    the tails of r; JS = E_p[log 2 - softplus(-r)]/2 + E_q[log 2 - softplus(r)]/2, and
    TV = E_p|tanh(r/2)|/2 + E_q|tanh(r/2)|/2, whose terms are bounded.

    Args:
        divergence: one of `forward_kl`, `reverse_kl`, `jensen_shannon` (with its halves), `jeffreys`,
            `total_variation`.
        p, q: distributions with one event shape, any dimension, both discrete or both continuous.
        lam: for `jeffreys`, and only there: in [0, 1].
        samples: draws of each, at least 2.
        seed: the estimate is a function of it.

    Returns:
        `Estimate`; KL is inf, and its standard error nan, if a draw lies where the other distribution has no mass.

    Raises:
        ValueError: an unknown divergence, `lam` missing or where it does not belong, distributions that do not match.

    Example:
        >>> p, q = (tfd.MultivariateNormalDiag([mean, 0.0]) for mean in (0.0, 1.0))
        >>> found = ki.lab.monte_carlo("total_variation", p, q)  # exactly 0.383
        >>> abs(found.value - 0.383) < 3 * found.standard_error
        True
    """
    choice("divergence", divergence, DIVERGENCES)
    if (divergence == "jeffreys") != (lam is not None):
        raise ValueError(f"Argument `lam` must be given for `jeffreys` alone. Received: {divergence!r}, lam={lam}")
    whole("samples", samples, 2)
    p, q = distributions_as_float64(p, q)
    of_p, of_q = _log_ratio(p, q, p, samples, (seed, 0)), _log_ratio(p, q, q, samples, (seed, 1))
    if divergence == "forward_kl":
        return _mean(of_p)
    if divergence == "reverse_kl":
        return _mean(-of_q)
    if divergence == "jeffreys":
        lam = number("lam", lam, least=0, most=1)
        return _mean(*[w * r for w, r in ((lam, of_p), (lam - 1, of_q)) if w])
    if divergence == "jensen_shannon":
        return _mean((np.log(2) - np.logaddexp(0, -of_p)) / 2, (np.log(2) - np.logaddexp(0, of_q)) / 2)
    return _mean(np.abs(np.tanh(of_p / 2)) / 2, np.abs(np.tanh(of_q / 2)) / 2)


def _log_ratio(p: Any, q: Any, source: Any, samples: int, seed: tuple[int, int]) -> np.ndarray:
    x = source.sample(samples, seed=seed)
    return _log_prob(p, x) - _log_prob(q, x)


def _log_prob(distribution: Any, x: tf.Tensor) -> np.ndarray:
    """log p(x), (n,); -inf outside of the support, where TFP may have any number or an error."""
    points, one = x.numpy().astype(np.float64), factor(distribution)
    inside = np.clip(points, *support(one)) if one.event_shape.rank == 0 else points
    values = distribution.log_prob(tf.cast(inside, distribution.dtype)).numpy().astype(np.float64)
    outside = (inside != points).reshape(len(values), -1).any(axis=1)
    return np.where(outside | np.isnan(values), -np.inf, values)


def _mean(*parts: np.ndarray) -> Estimate:
    """The sum of the means of independent draws."""
    with np.errstate(invalid="ignore"):
        variance = sum(part.var(ddof=1) / len(part) for part in parts)
    return Estimate(float(sum(part.mean() for part in parts)), float(np.sqrt(variance)))
