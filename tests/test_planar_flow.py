"""The planar flow against its golden numbers, automatic differentiation and a density found by numerical inversion."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize, stats

from keras_ijae import random
from keras_ijae.distributions import DiagonalGaussian, PlanarFlow, StandardNormal
from keras_ijae.distributions.posteriors.planar import plane
from keras_ijae.models.bounds import code_and_kl


def params(posterior, rows, seed=0, deviation=0.7):
    return np.random.default_rng(seed).normal(scale=deviation, size=(rows, posterior.units))


def test_one_map_and_its_determinant_are_the_golden_values():
    z, u, w, b = [[0.3, -0.8]], [[1.1, 0.4]], [[-1.3, 0.5]], [0.2]
    f, log_det = plane(*(tf.constant(value, tf.float64) for value in (z, u, w, b)))
    np.testing.assert_allclose(f, [[-0.11016565, -1.07838883]], atol=1e-8)
    np.testing.assert_allclose(log_det, [-0.7652711130], atol=1e-9)


@pytest.mark.parametrize("size", [0.0, 1e-4, 9e-4, 1e-2])
def test_the_determinant_is_that_of_the_map_where_w_is_small_or_0(size):
    z, b = tf.constant([[0.3, -0.8]] * 3, tf.float64), tf.constant([0.2, -0.1, 0.5], tf.float64)
    u, w = tf.constant([[1.1, 0.4], [-30.0, 2.0], [50.0, 1.0]], tf.float64), size * tf.constant([[0.6, 0.8]] * 3)
    with tf.GradientTape() as tape:
        tape.watch(z)
        f, log_det = plane(z, u, tf.cast(w, tf.float64), b)
    _, exact = np.linalg.slogdet(tape.batch_jacobian(f, z))
    np.testing.assert_allclose(log_det, exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("latent_dim", "depth"), [(1, 3), (2, 1), (5, 4)])
def test_the_density_is_the_gaussians_less_the_determinant_of_the_jacobian(latent_dim, depth):
    posterior, noise = PlanarFlow(latent_dim, depth), random.normal((6, latent_dim), 1)
    given, noise = tf.constant(params(posterior, 6)), tf.cast(noise, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(noise)
        z, log_q = posterior.sample_and_log_prob(given, noise)
    _, log_dets = np.linalg.slogdet(tape.batch_jacobian(z, noise))
    np.testing.assert_allclose(log_q, stats.norm.logpdf(noise).sum(1) - log_dets, rtol=0, atol=1e-9)


def test_zero_outputs_are_the_standard_normal_and_the_flow_learns_from_there():
    posterior, noise = PlanarFlow(3, depth=7), random.normal((5, 3), 0)
    zeros = tf.zeros((5, posterior.units))
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        z, log_q = posterior.sample_and_log_prob(zeros, noise)
        value = tf.reduce_sum(z**3)
    np.testing.assert_allclose(z, noise, atol=1e-5)
    np.testing.assert_allclose(log_q, StandardNormal(3).log_prob(noise), atol=1e-5)
    moved = tf.reshape(tape.gradient(value, zeros)[:, 6:], [5, 7, 7])[:, :, :3]  # u of each map
    assert (np.abs(moved).max(axis=(0, 2)) > 1e-2).all()


def test_codes_do_not_jump_where_w_passes_through_0():
    size = np.array([-2e-3, -9e-4, -5e-4, -1e-4, 0.0, 1e-4, 5e-4, 9e-4, 2e-3], "float32")
    given = np.zeros((9, 5), "float32")  # mean, raw scale, u, w (counted from 1), b
    given[:, 2:] = np.stack([np.ones(9), size - 1, np.full(9, 0.5)], axis=1)
    z, log_q = PlanarFlow(1, depth=1).sample_and_log_prob(given, np.full((9, 1), 0.3, "float32"))
    np.testing.assert_allclose(z, np.full((9, 1), 0.3 + np.tanh(0.5)), atol=0.5)
    np.testing.assert_allclose(log_q, np.full(9, stats.norm.logpdf(0.3)), atol=1e-2)


def roots(values, slope, b):
    """a + slope tanh(a + b) = value, for each value."""
    excess = lambda a, value: a + slope * np.tanh(a + b) - value  # noqa: E731
    return np.array([optimize.brentq(excess, -99, 99, args=(value,)) for value in values])


def inverse_log_prob(given, depth, z):
    """log q(z) of one row of outputs, typed from the paper: each map is inverted along w by finding a root."""
    d = z.shape[1]
    log_q = np.zeros(len(z))
    planes = given[2 * d :].reshape(depth, 2 * d + 1)
    for k in reversed(range(depth)):
        w, b = planes[k, d : 2 * d] + np.eye(d)[k % d], planes[k, -1]
        u = planes[k, :d] + np.log(np.e - 1) * w / (w @ w)
        u = u + (np.log1p(np.exp(w @ u)) - 1 - w @ u) * w / (w @ w)
        bend = np.tanh(roots(z @ w, w @ u, b) + b)
        z = z - np.outer(bend, u)
        log_q -= np.log1p((1 - bend**2) * (w @ u))
    scale = 1e-5 + np.log1p(np.exp(given[d : 2 * d] + np.log(np.expm1(1 - 1e-5))))
    return log_q + stats.norm.logpdf(z, given[:d], scale).sum(1)


@functools.cache
def bent():
    """A flow, one row of outputs for it, and a grid of codes with log q(z) on it."""
    posterior = PlanarFlow(2, depth=3)
    given = params(posterior, 1, seed=1, deviation=1.0)
    grid = np.linspace(-9, 9, 91)
    nodes = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    return posterior, given, nodes, inverse_log_prob(given[0], 3, nodes)


def test_the_kl_is_its_integral():
    posterior, given, nodes, log_q = bent()
    integral = np.sum(0.2**2 * np.exp(log_q) * (log_q - stats.norm.logpdf(nodes).sum(1)))
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    noise = np.stack(np.meshgrid(points, points, indexing="ij"), -1).reshape(-1, 2)
    _, estimates = code_and_kl(posterior, StandardNormal(2), np.repeat(given, len(noise), 0), noise)
    mean = np.outer(weights, weights).ravel() @ estimates.numpy() / weights.sum() ** 2
    np.testing.assert_allclose(mean, integral, atol=2e-3)
    assert integral > 0.3


def test_the_density_integrates_to_one_and_samples_agree_with_it():
    posterior, given, nodes, log_q = bent()
    mass = np.exp(log_q) * 0.2**2
    np.testing.assert_allclose(mass.sum(), 1, atol=1e-3)
    noise = random.normal((20_000, 2), 5)
    z, log_q = (part.numpy() for part in posterior.sample_and_log_prob(np.repeat(given, 20_000, 0), noise))
    np.testing.assert_allclose(log_q[:50], inverse_log_prob(given[0], 3, z[:50]), atol=1e-6)
    mean = mass @ nodes
    np.testing.assert_allclose(z.mean(0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), (mass[:, None] * (nodes - mean)).T @ (nodes - mean), atol=0.1)
    assert stats.kstest((z[:, 0] - z[:, 0].mean()) / z[:, 0].std(), stats.norm.cdf).statistic > 0.02  # no Gaussian


@pytest.mark.slow
def test_codes_densities_and_gradients_are_finite_at_extreme_outputs_and_equal_under_xla():
    posterior = PlanarFlow(2, depth=2)
    rows = tf.stack([tf.fill([posterior.units], value) for value in (-1e4, -100.0, 0.0, 100.0, 1e4)])
    given = tf.concat([rows, rows * tf.constant([1.0, -1.0] * (posterior.units // 2)), -tf.eye(posterior.units)], 0)
    noise = random.normal((given.shape[0], 2), 0)

    def all_of(given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            z, log_q = posterior.sample_and_log_prob(given, noise)
        return z, log_q, tape.gradient([z, log_q], given)

    for ours, theirs in zip(all_of(given), tf.function(all_of, jit_compile=True)(given), strict=True):
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_it_computes_in_float32_from_half_precision_and_survives_serialisation():
    posterior = PlanarFlow(2, depth=4)
    z, log_q = posterior.sample_and_log_prob(tf.ones((1, posterior.units), "float16"), tf.zeros((1, 2)))
    assert z.dtype == log_q.dtype == tf.float32
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(posterior))
    assert (again.depth, again.units, again.get_config()) == (4, posterior.units, posterior.get_config())


def test_what_it_has_no_formula_for_it_says():
    flow, gaussian = PlanarFlow(2), DiagonalGaussian(2)
    assert (flow.has_log_prob, flow.has_kl) == (False, False) and (gaussian.has_log_prob, gaussian.has_kl) == (
        True,
        True,
    )
    for call in (lambda: flow.log_prob(None, None), lambda: flow.kl(None), lambda: flow.distribution(None)):
        with pytest.raises(NotImplementedError, match="PlanarFlow"):
            call()
    with pytest.raises(ValueError, match="`depth` must be an integer >= 1. Received: depth=0"):
        PlanarFlow(2, depth=0)
    with pytest.raises(ValueError, match=r"`params` must have shape \(batch, 54\)"):
        flow.draw(tf.zeros((1, 4)), tf.zeros((1, 2)))
