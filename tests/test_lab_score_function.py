"""Gradient estimators against closed forms: their means, and their variances where f is quadratic."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab import quadratic_gradient_moments, reparameterised_gradients, score_function_gradients

SAMPLES = 200_000
ESTIMATORS = {"score_function": score_function_gradients, "reparameterised": reparameterised_gradients}


def diagonal(d):
    return lambda theta: tfp().distributions.MultivariateNormalDiag(theta[:, :d], theta[:, d:])


def check_mean(draws, gradient):
    error = draws.std(axis=0) / SAMPLES**0.5
    assert np.all(np.abs(draws.mean(axis=0) - gradient) < 5 * error)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("d", [1, 3])
def test_both_have_the_gradient_as_mean_and_the_variance_of_the_closed_form(name, d):
    """f(x) = x'Ax + b.x + c with an A that is not symmetric, with respect to means and deviations."""
    rng = np.random.default_rng(d)
    a, b, mean, stddev = rng.normal(size=(d, d)), rng.normal(size=d), rng.normal(size=d), rng.uniform(0.5, 2, d)
    function = lambda x: tf.einsum("ni,ij,nj->n", x, a, x) + tf.linalg.matvec(x, b) + 1.5  # noqa: E731
    moments = quadratic_gradient_moments(mean, stddev, a, b, 1.5)
    by_hand = np.r_[(a + a.T) @ mean + b, 2 * np.diag(a) * stddev]
    np.testing.assert_allclose(moments.gradient, by_hand, rtol=1e-12)
    draws = ESTIMATORS[name](function, diagonal(d), np.r_[mean, stddev], SAMPLES, seed=d)
    assert draws.shape == (SAMPLES, 2 * d)
    check_mean(draws, moments.gradient)
    squares = (draws - moments.gradient) ** 2
    error = squares.std(axis=0) / SAMPLES**0.5
    assert np.all(np.abs(squares.mean(axis=0) - getattr(moments, name)) < 5 * error)


def test_the_closed_forms_are_gauss_hermite_integrals():
    """Exact for these polynomials: both estimators typed out at 12 x 12 nodes."""
    rng = np.random.default_rng(0)
    a, b, mean, stddev = rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2), np.array([0.6, 1.7])
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    noise = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    weights = np.outer(weights, weights).ravel() / (2 * np.pi)
    x = mean + stddev * noise
    f, slope = np.einsum("ni,ij,nj->n", x, a, x) + x @ b - 0.8, x @ (a + a.T) + b
    estimates = {
        "score_function": f[:, None] * np.c_[noise, noise**2 - 1] / np.r_[stddev, stddev],
        "reparameterised": np.c_[slope, slope * noise],
    }
    moments = quadratic_gradient_moments(mean, stddev, a, b, -0.8)
    for name, values in estimates.items():
        np.testing.assert_allclose(weights @ values, moments.gradient, rtol=1e-10)
        variances = weights @ values**2 - (weights @ values) ** 2
        np.testing.assert_allclose(getattr(moments, name), variances, rtol=1e-10)


def test_for_the_squared_norm_the_variances_are_the_known_polynomials_of_the_dimension():
    """At mean 0, deviation 1: E (|x|^2 x_i)^2 = (d + 2)(d + 4) for the score function, 4 for reparameterisation."""
    for d in (1, 2, 10, 100):
        moments = quadratic_gradient_moments(np.zeros(d), np.ones(d), np.eye(d), np.zeros(d))
        np.testing.assert_allclose(moments.score_function[:d], (d + 2) * (d + 4))
        np.testing.assert_allclose(moments.reparameterised[:d], 4)


def test_a_constant_in_f_costs_only_the_score_function():
    plain, raised = (quadratic_gradient_moments([1.0], [1.0], [[1.0]], [0.0], constant) for constant in (0, 100))
    np.testing.assert_array_equal(plain.reparameterised, raised.reparameterised)
    np.testing.assert_array_equal(plain.gradient, raised.gradient)
    assert np.all(raised.score_function > 50 * plain.score_function)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_for_a_sine_both_have_the_derivatives_of_its_closed_form(name):
    """E sin x = sin(m) exp(-s^2 / 2)."""
    make = lambda theta: tfp().distributions.Normal(theta[:, 0], theta[:, 1])  # noqa: E731
    draws = ESTIMATORS[name](tf.sin, make, [0.7, 0.9], SAMPLES, seed=1)
    check_mean(draws, np.exp(-0.405) * np.array([np.cos(0.7), -0.9 * np.sin(0.7)]))


def test_the_score_function_serves_discrete_variables_and_reparameterisation_refuses_them():
    """E f of a coin with logit t: derivative p (1 - p) (f(1) - f(0))."""
    coin = lambda theta: tfp().distributions.Bernoulli(logits=theta[:, 0], dtype=tf.float64)  # noqa: E731
    function = lambda x: tf.where(x > 0, tf.constant(3.0, tf.float64), tf.constant(-1.0, tf.float64))  # noqa: E731
    p = 1 / (1 + np.exp(-0.4))
    check_mean(score_function_gradients(function, coin, [0.4], SAMPLES, seed=0), p * (1 - p) * 4)
    with pytest.raises(ValueError, match="`make` must make a reparameterised distribution. Received: Bernoulli"):
        reparameterised_gradients(function, coin, [0.4], 10, seed=0)


def test_a_seed_gives_the_same_draws_and_another_seed_others():
    draws = [score_function_gradients(tf.sin, _shifted, [0.5], 10, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.isclose(draws[0], draws[2]).any()


def _shifted(theta):
    return tfp().distributions.Normal(theta[:, 0], 1.0)


@pytest.mark.parametrize("estimator", ESTIMATORS.values())
def test_bad_arguments_are_refused_by_name_and_shape(estimator):
    with pytest.raises(ValueError, match="`parameters` must be finite"):
        estimator(tf.sin, _shifted, [np.nan], 10, 0)
    with pytest.raises(ValueError, match="`samples` must be an integer >= 1"):
        estimator(tf.sin, _shifted, [0.0], 0, 0)
    with pytest.raises(ValueError, match=r"`function` must return shape \(10,\). Received: \(\)"):
        estimator(tf.reduce_sum, _shifted, [0.0], 10, 0)
    with pytest.raises(ValueError, match=r"`make` must give batch shape \(10,\). Received: \(10, 1\)"):
        estimator(tf.sin, lambda theta: tfp().distributions.Normal(theta, 1.0), [0.0], 10, 0)


def test_bad_quadratics_are_refused_by_name_and_value():
    with pytest.raises(ValueError, match="`stddev` must be above 0. Received: smallest -1"):
        quadratic_gradient_moments([0.0, 1.0], [1.0, -1.0], np.eye(2), [0.0, 0.0])
    with pytest.raises(ValueError, match=r"`matrix` must have shape \(2, 2\)"):
        quadratic_gradient_moments([0.0, 1.0], [1.0, 1.0], np.eye(3), [0.0, 0.0])
