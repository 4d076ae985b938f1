"""Variational linear regression against reference digits, and against integrals over weight and precision on a grid."""

import numpy as np
import pytest
from scipy import stats

from keras_ijae.lab import exact_linear_regression, variational_linear_regression

X, T = np.array([-1, -0.5, 0, 0.5, 1, 1.5]), np.array([-0.9, -0.7, 0.1, 0.3, 1.2, 1.4])
PHI = np.stack([np.ones(6), X], axis=1)


def problem(n, k):
    rng = np.random.default_rng(10 * n + k)
    phi = rng.normal(size=(n, k))
    return phi, phi @ rng.normal(size=k) + 0.5 * rng.normal(size=n)


def test_the_fit_of_six_points_to_a_line_has_the_reference_digits():
    fit = variational_linear_regression(PHI, T, 4.0, 1.0, 1.0)
    assert fit.converged
    np.testing.assert_allclose(fit.elbo[:2], [-5.4964745839, -5.4934718715], atol=1e-10)
    np.testing.assert_allclose(fit.elbo[-1], -5.4934661530, atol=1e-10)
    np.testing.assert_allclose([fit.a, fit.b], [2, 1.4733418013], atol=1e-10)
    np.testing.assert_allclose(fit.mean, [0.0025025671, 0.9227568764], atol=1e-10)
    cov = [[0.0423925245, -0.0124944452], [-0.0124944452, 0.0528045622]]
    np.testing.assert_allclose(fit.cov, cov, atol=1e-10)
    exact = exact_linear_regression(PHI, T, 4.0, 1.0, 1.0)
    np.testing.assert_allclose(exact.log_evidence, -5.4720594974, atol=1e-10)
    np.testing.assert_allclose(exact.mean, [0.0018046302, 0.9239823864], atol=1e-10)
    np.testing.assert_allclose(exact.precision, 1.3848267666, atol=1e-10)


@pytest.mark.parametrize("beta, a0, b0", [(4.0, 1.0, 1.0), (0.5, 0.3, 2.0), (20.0, 3.0, 0.1)])
def test_bound_and_evidence_are_the_integrals_over_weight_and_precision(beta, a0, b0):
    """One weight: E_q log p(t, w, alpha) - E_q log q, and log p(t), by a grid over w and log alpha."""
    phi, t = problem(5, 1)
    fit, exact = (solve(phi, t, beta, a0, b0) for solve in (variational_linear_regression, exact_linear_regression))
    w, u = np.linspace(-12, 12, 4001)[:, None], np.linspace(-35, 10, 1501)
    log_p = stats.norm.logpdf(t, w * phi[:, 0], beta**-0.5).sum(axis=1)[:, None]
    log_p = log_p + stats.norm.logpdf(w, 0, np.exp(-u / 2)) + stats.gamma.logpdf(np.exp(u), a0, scale=1 / b0) + u
    log_q = (
        stats.norm.logpdf(w, fit.mean, fit.cov[0] ** 0.5) + stats.gamma.logpdf(np.exp(u), fit.a, scale=1 / fit.b) + u
    )
    integral = lambda values: np.trapezoid(np.trapezoid(values, u), w[:, 0])  # noqa: E731
    np.testing.assert_allclose(fit.elbo[-1], integral(np.exp(log_q) * (log_p - log_q)), atol=1e-6)
    joint = np.exp(log_p)
    np.testing.assert_allclose(exact.log_evidence, np.log(integral(joint)), atol=1e-5)
    np.testing.assert_allclose(exact.mean, integral(joint * w) / integral(joint), atol=1e-5)
    np.testing.assert_allclose(exact.precision, integral(joint * np.exp(u)) / integral(joint), rtol=1e-5)


@pytest.mark.parametrize("n, k", [(1, 1), (4, 9), (30, 3), (200, 20)])
@pytest.mark.parametrize("beta, a0, b0", [(1.0, 1.0, 1.0), (100.0, 1e-3, 1e-3), (0.01, 50.0, 0.1)])
def test_the_bound_never_falls_stays_below_the_evidence_and_ends_at_a_fixed_point(n, k, beta, a0, b0):
    phi, t = problem(n, k)
    fit, exact = (solve(phi, t, beta, a0, b0) for solve in (variational_linear_regression, exact_linear_regression))
    size = max(1.0, abs(fit.elbo[-1]))
    assert fit.converged and np.diff(fit.elbo).min(initial=0) >= -1e-12 * size
    assert fit.elbo[-1] <= exact.log_evidence + 1e-9 * size
    cov = np.linalg.inv(fit.a / fit.b * np.eye(k) + beta * phi.T @ phi)
    np.testing.assert_allclose(fit.cov, cov, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(fit.mean, beta * cov @ phi.T @ t, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose([fit.a, fit.b], [a0 + k / 2, b0 + (fit.mean @ fit.mean + np.trace(fit.cov)) / 2])


def test_a_precision_that_the_prior_fixes_leaves_ridge_regression_and_its_evidence():
    phi, t = problem(8, 3)
    exact = exact_linear_regression(phi, t, 2.0, 4e6, 1e6)  # alpha = 4 but for 0.05 %
    ridge = np.linalg.solve(2 * phi.T @ phi + 4 * np.eye(3), 2 * phi.T @ t)
    np.testing.assert_allclose(exact.mean, ridge, rtol=1e-5)
    evidence = stats.multivariate_normal.logpdf(t, cov=np.eye(8) / 2 + phi @ phi.T / 4)
    np.testing.assert_allclose(exact.log_evidence, evidence, atol=1e-5)
    np.testing.assert_allclose(variational_linear_regression(phi, t, 2.0, 4e6, 1e6).elbo[-1], evidence, atol=1e-5)


def test_too_few_sweeps_are_reported():
    fit = variational_linear_regression(PHI, T, 4.0, 1.0, 1.0, sweeps=2)
    assert not fit.converged and len(fit.elbo) == 2


@pytest.mark.parametrize("solve", [variational_linear_regression, exact_linear_regression])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ((PHI, T, 0.0, 1.0, 1.0), "`beta` must be a finite number > 0. Received: beta=0.0"),
        ((PHI, T, 1.0, -1.0, 1.0), "`a0` must be a finite number > 0. Received: a0=-1.0"),
        ((PHI, T, 1.0, 1.0, float("nan")), "`b0` must be a finite number > 0"),
        ((PHI, T[:5], 1.0, 1.0, 1.0), r"`targets` must have shape \(6,\). Received: shape \(5,\)"),
        ((X, T, 1.0, 1.0, 1.0), "`features` must have rank 2"),
        ((PHI * np.nan, T, 1.0, 1.0, 1.0), "`features` must be finite"),
        ((PHI * 1e200, T, 1.0, 1.0, 1.0), r"`features` must have squares .*Received: entries up to 1.5e\+200, beta=1"),
        ((PHI * 1e150, T, 1e12, 1.0, 1.0), r"`features` must have squares .*beta=1e\+12"),
        ((PHI, T * 1e200, 1.0, 1.0, 1.0), "`targets` must have squares"),
    ],
)
def test_bad_problems_are_refused_by_name_and_value(solve, arguments, message):
    with pytest.raises(ValueError, match=message):
        solve(*arguments)
