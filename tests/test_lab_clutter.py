"""The clutter problem against the sum over all assignments, and expectation propagation against its own fixed point."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from keras_ijae.lab import clutter_adf, clutter_ep, clutter_exact

X = (0.2, 1.4, 1.9, 2.3, 2.8, -3.0, 1.1, 2.6)
MODEL = {"w": 0.5, "background_var": 10.0, "prior_var": 100.0}
OTHER = {"w": 0.3, "background_var": 4.0, "prior_var": 2.0}
STUBBORN = (4.3, 0.1), {"w": 0.5, "background_var": 2.0, "prior_var": 20.0}


def enumerated(x, w, background_var, prior_var):
    """log p(x), mean and variance of theta: the mixture over which of the x are clutter."""
    x, logs, means, variances = np.array(x), [], [], []
    for signal in itertools.product((False, True), repeat=len(x)):
        signal = np.array(signal)
        seen, count = x[signal], signal.sum()
        log = count * np.log(1 - w) + stats.norm.logpdf(x[~signal], 0, background_var**0.5).sum()
        log += (len(x) - count) * np.log(w)
        if count:
            log += stats.multivariate_normal.logpdf(seen, np.zeros(count), np.eye(count) + prior_var)
        precision = count + 1 / prior_var
        logs.append(log), means.append(seen.sum() / precision), variances.append(1 / precision)
    shares, means = np.exp(logs - logsumexp(logs)), np.array(means)
    mean = shares @ means
    return logsumexp(logs), mean, shares @ (np.array(variances) + means**2) - mean**2


@pytest.mark.parametrize("x", [X, X[:3], (-40.0, 35.0), (0.0,) * 10])
@pytest.mark.parametrize("model", [MODEL, OTHER, {"w": 0.9, "background_var": 0.5, "prior_var": 1e4}])
def test_the_exact_posterior_is_the_sum_over_all_assignments(x, model):
    exact = clutter_exact(x, **model)
    log_evidence, mean, variance = enumerated(x, **model)
    np.testing.assert_allclose([exact.log_evidence, exact.mean], [log_evidence, mean], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(exact.variance, variance, rtol=1e-8)


@pytest.mark.parametrize("x, prior_var", [((1.0,), 1e-12), ((1.0, -3.0, 50.0), 1e-4), ((2.0, 5.0), 1e8)])
def test_the_exact_posterior_keeps_its_digits_under_narrow_and_wide_priors(x, prior_var):
    model = {"w": 0.3, "background_var": 10.0, "prior_var": prior_var}
    exact = clutter_exact(x, **model)
    log_evidence, mean, variance = enumerated(x, **model)
    np.testing.assert_allclose([exact.log_evidence, exact.mean], [log_evidence, mean], rtol=1e-8)
    np.testing.assert_allclose(exact.variance, variance, rtol=1e-8)


@pytest.mark.parametrize(
    "x, prior_var, message",
    [
        ((1.0, 2.0), 1e12, r"4194304 .* x from 1 to 2 and prior_var=1e\+12"),
        ((1e8,), 1.0, r"x from 1e\+08 .*prior_var=1,"),
    ],
)
def test_a_posterior_that_no_grid_holds_is_refused(x, prior_var, message):
    with pytest.raises(ValueError, match=message):
        clutter_exact(x, w=0.3, background_var=10.0, prior_var=prior_var)


def test_expectation_propagation_and_one_pass_have_the_reference_digits():
    ep, adf = clutter_ep(X, **MODEL), clutter_adf(X, **MODEL)
    assert ep.converged
    found = ep.log_evidence, ep.mean, ep.variance
    np.testing.assert_allclose(found, (-17.6007599127, 1.8719075785, 0.3102923505), rtol=0, atol=2e-10)
    np.testing.assert_allclose(ep.sites[0, 0], -0.1627, atol=5e-5)
    np.testing.assert_allclose([adf.mean, adf.variance], [1.62870913, 4.88141257], atol=1e-8)
    np.testing.assert_allclose([ep.trace[0], ep.trace[1]], [(0, 100), (adf.mean, adf.variance)], rtol=1e-12)
    assert (ep.sites[:, 0] < 0).sum() == 2


@pytest.mark.parametrize("solve", [clutter_ep, clutter_adf, clutter_exact])
def test_one_observation_and_no_clutter_are_exact(solve):
    one = solve([2.0], **MODEL)
    found = np.exp(one.log_evidence), one.mean, one.variance
    np.testing.assert_allclose(found, (0.0711031088, 0.5419254225, 73.6831653589), atol=1e-9)
    clean = solve(X, w=0.0, background_var=10.0, prior_var=2.0)
    evidence = stats.multivariate_normal.logpdf(X, np.zeros(8), np.eye(8) + 2)
    found = clean.log_evidence, clean.mean, clean.variance
    np.testing.assert_allclose(found, (evidence, np.sum(X) / 8.5, 1 / 8.5), rtol=1e-9)
    noise = solve(X, w=1.0, background_var=10.0, prior_var=2.0)
    found = noise.log_evidence, noise.mean, noise.variance
    np.testing.assert_allclose(found, (stats.norm.logpdf(X, 0, 10**0.5).sum(), 0, 2), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("x, model", [(X, MODEL), (X, OTHER), (X[::-1], OTHER), ((3.0, 4.0, -1.0), OTHER)])
def test_at_the_fixed_point_each_tilted_posterior_has_the_moments_of_the_fit(x, model):
    """Tilted: the fit, with one Gaussian site replaced by the observation's likelihood, integrated on a grid."""
    fit = clutter_ep(x, **model)
    assert fit.converged
    theta = np.linspace(-80, 80, 160_001)
    np.testing.assert_allclose(
        fit.sites.sum(axis=0) + [1 / model["prior_var"], 0], [1 / fit.variance, fit.mean / fit.variance]
    )
    for value, (precision, shift) in zip(x, fit.sites, strict=True):
        signal = np.log(1 - model["w"]) + stats.norm.logpdf(value, theta, 1)
        clutter = np.log(model["w"]) + stats.norm.logpdf(value, 0, model["background_var"] ** 0.5)
        cavity = stats.norm.logpdf(theta, fit.mean, fit.variance**0.5) + precision * theta**2 / 2 - shift * theta
        tilted = np.exp(cavity + np.logaddexp(signal, clutter))
        tilted /= np.trapezoid(tilted, theta)
        mean = np.trapezoid(tilted * theta, theta)
        np.testing.assert_allclose(mean, fit.mean, atol=1e-6)
        np.testing.assert_allclose(np.trapezoid(tilted * (theta - mean) ** 2, theta), fit.variance, rtol=1e-6)


