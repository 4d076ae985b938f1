"""Inference in a mixture of Gaussians on the line: the exact bound log p(x) = L + KL, and the EM algorithm."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from keras_ijae.checks import instance, whole
from keras_ijae.lab._checks import ENOUGH, of_rank, sized
from keras_ijae.lab.gaussian_mixture import GaussianMixture


@dataclasses.dataclass(frozen=True, eq=False)
class Bound:
    """Of each observation, (n,), in nats: log p(x) = elbo + kl, with kl = KL(q(z) || p(z | x)) >= 0."""

    log_evidence: np.ndarray
    elbo: np.ndarray
    kl: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class LatentFit:
    """A fitted model and its q.

    Attributes:
        model: the mixture.
        q: (n, k), q(z | x_n) of the data.
        log_evidence, elbo: (steps + 1,), means over the data in nats, at the start and after each step.
        encoder: maps x (n,) to q(z | x) (n, k).
    """

    model: GaussianMixture
    q: np.ndarray
    log_evidence: np.ndarray
    elbo: np.ndarray
    encoder: Callable


def posterior(model: GaussianMixture, x: ArrayLike) -> np.ndarray:
    """p(z = k | x_n), (n, k), of x (n,): the E-step."""
    joint = _log_joint(model, of_rank("x", x, 1))
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


def evidence_bound(model: GaussianMixture, x: ArrayLike, q: ArrayLike) -> Bound:
    """log p(x), L = E_q log p(x, z) - E_q log q(z), and KL(q || p(z | x)), each from its own definition.

    Args:
        model: a mixture of k components.
        x: (n,).
        q: (n, k), any probabilities; rows sum to 1.

    Raises:
        ValueError: rows that are not probabilities, other shapes, values that are not finite.

    References:
        Bishop: Pattern recognition and machine learning (2006), eqs 9.70 to 9.72.
    """
    log_joint = _log_joint(model, of_rank("x", x, 1))
    q = sized("q", q, *log_joint.shape)
    if q.min() < 0 or np.abs(q.sum(axis=1) - 1).max() > ENOUGH:
        raise ValueError(f"Argument `q` must have rows of probabilities that sum to 1. Received: sums {q.sum(axis=1)}")
    q = q / q.sum(axis=1, keepdims=True)
    log_posterior = log_joint - logsumexp(log_joint, axis=1, keepdims=True)
    return Bound(logsumexp(log_joint, axis=1), _minus_kl(q, log_joint), np.maximum(-_minus_kl(q, log_posterior), 0))


def expectation_maximisation(x: ArrayLike, start: GaussianMixture, steps: int) -> LatentFit:
    """EM: a free q_n(z) for each x_n, set to its posterior (E), then the weights, means and deviations (M).

    log p(x) never falls, and after each E-step the bound touches it. Components that share a point can shrink
    onto it without limit; a deviation is kept above 1e-3 of that of the data.

    Args:
        x: (n,), not all equal.
        start: the mixture to start from.
        steps: how many.

    Raises:
        ValueError: other shapes, values that are not finite, steps below 1, data that are all equal, or a start that is
            no `GaussianMixture`.

    References:
        Dempster, Laird & Rubin 1977; Neal & Hinton 1998.
    """
    x, model = spread(x), instance("start", start, GaussianMixture)
    least = 1e-3 * np.std(x)
    log_evidence, elbo = [], []
    for step in range(whole("steps", steps) + 1):
        q = posterior(model, x)
        bound = evidence_bound(model, x, q)
        log_evidence.append(bound.log_evidence.mean())
        elbo.append(bound.elbo.mean())
        if step < steps:
            model = _maximise(x, q, least)
    return LatentFit(model, q, np.array(log_evidence), np.array(elbo), lambda points: posterior(model, points))


def spread(x: ArrayLike) -> np.ndarray:
    """`x` as a float64 vector; ValueError unless it is finite and has two different values."""
    x = of_rank("x", x, 1)
    if np.ptp(x) == 0:
        raise ValueError(f"Argument `x` must not be all equal. Received: {len(x)} times {x[0]}")
    return x


def _log_joint(model, x):
    """log p(x_n, z = k), (n, k)."""
    instance("model", model, GaussianMixture)
    scaled = (x[:, None] - model.means) / model.stddevs
    with np.errstate(divide="ignore"):  # a component of weight 0
        return np.log(model.weights) - np.log(model.stddevs * np.sqrt(2 * np.pi)) - scaled**2 / 2


def _maximise(x, q, least) -> GaussianMixture:
    """The M-step."""
    counts = np.maximum(q.sum(axis=0), 1e-300)
    means = q.T @ x / counts
    variances = (q * (x[:, None] - means) ** 2).sum(axis=0) / counts
    return GaussianMixture(counts / counts.sum(), means, np.maximum(np.sqrt(variances), least))


def _minus_kl(q, log_target):
    """sum_k q log(target / q), where q = 0 adds nothing."""
    inside = q > 0
    return np.where(inside, q * (np.where(inside, log_target, 0) - np.log(np.where(inside, q, 1))), 0).sum(axis=1)
