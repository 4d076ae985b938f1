"""Annealed importance sampling against exact log-likelihoods."""

import keras
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from tiny import affine, float64  # noqa: F401

import keras_ijae as ki
from keras_ijae.distributions import GaussianMixture
from keras_ijae.distributions.likelihoods import Gaussian
from keras_ijae.evaluation import ais_log_likelihood, bdmc

W = np.array([[1.2, 0], [0.5, -0.8], [0, 1], [-0.7, 0.3]])
B = np.array([0.1, -0.2, 0, 0.3])
NOISE = 0.1
X = np.array(
    [[1, 0.2, -0.3, -0.4], [-1.5, -0.1, 0.8, 1], [0, 0, 0, 0], [2, 1.5, -1, -1.2], [0.3, -1.4, 1.6, 0.5]], "float32"
)
EXACT = np.array([-2.53918022, -8.05921548, -2.54254969, -3.88951177, -3.34993726])


@pytest.fixture(scope="module")
def linear():
    """x = W z + b + noise of variance 0.1."""
    keras.utils.set_random_seed(0)
    encoder = affine(np.zeros((4, 4)), np.zeros(4), (4,))
    return ki.models.VAE(encoder=encoder, decoder=affine(W.T, B, (2,)), likelihood=Gaussian(NOISE**0.5))


@pytest.fixture(scope="module")
def errors(linear):
    """Errors of 20 independent estimates for each of the five observations, for 100 and 1000 steps."""
    repeated = np.repeat(X, 20, axis=0)
    return {
        steps: ais_log_likelihood(linear, repeated, steps=steps, batch_size=100, seed=1).log_likelihood
        - np.repeat(EXACT, 20)
        for steps in (100, 1000)
    }


def test_the_listed_log_likelihoods_are_those_of_the_linear_gaussian():
    density = multivariate_normal(B, W @ W.T + NOISE * np.eye(4))
    np.testing.assert_allclose(density.logpdf(X), EXACT, atol=1e-7)


@pytest.mark.slow
def test_a_thousand_steps_are_near_the_exact_log_likelihood(errors):
    assert abs(errors[1000].mean()) < 0.08


@pytest.mark.slow
def test_more_steps_err_less_and_the_mean_estimate_is_a_lower_bound(errors):
    spread = errors[1000].std() / np.sqrt(errors[1000].size)
    assert np.abs(errors[1000]).mean() < np.abs(errors[100]).mean() / 2
    assert errors[100].mean() < errors[1000].mean() < 2 * spread


@pytest.mark.slow
def test_the_weights_are_unbiased(linear):
    found = ais_log_likelihood(linear, np.repeat(X, 10, axis=0), steps=300, chains=100, seed=2)
    ratios = np.exp(found.log_likelihood - np.repeat(EXACT, 10))
    assert abs(ratios.mean() - 1) < 4 * ratios.std() / np.sqrt(ratios.size)


@pytest.mark.slow
def test_one_step_is_importance_sampling_from_the_prior(linear):
    (found,) = ais_log_likelihood(linear, X[2:3], steps=1, chains=20_000, seed=0).log_likelihood
    assert abs(found - EXACT[2]) < 0.1


@pytest.mark.slow
def test_the_step_size_finds_the_acceptance_it_aims_at(linear):
    assert np.all(np.abs(ais_log_likelihood(linear, X, steps=600).acceptance - 0.65) < 0.1)


def autoencoder(unit):
    """x = W z / unit + b, with a mixture as prior whose codes are `unit` times as large."""
    prior = GaussianMixture(2, components=2)
    prior.shares.assign([0.3, 0.7])
    prior.means.assign(unit * np.array([[-1.0, 0.0], [1.0, 0.5]]))
    prior.triangles.assign(unit * np.array([[[0.7, 0.0], [0.3, 0.5]], [[0.4, 0.0], [-0.2, 0.8]]]))
    return ki.models.AE(
        encoder=affine(np.zeros((4, 2)), np.zeros(2), (4,)), decoder=affine(W.T / unit, B, (2,)), prior=prior
    )


def test_the_unit_of_the_latents_does_not_matter():
    how = {"steps": 30, "chains": 4, "likelihood": Gaussian(NOISE**0.5)}
    first, *others = (
        ais_log_likelihood(autoencoder(unit), X, **how).log_likelihood for unit in (1.0, 1024.0, 1 / 1024)
    )
    np.testing.assert_allclose(others, [first] * 2, atol=1e-3)