def test_where_it_runs_in_circles_that_is_reported_and_damping_helps():
    x, model = STUBBORN
    wild, damped = clutter_ep(x, **model), clutter_ep(x, **model, damping=0.3)
    assert not wild.converged and len(wild.trace) == 201
    assert damped.converged
    exact = clutter_exact(x, **model)
    assert abs(damped.mean - exact.mean) < 0.5 * exact.variance**0.5


def test_damping_and_the_order_of_the_data_change_the_way_and_not_the_end():
    plain, damped, turned = clutter_ep(X, **MODEL), clutter_ep(X, **MODEL, damping=0.5), clutter_ep(X[::-1], **MODEL)
    assert len(damped.trace) > len(plain.trace)
    for other in (damped, turned):
        assert other.converged
        found = [[fit.mean, fit.variance, fit.log_evidence] for fit in (other, plain)]
        np.testing.assert_allclose(*found, rtol=1e-8)
    assert not clutter_ep(X, **MODEL, sweeps=2).converged
    assert abs(clutter_adf(X[::-1], **MODEL).mean - clutter_adf(X, **MODEL).mean) > 0.01


@pytest.mark.parametrize(
    "change, message",
    [
        ({"w": 1.5}, r"`w` must be in \[0, 1\]. Received: w=1.5"),
        ({"w": float("nan")}, r"`w` must be in \[0, 1\]. Received: w=nan"),
        ({"background_var": 0.0}, "`background_var` must be a finite number > 0. Received: background_var=0.0"),
        ({"prior_var": -1.0}, "`prior_var` must be a finite number > 0. Received: prior_var=-1.0"),
        ({"x": [1.0, np.inf]}, "`x` must be finite"),
        ({"x": []}, "`x` must have rank 1 and not be empty"),
        ({"x": ["1.0", "a"]}, r"`x` must be an array of real numbers. Received: \['1.0', 'a'\]"),
        ({"x": [1.0, 2j]}, r"`x` must be an array of real numbers. Received: \[1.0, 2j\]"),
        ({"x": [[1.0], [1.0, 2.0]]}, "`x` must be an array of real numbers"),
        ({"x": None}, "`x` must be an array of real numbers. Received: None"),
    ],
)
@pytest.mark.parametrize("solve", [clutter_ep, clutter_adf, clutter_exact])
def test_bad_problems_are_refused_by_name_and_value(solve, change, message):
    with pytest.raises(ValueError, match=message):
        solve(**{"x": X, **MODEL, **change})


def test_bad_settings_are_refused_by_name_and_value():
    with pytest.raises(ValueError, match=r"`damping` must be in \(0, 1\]. Received: damping=0"):
        clutter_ep(X, **MODEL, damping=0)
    with pytest.raises(ValueError, match="`tolerance` must be a finite number > 0"):
        clutter_ep(X, **MODEL, tolerance=0.0)
