"""Expectation propagation for the clutter problem, assumed-density filtering, and the exact posterior.

The model: theta ~ N(0, prior_var), and each x_n ~ (1 - w) N(theta, 1) + w N(0, background_var): with probability w
an observation says nothing of theta.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import number, whole
from keras_ijae.lab._checks import of_rank

_MOST = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class ClutterFit:
    """A Gaussian for the posterior of theta.

    Attributes:
        mean, variance: of theta.
        log_evidence: the approximation of log p(x), in nats; nan where a cavity ended without a variance.
        converged: whether the last sweep changed no site by more than the tolerance.
        sites: (n, 2), what each observation adds to the precision, and to precision times mean; a negative precision
            is normal for outliers.
        trace: (sweeps + 1, 2), mean and variance of the prior and after each sweep.
    """

    mean: float
    variance: float
    log_evidence: float
    converged: bool
    sites: np.ndarray
    trace: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class ClutterPosterior:
    """The exact posterior: moments, log p(x) in nats, and its density (points,) on a grid (points,) of theta."""

    mean: float
    variance: float
    log_evidence: float
    grid: np.ndarray
    density: np.ndarray


def clutter_ep(
    x: ArrayLike,
    w: float,
    background_var: float,
    prior_var: float,
    *,
    damping: float = 1.0,
    sweeps: int = 200,
    tolerance: float = 1e-10,
) -> ClutterFit:
    """Expectation propagation: Gaussian sites refined in turn, x_1 first, each against the others' cavity.

    It need not converge: it may run in circles, or a cavity may lose its variance (the site is then passed over).
    `converged` says so; a damping below 1 often helps.

    Args:
        x: observations, (n,).
        w: probability of clutter, in [0, 1].
        background_var: variance of the clutter, above 0.
        prior_var: variance of theta's prior, above 0.
        damping: share of each change of a site that is made, in (0, 1]; 1 is undamped.
        sweeps: at most so many.
        tolerance: of the largest change of a site in one sweep, in units of the posterior's precision.

    Raises:
        ValueError: numbers out of range, other shapes, values that are not finite.

    References:
        Minka: Expectation propagation for approximate Bayesian inference (2001), section 3.2; Bishop 2006, section
        10.7.1 (eq. 10.215 to 10.217).

    Example:
        >>> found = ki.lab.clutter_ep([0.2, 1.4, 1.9], w=0.5, background_var=10.0, prior_var=100.0)
        >>> round(found.mean, 3)
        1.196
    """
    problem = x, w, background_var, prior_var = _checked(x, w, background_var, prior_var)
    number("damping", damping, above=0, most=1)
    sites, prior = np.zeros((len(x), 2)), np.array([1 / prior_var, 0.0])  # precision, precision times mean
    tolerance, trace, converged = number("tolerance", tolerance, above=0), [_moments(prior)], False
    for _ in range(whole("sweeps", sweeps)):
        change = _sweep(problem, prior, sites, damping)
        trace.append(_moments(prior + sites.sum(axis=0)))
        converged = bool(change <= tolerance)
        if converged:
            break
    mean, variance = trace[-1]
    log_evidence = _log_evidence(problem, prior, sites)
    return ClutterFit(float(mean), float(variance), log_evidence, converged, sites, np.array(trace))


def clutter_adf(x: ArrayLike, w: float, background_var: float, prior_var: float) -> ClutterFit:
    """Assumed-density filtering: one pass, each observation once, so the result depends on their order.

    It is the first sweep of `clutter_ep`; the log evidence is the sum of the predictive ones. Arguments as there.
    """
    x, w, background_var, prior_var = _checked(x, w, background_var, prior_var)
    states, log_evidence = [np.array([1 / prior_var, 0.0])], 0.0
    for value in x:
        log_z, state = _match(value, states[-1], w, background_var)
        log_evidence += log_z
        states.append(state)
    trace = np.array([_moments(states[0]), _moments(states[-1])])
    mean, variance = (float(moment) for moment in trace[-1])
    return ClutterFit(mean, variance, float(log_evidence), True, np.diff(states, axis=0), trace)


def clutter_exact(x: ArrayLike, w: float, background_var: float, prior_var: float) -> ClutterPosterior:
    """The exact posterior by the trapezoidal rule over theta; arguments as in `clutter_ep`.

    The steps are a sixth of 1 / sqrt(n + 1 / prior_var), which no mode is narrower than. The grid holds 12 standard
    deviations about the mean of each of the 2^n Gaussians: without an observation the prior, with some a deviation of
    at most 1 / sqrt(1 + 1 / prior_var) about a mean between 0 and n / (n + 1 / prior_var) of the outermost x.

    Raises:
        ValueError: as `clutter_ep`; a prior so wide, or observations so far apart, that this takes over 2^22 points.
    """
    x, w, background_var, prior_var = _checked(x, w, background_var, prior_var)
    precision = len(x) + 1 / prior_var
    means, width = x * len(x) / precision, 12 * (1 + 1 / prior_var) ** -0.5
    low = min(-12 * prior_var**0.5, means.min() - width)
    high = max(12 * prior_var**0.5, means.max() + width)
    count = (high - low) * 6 * precision**0.5 + 2
    if count > _MOST:
        raise ValueError(
            f"Arguments `x` and `prior_var` must lie on a grid of at most {_MOST} points. Received: x from {x.min():g} "
            f"to {x.max():g} and prior_var={prior_var:g}, which need {count:.3g}"
        )
    grid = np.linspace(low, high, int(count))
    log_joint = _log_normal(grid, prior_var)
    for value in x:
        log_joint = log_joint + _log_mixture(value, grid, 1.0, w, background_var)
    density = np.exp(log_joint - log_joint.max())
    mass = np.trapezoid(density, grid)
    density /= mass
    mean = np.trapezoid(grid * density, grid)
    variance = np.trapezoid((grid - mean) ** 2 * density, grid)
    return ClutterPosterior(float(mean), float(variance), float(log_joint.max() + np.log(mass)), grid, density)


def _sweep(problem, prior, sites, damping) -> float:
    """Refines each site in place; the largest change asked for, infinite if a cavity had no variance."""
    largest = 0.0
    for i, value in enumerate(problem[0]):
        total = prior + sites.sum(axis=0)
        cavity = total - sites[i]
        if cavity[0] <= 0:
            largest = np.inf
            continue
        change = _match(value, cavity, *problem[1:3])[1] - total
        largest = max(largest, abs(change[0]) / total[0], abs(change[1]) / total[0] ** 0.5)
        sites[i] += damping * change
    return largest


def _match(value, cavity, w, background_var):
    """log Z and the natural parameters of the Gaussian with the moments of cavity times likelihood."""
    m, v = _moments(cavity)
    log_z = _log_mixture(value, m, v + 1, w, background_var)
    share = (1 - w) * np.exp(_log_normal(value - m, v + 1) - log_z)  # that `value` is no clutter
    gain, error = v / (v + 1), value - m
    mean = m + share * gain * error
    variance = v - share * v * gain + share * (1 - share) * (gain * error) ** 2
    return log_z, np.array([1 / variance, mean / variance])


def _log_evidence(problem, prior, sites) -> float:
    """log of the integral of prior times sites, each scaled so that its integral against its cavity is right."""
    total = prior + sites.sum(axis=0)
    cavities = total - sites
    if (cavities[:, 0] <= 0).any():
        return float("nan")
    scales = sum(
        _match(value, cavity, *problem[1:3])[0] + _log_normaliser(cavity) - _log_normaliser(total)
        for value, cavity in zip(problem[0], cavities, strict=True)
    )
    return float(_log_normaliser(total) - _log_normaliser(prior) + scales)


def _log_normaliser(natural) -> float:
    """log of the integral of exp(-precision theta^2 / 2 + shift theta)."""
    precision, shift = natural
    return np.log(2 * np.pi / precision) / 2 + shift**2 / (2 * precision)


def _moments(natural) -> tuple[float, float]:
    return natural[1] / natural[0], 1 / natural[0]


def _log_mixture(value, mean, variance, w, background_var):
    with np.errstate(divide="ignore"):  # log 0 where w is 0 or 1
        signal, clutter = np.log1p(-w), np.log(w)
    return np.logaddexp(signal + _log_normal(value - mean, variance), clutter + _log_normal(value, background_var))


def _log_normal(x, variance):
    return -(np.log(2 * np.pi * variance) + x**2 / variance) / 2


def _checked(x, w, background_var, prior_var):
    variances = number("background_var", background_var, above=0), number("prior_var", prior_var, above=0)
    return of_rank("x", x, 1), number("w", w, least=0, most=1), *variances