@pytest.mark.slow
def test_rows_and_seeds_decide_the_result(linear):
    first, again, other = (
        ais_log_likelihood(linear, X, steps=20, chains=2, seed=seed).log_likelihood for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


@pytest.mark.slow
def test_bounds_from_both_sides_enclose_the_exact_value_and_meet(linear):
    short, long = (bdmc(linear, n=40, steps=steps, seed=0) for steps in (30, 1000))
    assert short.gap > 2 * long.gap > 0
    assert long.gap < 0.15
    assert short.lower.mean() < long.lower.mean() < long.upper.mean() < short.upper.mean()


@pytest.mark.slow
def test_the_upper_bound_is_of_the_exact_log_likelihood():
    """One latent dimension that the observation ignores: log p(x) is the likelihood, and both bounds are exact."""
    model = ki.models.VAE(
        encoder=affine(np.zeros((3, 2)), np.zeros(2), (3,)),
        decoder=affine(np.zeros((1, 3)), np.ones(3)),
        likelihood="gaussian",
    )
    bounds = bdmc(model, n=5, steps=10, chains=2)
    np.testing.assert_allclose(bounds.lower, bounds.upper, atol=1e-5)


@pytest.mark.slow
def test_a_decoder_without_a_likelihood_takes_one_and_says_so():
    gan = ki.create("gan", (4,), 2)
    with pytest.raises(ValueError, match="Argument `likelihood` is needed: GAN"):
        ais_log_likelihood(gan, X)
    found = ais_log_likelihood(gan, X, steps=3, chains=2, likelihood=Gaussian(0.5))
    assert np.isfinite(np.asarray(found)).all() and found.mean == np.asarray(found).mean()


def test_a_prior_on_a_sphere_is_refused():
    model = ki.create("gan", (4,), 2, prior="sphere")
    with pytest.raises(ValueError, match=r"density on R\^latent_dim. Received: a GAN whose prior is a Sphere"):
        ais_log_likelihood(model, X, likelihood="gaussian")


@pytest.mark.parametrize("name", ["steps", "chains", "leapfrog_steps", "batch_size"])
@pytest.mark.parametrize("count", [0, 2.5])
def test_counts_that_are_no_whole_numbers_above_0_are_refused(linear, name, count):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer >= 1. Received: {name}={count}"):
        ais_log_likelihood(linear, X, **{name: count})


def test_observations_of_another_shape_are_refused(linear):
    with pytest.raises(ValueError, match="shape"):
        ais_log_likelihood(linear, X[:, :3])


@pytest.mark.slow
def test_a_model_in_float64_is_scored_as_in_float32(linear, float64):  # noqa: F811
    decoder, encoder = affine(W.T, B, (2,)), affine(np.zeros((4, 4)), np.zeros(4), (4,))
    model = ki.models.VAE(encoder=encoder, decoder=decoder, likelihood=Gaussian(NOISE**0.5))
    ours, theirs = (ais_log_likelihood(one, X, steps=5, chains=2, seed=3) for one in (model, linear))
    np.testing.assert_allclose(ours.log_likelihood, theirs.log_likelihood, rtol=1e-3)


SHIFTS = np.array([[0.5, 0, -1, 0.2], [-0.4, 0.3, 0.1, 1], [0, -0.6, 0.2, -0.3]])


@pytest.fixture(scope="module")
def shifted():
    """x = W z + b + the shift of the label + noise of variance 0.1."""
    encoder = affine(np.zeros((7, 4)), np.zeros(4), (4, 3))
    decoder = affine(np.concatenate([W.T, SHIFTS]), B, (2, 3))
    return ki.models.VAE(encoder=encoder, decoder=decoder, classes=3, likelihood=Gaussian(NOISE**0.5))


@pytest.mark.slow
def test_of_a_conditional_model_it_is_the_log_likelihood_given_the_label(shifted):
    labels = np.array([0, 2, 1, 0, 2])
    density = multivariate_normal(np.zeros(4), W @ W.T + NOISE * np.eye(4))
    exact = density.logpdf(X - B - SHIFTS[labels])
    found = ais_log_likelihood(shifted, (X, labels), steps=600, batch_size=3, seed=1)
    np.testing.assert_allclose(found.log_likelihood, exact, atol=0.3)
    with pytest.raises(ValueError, match="needs labels"):
        ais_log_likelihood(shifted, X)


@pytest.mark.slow
def test_of_a_conditional_model_the_bounds_close(shifted):
    assert abs(bdmc(shifted, n=8, steps=600).gap) < 0.3
