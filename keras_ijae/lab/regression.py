"""Bayesian linear regression whose weights' precision is unknown: variational, and exact by quadrature."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from keras_ijae.checks import number, whole
from keras_ijae.lab._checks import of_rank, sized


@dataclasses.dataclass(frozen=True, eq=False)
class VariationalRegression:
    """q(w) q(alpha) = N(w; mean, cov) Gamma(alpha; a, b), and how it came about.

    Attributes:
        elbo: (sweeps,), the bound in nats after each sweep; never falls but by rounding.
        mean, cov: (k,) and (k, k).
        a, b: shape and rate.
        converged: whether E[alpha] had settled to 1e-12 of itself.
    """

    elbo: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    a: float
    b: float
    converged: bool


@dataclasses.dataclass(frozen=True, eq=False)
class ExactRegression:
    """log p(targets) in nats, and the posterior's E[w] (k,) and E[alpha]."""

    log_evidence: float
    mean: np.ndarray
    precision: float


def variational_linear_regression(
    features: ArrayLike, targets: ArrayLike, beta: float, a0: float, b0: float, sweeps: int = 1000
) -> VariationalRegression:
    """Fits q(w) q(alpha) to p(w, alpha | targets) of the model

        t_n ~ N(w . phi_n, 1 / beta),  w ~ N(0, I / alpha),  alpha ~ Gamma(a0, b0).

    A sweep sets q(w), then q(alpha): S = (E[alpha] I + beta Phi'Phi)^-1, m = beta S Phi't, a = a0 + k / 2,
    b = b0 + (m.m + tr S) / 2, E[alpha] = a / b. The start is the prior's E[alpha] = a0 / b0.

    Args:
        features: Phi, (n, k).
        targets: t, (n,).
        beta: precision of the noise, above 0.
        a0, b0: shape and rate of alpha's prior, above 0.
        sweeps: at most so many; it stops before when converged.

    Raises:
        ValueError: numbers that are not above 0, other shapes, values that are not finite, or so large that their
            squares are not.

    References:
        Bishop: Pattern recognition and machine learning (2006), section 10.3, eqs 10.93 to 10.107.

    Example:
        >>> lines = [[1, -1], [1, 0], [1, 1]]
        >>> found = ki.lab.variational_linear_regression(lines, [-0.9, 0.1, 1.2], 4.0, 1.0, 1.0)
        >>> found.elbo[-1].round(4).item()
        -3.8776
    """
    phi, t, beta, a0, b0 = _checked(features, targets, beta, a0, b0)
    gram, size = phi.T @ phi, phi.shape[1]
    a, expected, elbo, converged = a0 + size / 2, a0 / b0, [], False
    for _ in range(whole("sweeps", sweeps)):
        cov = np.linalg.inv(expected * np.eye(size) + beta * gram)
        mean = beta * cov @ (phi.T @ t)
        b = b0 + (mean @ mean + np.trace(cov)) / 2
        elbo.append(_elbo(phi, t, beta, a0, b0, mean, cov, a, b))
        converged, expected = bool(abs(a / b - expected) <= 1e-12 * expected), a / b
        if converged:
            break
    return VariationalRegression(np.array(elbo), mean, cov, a, float(b), converged)


def exact_linear_regression(
    features: ArrayLike, targets: ArrayLike, beta: float, a0: float, b0: float
) -> ExactRegression:
    """The exact counterpart of `variational_linear_regression`: w in closed form, log alpha by the trapezoidal rule.

    Given alpha, the targets are N(0, I / beta + Phi Phi' / alpha); a singular value decomposition of Phi makes that
    a product for all alpha at once.

    Args and errors: as there.
    """
    phi, t, beta, a0, b0 = _checked(features, targets, beta, a0, b0)
    left, d, right = np.linalg.svd(phi, full_matrices=False)
    along = left.T @ t
    across = np.sum((t - left @ along) ** 2)

    def log_joint(u):  # log p(t, u) with u = log alpha
        variances = 1 / beta + d**2 * np.exp(-u)[:, None]
        fits = -(np.log(2 * np.pi * variances) + along**2 / variances).sum(axis=1) / 2
        rest = (len(t) - len(d)) / 2 * np.log(beta / (2 * np.pi)) - beta / 2 * across
        return fits + rest + a0 * np.log(b0) - gammaln(a0) + a0 * u - b0 * np.exp(u)

    u = _support(log_joint, np.log((a0 + 800) / b0))
    values = log_joint(u)
    posterior = np.exp(values - values.max())
    shrunk = (d * along) / (np.exp(u)[:, None] / beta + d**2)  # E[w | t, alpha] in the basis of `right`
    weights = posterior / posterior.sum()
    log_evidence = values.max() + np.log(posterior.sum() * (u[1] - u[0]))
    return ExactRegression(float(log_evidence), right.T @ (weights @ shrunk), float(weights @ np.exp(u)))


def _support(log_density, highest: float) -> np.ndarray:
    """20,001 equally spaced points over where `log_density` is within 50 of its maximum, below `highest`."""
    coarse = np.linspace(highest - 500, highest, 20_001)
    values = log_density(coarse)
    inside = coarse[values > values.max() - 50]
    step = coarse[1] - coarse[0]
    return np.linspace(inside[0] - step, inside[-1] + step, 20_001)


def _elbo(phi, t, beta, a0, b0, mean, cov, a, b) -> float:
    """E log p(t, w, alpha) - E log q(w) - E log q(alpha), Bishop's 10.107."""
    size, expected, log_expected = len(mean), a / b, digamma(a) - np.log(b)
    residual = np.sum((t - phi @ mean) ** 2) + np.sum(phi @ cov * phi)
    likelihood = len(t) / 2 * np.log(beta / (2 * np.pi)) - beta / 2 * residual
    prior = size / 2 * (log_expected - np.log(2 * np.pi)) - expected / 2 * (mean @ mean + np.trace(cov))
    hyperprior = a0 * np.log(b0) - gammaln(a0) + (a0 - 1) * log_expected - b0 * expected
    entropy = np.linalg.slogdet(cov)[1] / 2 + size / 2 * (1 + np.log(2 * np.pi))
    return float(likelihood + prior + hyperprior + entropy + gammaln(a) - (a - 1) * digamma(a) - np.log(b) + a)


def _checked(features, targets, beta, a0, b0):
    phi = of_rank("features", features, 2)
    numbers = (number(name, value, above=0) for name, value in {"beta": beta, "a0": a0, "b0": b0}.items())
    t, (beta, a0, b0) = sized("targets", targets, len(phi)), numbers
    for name, values in (("features", phi), ("targets", t)):
        with np.errstate(over="ignore"):
            squares = beta * np.sum(values**2)  # no entry of beta Phi'Phi, nor the misfit of w = 0, is larger
        if np.isinf(squares):
            largest = np.abs(values).max()
            raise ValueError(
                f"Argument `{name}` must have squares whose sum times beta is finite in float64. "
                f"Received: entries up to {largest:g}, beta={beta:g}"
            )
    return phi, t, beta, a0, b0
