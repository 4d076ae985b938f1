"""The second stage of a two-stage VAE: its samples are distributed as the codes that it was fitted to."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from systems import LATENT, codes_of_samples, create

import keras_ijae as ki
from keras_ijae.distributions import TwoStage
from keras_ijae.distributions.priors import _adam

CENTERS = np.array([[-4.0, 10.0], [4.0, 30.0], [4.0, -10.0]])


def clusters(number=0):
    rng = np.random.default_rng([7, number])
    return CENTERS[rng.integers(3, size=2000)] + rng.normal(size=(2000, 2)) * [0.5, 2.0]


def test_until_it_is_fitted_it_is_the_standard_normal():
    z = TwoStage(3, width=4, depth=1).sample(20_000, seed=0).numpy()
    assert max(stats.kstest(z[:, column], "norm").statistic for column in range(3)) < 0.015
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=0.03)


@pytest.mark.slow
def test_samples_are_distributed_as_the_codes():
    fitted = TwoStage(2, width=64, depth=2, epochs=100, batch_size=100, learning_rate=4e-3)
    fitted.fit(clusters, seed=1)
    z, codes = fitted.sample(4000, seed=0).numpy(), np.concatenate([clusters(number) for number in (1, 2)])
    assert (
        max(stats.ks_2samp(z[:, column], codes[:, column]).statistic for column in range(2)) < 0.15
    )  # 0.34 of a Gaussian
    nearest = np.linalg.norm((z[:, None] - CENTERS) / [0.5, 2.0], axis=2)
    shares = np.bincount(nearest.argmin(1), minlength=3) / len(z)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.06)
    assert (nearest.min(1) < 4).mean() > 0.75  # between the clusters is little; of a Gaussian 0.15 are that near


@pytest.mark.slow
def test_codes_on_a_plane_have_a_small_gamma_and_samples_on_that_plane():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(3000, 1)) @ [[1.0, -2.0, 0.5]]
    prior = TwoStage(3, width=32, depth=1, epochs=20, batch_size=100, learning_rate=5e-3)
    prior.fit(codes)
    assert np.exp(float(prior.log_gamma())) < 0.1
    z = prior.sample(1000, seed=0).numpy()
    assert (z[:, 1] + 2 * z[:, 0]).std() < 0.4 and z[:, 0].std() > 0.7


def test_the_first_rows_do_not_depend_on_how_many_are_drawn_and_graphs_agree():
    fitted = TwoStage(2, width=8, depth=1)
    for weight in fitted.weights:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape, scale=0.1))
    z = fitted.sample(130, seed=5).numpy()
    np.testing.assert_array_equal(fitted.sample(3, seed=5), z[:3])
    np.testing.assert_array_equal(tf.function(lambda: fitted.sample(130, 5))(), z)
    assert not np.array_equal(fitted.sample(3, seed=6), z[:3])


@pytest.mark.slow
def test_the_fit_is_a_function_of_codes_and_seed():
    def weights(seed, first):
        keras.utils.set_random_seed(first)
        prior = TwoStage(2, width=4, depth=1, epochs=1)
        prior.fit(clusters(), seed)
        return np.concatenate([weight.numpy().ravel() for weight in prior.weights])

    np.testing.assert_array_equal(weights(3, first=0), weights(3, first=1))
    assert not np.array_equal(weights(3, first=0), weights(4, first=0))


def test_the_loss_of_a_step_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    z, noise, kernel = rng.normal(size=(50, 2)), rng.normal(size=(50, 2)), rng.normal(size=(2, 4))
    prior = TwoStage(2, width=3, depth=1)
    prior.decoder.set_weights([rng.normal(size=weight.shape) for weight in prior.decoder.weights])
    prior.slow_log_gamma.assign(-0.04)
    found = prior.loss(lambda z: z @ tf.constant(kernel, tf.float32), tf.constant(z, "float32"), tf.constant(noise))
    mean, scale = (z @ kernel)[:, :2], 1e-5 + np.log1p(np.exp((z @ kernel)[:, 2:] + np.log(np.expm1(1 - 1e-5))))
    u = mean + scale * noise
    hidden, bias, last, shift = (weight.numpy() for weight in prior.decoder.weights)
    again = np.concatenate([np.maximum(u @ hidden + bias, 0), u], axis=1) @ last + shift
    log_p = stats.norm.logpdf(z, again, np.exp(-0.4)).sum(1)
    kl = (mean**2 + scale**2 - 1).sum(1) / 2 - np.log(scale).sum(1)
    np.testing.assert_allclose(found, (kl - log_p).mean(), rtol=1e-5)


@pytest.mark.slow
def test_the_system_draws_from_the_second_stage_and_is_saved_with_it(tmp_path):
    model = create("two_stage_vae", sampling_prior=TwoStage(LATENT, width=4, depth=1, epochs=1))
    assert model.likelihood.learned and isinstance(model.sampling_prior, TwoStage)
    codes = codes_of_samples(model, 9, 0)
    np.testing.assert_array_equal(codes, model.sampling_prior.sample(9, 0))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.sampling_prior.width == 4
    np.testing.assert_array_equal(codes_of_samples(loaded, 9, 0), codes)
    assert isinstance(ki.create("two_stage_vae", (5,), 2).sampling_prior, TwoStage)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((5, 3)), r"`codes` must have shape \(n, 2\), n at least 2. Received: shape \(5, 3\)"),
        (np.zeros((1, 2)), "n at least 2"),
        (np.full((5, 2), np.nan), "`codes` must be finite. Received: 10 not"),
    ],
)
def test_codes_that_do_not_fit_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        TwoStage(2, width=4).fit(codes)


@pytest.mark.parametrize("argument", ["width", "depth", "epochs", "batch_size", "learning_rate"])
def test_numbers_below_their_least_are_refused(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be .* Received: {argument}=0"):
        TwoStage(2, **{argument: 0})


def test_steps_are_those_of_keras_adam_with_its_cosine_and_change_no_variable():
    rng = np.random.default_rng(0)
    slopes, start = rng.normal(size=(5, 6)).astype("float32"), rng.normal(size=(6,)).astype("float32")
    ours = [keras.Variable(start[:2]), keras.Variable(start[2:].reshape(2, 2))]
    theirs, adam = keras.Variable(start), keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 4))
    state = _adam.start(ours)
    for slope in slopes:
        adam.apply([tf.constant(slope)], [theirs])
        state = _adam.moved(state, tf.constant(slope), 0.1, 4)
    np.testing.assert_allclose(state.flat, theirs, rtol=1e-4)
    np.testing.assert_array_equal(ours[0], start[:2])
    _adam.assign(_adam.values(ours, state.flat))
    np.testing.assert_array_equal(np.concatenate([np.ravel(weight) for weight in ours]), state.flat)


def test_constant_codes_are_given_back():
    prior = TwoStage(2, width=4, depth=1, epochs=2)
    prior.fit(np.full((50, 2), 3.0))
    np.testing.assert_allclose(prior.sample(20, 0), 3.0, atol=1e-4)
