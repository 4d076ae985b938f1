"""Densities that can be trusted: what holds of every prior and posterior that has one; a new one is a row here.

Each is taken where training has brought it, away from its start.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.distributions import (
    IAF,
    MAF,
    DiagonalGaussian,
    FullGaussian,
    GaussianMixture,
    LearnedMixture,
    RealNVP,
    ResampledPrior,
    StandardNormal,
    Uniform,
    VampPrior,
)

EDGES = np.sinh(0.05 * np.arange(-80, 81)) / np.sinh(0.9)  # cells of 0.05 near 0, and larger ones as far as 27, for
EDGES[[62, 98]] = -1, 1  # tails; some of them end where a uniform density does
MIDDLES, SIZES = (EDGES[1:] + EDGES[:-1]) / 2, np.diff(EDGES)
AREAS = np.outer(SIZES, SIZES).ravel()
NODES = np.stack(np.meshgrid(MIDDLES, MIDDLES, indexing="ij"), -1).reshape(-1, 2)


def bent(rows=2000, seed=0):
    """Codes on a bent line, and some in a cluster beside it: no Gaussian."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    y = x**2 - 1.5 + 0.5 * rng.normal(size=rows)
    return np.where(rng.random((rows, 1)) < 0.8, np.stack([x, y], 1), [-1.5, -1.0] + 0.4 * rng.normal(size=(rows, 2)))


def trained(prior, steps=60, rate=0.01):
    """The prior after some steps of maximum likelihood."""
    adam = keras.optimizers.Adam(rate)
    weights, codes = prior.trainable_variables, tf.constant(bent(500), tf.float32)

    def step():
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(prior.log_prob(codes))
        adam.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)

    adam.build(weights)
    step = tf.function(step, autograph=False)
    for _ in range(steps):
        step()
    return prior


def fitted(prior):
    prior.fit(bent())
    return prior


def of_a_model(prior):
    """The prior, bound to a model that draws from it; its pseudo-inputs are apart, its encoder is no identity."""
    model = ki.create("vae", (3,), 2, networks="mlp", width=4, prior=prior)
    rng = np.random.default_rng(0)
    for weight in (*model.encoder.trainable_variables, *model.prior.trainable_variables):
        weight.assign(weight + 0.4 * rng.normal(size=weight.shape))
    model.prior.model = lambda: model  # kept as long as the prior is
    return model.prior


def with_many_proposals(prior):
    """Z is then known to one part in a thousand."""
    prior.evaluation_proposals = 2**19
    return prior


PRIORS = {
    "normal": lambda: StandardNormal(2),
    "uniform": lambda: Uniform(2),
    "gmm": lambda: fitted(GaussianMixture(2, 3)),
    "mixture": lambda: trained(LearnedMixture(2, 3)),
    "realnvp": lambda: trained(RealNVP(2, depth=4, width=16, seed=1)),
    "maf": lambda: trained(MAF(2, depth=3, width=16, seed=1)),
    "vamp": lambda: of_a_model(VampPrior(2, 4)),
    "resampled": lambda: with_many_proposals(trained(ResampledPrior(2, truncation=20, evaluation_proposals=2000))),
}


@functools.cache
def prior_of(name):
    keras.utils.set_random_seed(3)
    return PRIORS[name]()


@functools.cache
def drawn_from(name):
    """`sample(n, seed)`, compiled once."""
    return tf.function(prior_of(name).sample, [tf.TensorSpec([], tf.int32)] * 2, autograph=False)


def every_prior(function):
    return pytest.mark.parametrize("name", PRIORS)(function)


def masses(log_prob):
    """The probability of each cell of the grid, by the density at its middle."""
    return np.exp(np.asarray(log_prob(tf.constant(NODES, tf.float32)), "float64")) * AREAS


def check_histogram(codes, mass):
    """Chi-square over blocks of cells where at least ten codes are expected, and the rest as one."""
    size, k = len(codes), len(MIDDLES) // 8
    counts, *_ = np.histogram2d(*codes.T, bins=[EDGES[::8], EDGES[::8]])
    expected = size * mass.reshape(k, 8, k, 8).sum((1, 3))
    large = expected >= 10
    assert large.sum() >= 8
    found = [*counts[large], size - counts[large].sum()]
    hoped = [*expected[large], size - expected[large].sum()]
    assert stats.chisquare(found, hoped, sum_check=False).pvalue > 1e-3


@every_prior
def test_a_density_integrates_to_one(name):
    np.testing.assert_allclose(masses(prior_of(name).log_prob).sum(), 1, atol=2e-3)


@every_prior
def test_a_histogram_of_samples_agrees_with_the_density(name):
    prior = prior_of(name)
    check_histogram(drawn_from(name)(20_000, 5).numpy(), masses(prior.log_prob))


