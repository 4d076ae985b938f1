"""Mean field for Gaussians against the lecture's numbers, the KL of TFP, and perturbations of the optimum."""

import numpy as np
import pytest

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab import forward_kl, mean_field_gaussian, moment_matching_gaussian

MEAN, COV = np.array([0.0, 1.0]), np.array([[1.0, 0.9], [0.9, 1.0]])


def gaussian(mean, cov):
    return tfp().distributions.MultivariateNormalTriL(mean, np.linalg.cholesky(cov))


def factorised(found):
    return gaussian(found.mean, np.diag(found.variance))


def problem(d):
    rng = np.random.default_rng(d)
    root = rng.normal(size=(d, d + 2))
    return rng.normal(size=d), root @ root.T


def test_ascent_from_2_and_minus_1_takes_the_steps_of_the_lecture():
    found = mean_field_gaussian(MEAN, COV, start=(2, -1), sweeps=3)
    expected = [(2, -1), (-1.8, -0.62), (-1.458, -0.3122), (-1.18098, -0.062882)]
    np.testing.assert_allclose(found.trace, expected, atol=1e-12)
    np.testing.assert_allclose(found.mean, expected[-1], atol=1e-12)
    np.testing.assert_allclose(found.variance, 0.19, atol=1e-12)
    shifted = mean_field_gaussian(MEAN + [1, 0], COV, start=(3, -1), sweeps=3)
    np.testing.assert_allclose(shifted.trace, np.add(expected, [1, 0]), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_too_few_sweeps_are_reported_in_whatever_unit(scale):
    """The last step is 0.19 * 0.81^(sweeps - 1) of the start's error, and the deviation sqrt(0.19)."""
    found = [mean_field_gaussian([0, 0], scale**2 * COV, (scale, scale), sweeps).converged for sweeps in (3, 90, 130)]
    assert found == [False, False, True]
    slow = mean_field_gaussian([0, 1], [[1, 0.9999], [0.9999, 1]])
    assert not slow.converged and abs(slow.mean[1] - 1) > 0.5


def test_both_directions_end_at_the_closed_forms_of_their_kl():
    p = gaussian(MEAN, COV)
    narrow, wide = factorised(mean_field_gaussian(MEAN, COV)), factorised(moment_matching_gaussian(MEAN, COV))
    np.testing.assert_allclose([forward_kl(narrow, p), forward_kl(p, wide)], 0.8303656034, atol=1e-10)
    np.testing.assert_allclose([forward_kl(p, narrow), forward_kl(wide, p)], 3.4327922913, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_no_other_factorised_gaussian_is_nearer_in_its_direction(d):
    mean, cov = problem(d)
    p, ascent, matched = gaussian(mean, cov), mean_field_gaussian(mean, cov), moment_matching_gaussian(mean, cov)
    np.testing.assert_allclose(ascent.mean, mean, atol=1e-8)
    best = forward_kl(factorised(ascent), p), forward_kl(p, factorised(matched))
    rng = np.random.default_rng(0)
    for _ in range(10):
        shift, stretch = 0.1 * rng.normal(size=d), np.exp(0.1 * rng.normal(size=d))
        others = [gaussian(q.mean + shift, np.diag(q.variance * stretch)) for q in (ascent, matched)]
        assert forward_kl(others[0], p) > best[0] and forward_kl(p, others[1]) > best[1]


@pytest.mark.parametrize("d", [2, 5])
def test_each_coordinate_is_the_conditional_mean_given_the_others(d):
    """By the partitioned covariance, which never forms the precision."""
    mean, cov = problem(d)
    start = np.arange(d) - 1.0
    found = mean_field_gaussian(mean, cov, start, sweeps=1)
    m = start.copy()
    for i in range(d):
        rest = np.arange(d) != i
        m[i] = mean[i] + cov[i, rest] @ np.linalg.solve(cov[np.ix_(rest, rest)], m[rest] - mean[rest])
        given = cov[i, i] - cov[i, rest] @ np.linalg.solve(cov[np.ix_(rest, rest)], cov[rest, i])
        np.testing.assert_allclose(found.variance[i], given, rtol=1e-8)
    np.testing.assert_allclose(found.trace, [start, m], rtol=1e-8)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((MEAN, [[1, 2], [2, 1]]), "`cov` must be positive definite. Received: smallest eigenvalue -1"),
        ((MEAN, [[1, 0.5], [0, 1]]), "`cov` must be symmetric. Received: entries that differ by 0.5"),
        ((MEAN, [[1, 1], [1, 1]]), "`cov` must be positive definite"),
        ((MEAN, np.eye(3)), r"`cov` must have shape \(2, 2\). Received: shape \(3, 3\)"),
        (([0, np.nan], COV), "`mean` must be finite"),
        ((MEAN, COV, (1, 2, 3)), r"`start` must have shape \(2,\)"),
        ((MEAN, COV, None, 0), "`sweeps` must be an integer >= 1"),
    ],
)
def test_bad_problems_are_refused_by_name_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        mean_field_gaussian(*arguments)
    if len(arguments) == 2:
        with pytest.raises(ValueError, match=message):
            moment_matching_gaussian(*arguments)
