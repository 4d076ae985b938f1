"""Gaussian mixtures of codes against SciPy, and fitted: a known mixture is recovered, saved, exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from systems import LATENT, create
from tiny import affine

import keras_ijae as ki
from keras_ijae.distributions import GaussianMixture, priors
from keras_ijae.distributions.priors import mixture

SHARES = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[-12.0, 0.0], [9.0, 9.0], [6.0, -9.0]])  # so far apart that each draw shows its component
COVARIANCES = np.array([[[1.0, 0.6], [0.6, 0.8]], [[0.3, 0.0], [0.0, 2.0]], [[0.5, -0.3], [-0.3, 0.4]]])


def known():
    prior = GaussianMixture(2, 3)
    prior.shares.assign(SHARES)
    prior.means.assign(MEANS)
    prior.triangles.assign(np.linalg.cholesky(COVARIANCES))
    return prior


def codes(n=6000, seed=0):
    """Draws by NumPy, and the component of each."""
    rng = np.random.default_rng(seed)
    of = rng.choice(3, n, p=SHARES)
    return np.stack([rng.multivariate_normal(MEANS[k], COVARIANCES[k]) for k in of]), of


def nearest(z):
    return np.argmin(np.linalg.norm(np.asarray(z)[:, None] - MEANS, axis=-1), axis=1)


def test_the_density_is_scipys():
    z = np.random.default_rng(1).normal(scale=8, size=(50, 2))
    parts = [stats.multivariate_normal(MEANS[k], COVARIANCES[k]).pdf(z) for k in range(3)]
    np.testing.assert_allclose(known().log_prob(z), np.log(SHARES @ parts), rtol=1e-5)


def test_samples_have_the_shares_means_and_covariances():
    z = known().sample(40_000, seed=3).numpy()
    of = nearest(z)
    for k in range(3):
        part = z[of == k]
        np.testing.assert_allclose(len(part) / len(z), SHARES[k], atol=0.01)
        np.testing.assert_allclose(part.mean(0), MEANS[k], atol=0.05)
        np.testing.assert_allclose(np.cov(part.T), COVARIANCES[k], atol=0.06)


@pytest.mark.parametrize("jit", [False, True])
def test_samples_are_the_same_compiled_and_the_first_do_not_depend_on_how_many(jit):
    prior, eager = known(), known().sample(500, seed=3).numpy()
    compiled = tf.function(lambda seed: prior.sample(500, seed), jit_compile=jit)
    np.testing.assert_array_equal(compiled(tf.constant(3)), eager)
    np.testing.assert_array_equal(prior.sample(7, seed=3), eager[:7])
    assert not np.array_equal(prior.sample(7, seed=4), eager[:7])


def test_before_it_is_fitted_it_is_the_standard_normal():
    prior, z = GaussianMixture(2), np.random.default_rng(1).normal(size=(9, 2))
    np.testing.assert_allclose(prior.log_prob(z), priors.StandardNormal(2).log_prob(z), rtol=1e-6)
    drawn = prior.sample(20_000, seed=0).numpy()
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(2), atol=0.03)


def test_a_known_mixture_is_recovered_from_its_draws():
    prior = GaussianMixture(2, 3)
    prior.fit(codes()[0], seed=1)
    order = nearest(prior.means)
    assert sorted(order) == [0, 1, 2]
    triangles = prior.triangles.numpy()
    np.testing.assert_allclose(prior.shares, SHARES[order], atol=0.02)
    np.testing.assert_allclose(prior.means, MEANS[order], atol=0.1)
    np.testing.assert_allclose(triangles @ triangles.transpose(0, 2, 1), COVARIANCES[order], atol=0.1)


def test_the_fit_takes_as_many_rounds_as_the_reference_and_no_more(monkeypatch):
    assert mixture.ROUNDS == 2000
    monkeypatch.setattr(mixture, "ROUNDS", 2)
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        GaussianMixture(2, 10).fit(np.random.default_rng(0).normal(size=(300, 2)))


def auto_encoder(**arguments):
    """Codes and data are the same, so that the codes' mixture is known."""
    return ki.models.AE(encoder=affine(np.eye(2), sizes=(2,)), decoder=affine(np.eye(2), sizes=(2,)), **arguments)


@pytest.mark.slow
def test_an_auto_encoder_samples_its_fitted_mixture_after_loading_and_export(tmp_path):
    model, (x, _) = auto_encoder(prior=GaussianMixture(2, 3)), codes()
    before = model.sample(5)
    model.fit_prior(tf.data.Dataset.from_tensor_slices(x.astype("float32")).batch(100), seed=1)
    samples = model.sample(20_000, seed=2)
    np.testing.assert_allclose(np.sort(np.bincount(nearest(samples)) / 20_000), np.sort(SHARES), atol=0.02)
    assert not np.allclose(before, samples[:5])
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded.sample(50, seed=2), samples[:50])
    loaded.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures["sample"](n=tf.constant(50), seed=tf.constant(2))
    np.testing.assert_allclose(served["observations"], samples[:50], atol=1e-5)


def test_what_cannot_be_fitted_is_refused():
    for bad, received in ((np.zeros((9, 2)), r"shape \(9, 2\)"), (np.zeros((20, 3)), r"shape \(20, 3\)")):
        with pytest.raises(
            ValueError, match=rf"`codes` must have shape \(n, 2\), n at least 10.* Received: {received}"
        ):
            GaussianMixture(2).fit(bad)
    with pytest.raises(ValueError, match="`codes` must be finite. Received: 1 not"):
        GaussianMixture(1, 2).fit([[0.0], [1.0], [np.nan]])


def test_a_prior_must_fit_the_codes():
    with pytest.raises(ValueError, match=r"`prior` must have event shape \(2,\). Received: event_shape=\(3,\)"):
        create("ae", prior=GaussianMixture(3))
    with pytest.raises(ValueError, match="`components` must be an integer >= 1. Received: components=0"):
        GaussianMixture(2, 0)
    assert create("wae_mmd", prior="gmm").prior.event_shape == (LATENT,)
