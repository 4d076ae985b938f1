"""The learned mixture against SciPy, and as a prior that is trained."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats
from systems import create

from keras_ijae.distributions import LearnedMixture, StandardNormal, VampPrior

LOGITS = np.array([0.3, -0.5, 0.9])
MEANS = np.array([[-3.0, 0.0], [2.0, 2.0], [1.0, -3.0]])
SCALES = np.array([[0.5, 1.2], [1.0, 0.3], [0.7, 0.6]])


def raw_of(scale):
    return np.log(np.expm1(np.asarray(scale) - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def known():
    prior = LearnedMixture(2, 3)
    prior.logits.assign(LOGITS), prior.means.assign(MEANS), prior.raw_scales.assign(raw_of(SCALES))
    return prior


def test_the_density_is_scipys_and_integrates_to_one():
    grid = np.linspace(-8, 8, 161)
    nodes = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    parts = [stats.norm.pdf(nodes, MEANS[k], SCALES[k]).prod(1) for k in range(3)]
    found = known().log_prob(nodes).numpy()
    np.testing.assert_allclose(found, np.log(special.softmax(LOGITS) @ parts), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.exp(found).sum() * 0.1**2, 1, atol=1e-4)


def test_samples_agree_with_the_density():
    z, shares = known().sample(40_000, seed=3).numpy(), special.softmax(LOGITS)
    for column in range(2):
        cdf = lambda x, c=column: stats.norm.cdf(np.asarray(x)[:, None], MEANS[:, c], SCALES[:, c]) @ shares  # noqa: E731
        assert stats.kstest(z[:, column], cdf).statistic < 0.01
    mean = shares @ MEANS
    covariance = np.einsum("k,ki,kj->ij", shares, MEANS - mean, MEANS - mean) + np.diag(shares @ SCALES**2)
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.06)


def test_one_component_of_scale_one_at_zero_is_the_standard_normal():
    prior, z = LearnedMixture(4, 1), np.random.default_rng(0).normal(size=(9, 4))
    prior.means.assign(np.zeros((1, 4)))
    np.testing.assert_allclose(prior.log_prob(z), StandardNormal(4).log_prob(z), rtol=1e-6)


def test_components_differ_at_the_start_and_are_those_of_keras_seed():
    first, second, third = (start(seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)
    distances = np.linalg.norm(first[:, None] - first, axis=2)[~np.eye(10, dtype=bool)]
    assert distances.min() > 0.1


def start(seed):
    keras.utils.set_random_seed(seed)
    return LearnedMixture(3).means.numpy()


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_gradients_are_finite_far_from_all_components(far):
    prior = known()
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(prior.log_prob(np.full((3, 2), far, "float32")))
    assert all(np.isfinite(slope).all() for slope in tape.gradient(value, [w.value for w in prior.trainable_variables]))


def test_bad_numbers_of_components_are_refused():
    with pytest.raises(ValueError, match="`components` must be an integer >= 1. Received: components=2.5"):
        LearnedMixture(2, 2.5)


def test_what_training_moves_belongs_to_one_model():
    prior = LearnedMixture(2, 2)
    create("vae", prior=prior)
    with pytest.raises(ValueError, match="must be a new LearnedMixture, .*make another.*Received: one that a VAE has"):
        create("vae", prior=prior)
    later = LearnedMixture(2, 2)
    with pytest.raises(ValueError, match="`beta`"):
        create("vae", prior=later, beta=-1.0)
    with pytest.raises(ValueError, match="A VampPrior needs a posterior"):
        create("vae", prior=later, posterior="planar", sampling_prior=VampPrior(2))
    assert create("vae", prior=later).prior is later  # no model came of the first calls
    still = LearnedMixture(2, 2, trainable=False)
    assert create("ae", prior=still).prior is create("ae", prior=still).prior


def test_it_stays_its_models_when_that_is_gone_and_the_error_says_how_to_have_another():
    prior = LearnedMixture(2, 2)
    gone = weakref.ref(create("vae", prior=prior))
    gc.collect()
    assert gone() is None
    with pytest.raises(ValueError, match=r"also when that is gone: .* as by prior.from_config\(prior.get_config\(\)\)"):
        create("vae", prior=prior)
    assert create("vae", prior=prior.from_config(prior.get_config())).prior is not prior