@every_prior
def test_densities_and_gradients_are_finite_at_far_codes(name):
    """Outside of a bounded support log p is -inf, with a gradient of 0."""
    prior = prior_of(name)
    for far in (1e2, 1e4, 1e6):
        z = tf.constant([[far, -far], [-far, 0.0], [far, far]])
        with tf.GradientTape() as tape:
            tape.watch(z)
            log_prob = prior.log_prob(z)
        slopes = tape.gradient(log_prob, [z, *[weight.value for weight in prior.trainable_variables]])
        assert np.isfinite(log_prob).all() != (name == "uniform") and (log_prob.numpy() < -far).all()
        assert all(np.isfinite(slope).all() for slope in slopes)


def test_a_uniform_density_is_that_of_its_box_up_to_the_edges():
    z = tf.constant([[0.0, 0.0], [-0.999, 0.999], [1.001, 0.0], [0.0, -1.001]], tf.float64)
    np.testing.assert_allclose(prior_of("uniform").log_prob(z), [-np.log(4)] * 2 + [-np.inf] * 2)
    np.testing.assert_allclose(Uniform(2, -0.5, 3.0).log_prob(z + 1)[:1], -2 * np.log(3.5))


@every_prior
def test_the_first_codes_do_not_depend_on_how_many_are_drawn_nor_on_compilation(name):
    compiled = drawn_from(name)
    drawn = compiled(600, 2).numpy()
    for k in (1, 7, 300):
        np.testing.assert_array_equal(compiled(k, 2), drawn[:k])
    np.testing.assert_array_equal(prior_of(name).sample(7, seed=2), drawn[:7])
    assert drawn.dtype == np.float32 and len(np.unique(drawn, axis=0)) == 600


@every_prior
def test_double_precision_gives_the_same_density_with_more_digits(name):
    prior, z = prior_of(name), np.random.default_rng(0).normal(size=(20, 2))
    exact = prior.log_prob(z)
    assert exact.dtype == tf.float64
    np.testing.assert_allclose(prior.log_prob(z.astype("float32")), exact, rtol=1e-4, atol=1e-4)


# Posteriors ---------------------------------------------------------------------------------------------------------


def moved(posterior):
    """The posterior with weights away from their start."""
    rng = np.random.default_rng(1)
    for weight in posterior.trainable_variables:
        weight.assign(weight + 0.2 * rng.normal(size=weight.shape))
    return posterior


POSTERIORS = {
    "diagonal": lambda: DiagonalGaussian(2),
    "full": lambda: FullGaussian(2),
    "iaf": lambda: moved(IAF(2, depth=3, width=8, context=2, seed=1)),
}


@functools.cache
def posterior_of(name):
    """The posterior and one row of an encoder's outputs."""
    posterior = POSTERIORS[name]()
    return posterior, np.random.default_rng(2).normal(scale=0.5, size=(1, posterior.units))


def every_posterior(function):
    return pytest.mark.parametrize("name", POSTERIORS)(function)


@every_posterior
def test_the_density_of_a_draw_is_the_density_of_that_code(name):
    posterior, given = posterior_of(name)
    given, noise = np.repeat(given, 200, 0), random.normal((200, posterior.noise_dim), 0)
    for dtype, tolerance in (("float32", 2e-4), ("float64", 1e-8)):
        z, log_q = posterior.sample_and_log_prob(given.astype(dtype), tf.cast(noise, dtype))
        np.testing.assert_allclose(log_q, posterior.log_prob(given.astype(dtype), z), atol=tolerance)


@every_posterior
def test_a_posterior_integrates_to_one_and_a_histogram_of_draws_agrees(name):
    posterior, given = posterior_of(name)
    mass = masses(lambda z: posterior.log_prob(np.repeat(given, len(z), 0).astype("float32"), z))
    np.testing.assert_allclose(mass.sum(), 1, atol=2e-3)
    z = posterior.draw(np.repeat(given, 20_000, 0), random.normal((20_000, posterior.noise_dim), 7))
    check_histogram(z.numpy(), mass)


@every_posterior
def test_the_kl_is_its_integral(name):
    posterior, given = posterior_of(name)
    log_q = posterior.log_prob(np.repeat(given, len(NODES), 0), NODES).numpy()
    integral = np.sum(AREAS * np.exp(log_q) * (log_q - stats.norm.logpdf(NODES).sum(1)))
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    noise = np.stack(np.meshgrid(points, points, indexing="ij"), -1).reshape(-1, 2)
    z, log_q = posterior.sample_and_log_prob(np.repeat(given, len(noise), 0), noise)
    estimates = log_q.numpy() - stats.norm.logpdf(z).sum(1)
    np.testing.assert_allclose(np.outer(weights, weights).ravel() @ estimates / weights.sum() ** 2, integral, atol=1e-3)
    if posterior.has_kl:
        np.testing.assert_allclose(posterior.kl(given), integral, atol=1e-3)
