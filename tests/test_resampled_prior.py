"""The resampled prior against its golden numbers, quadrature, the distribution of its samples, and at extremes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import special, stats
from systems import BATCH, LATENT, create, dataset, images
from tiny import affine, float64, network  # noqa: F401

from keras_ijae import random
from keras_ijae.distributions import ResampledPrior, StandardNormal
from keras_ijae.game import Batch
from keras_ijae.models import VAE
from keras_ijae.replicas import Share

NODES = special.ndtri((np.arange(400_000) + 0.5) / 400_000)[:, None]  # equally probable, of N(0, 1)


def sloped(slope=2.0, offset=-1.0, **arguments):
    """a(z) = sigmoid(slope z + offset) in one dimension."""
    arguments = {"truncation": 5, "decay": 0.0, **arguments}
    return ResampledPrior(1, acceptance=affine([[slope]], [offset]), **arguments)


@pytest.mark.usefixtures("float64")
def test_the_density_with_z_by_quadrature_is_the_golden_values_and_integrates_to_one():
    prior, normaliser = sloped(), special.expit(2 * NODES - 1).mean()
    np.testing.assert_allclose(normaliser, 0.3522735615, atol=1e-9)
    found = prior.log_prob(np.array([[0.7], [-1.2]]), NODES)
    np.testing.assert_allclose(found, [-0.7088139257, -3.0190049117], atol=1e-8)
    z = np.linspace(-9, 9, 2001)
    np.testing.assert_allclose(np.exp(prior.log_prob(z[:, None], NODES)).sum() * (z[1] - z[0]), 1, atol=1e-8)


def test_outside_training_z_is_computed_anew_from_the_weights_as_they_are():
    prior, z = sloped(), np.array([[0.7], [-1.2]], "float32")
    np.testing.assert_allclose(prior.log_prob(z), [-0.7088139257, -3.0190049117], atol=0.02)
    np.testing.assert_array_equal(prior.log_prob(z), prior.log_prob(z))
    prior.acceptance.set_weights([np.array([[-2.0]]), np.array([-1.0])])
    np.testing.assert_allclose(prior.log_prob(-z), [-0.7088139257, -3.0190049117], atol=0.02)
    assert float(prior.normaliser.numpy()) == 0  # the running average is of training alone


def test_the_running_average_begins_at_the_first_estimate_and_its_value_is_that_of_z():
    prior, proposals = sloped(decay=0.75), [random.normal((50, 1), seed) for seed in range(3)]
    means = [special.expit(2 * noise.numpy() - 1).mean() for noise in proposals]
    expected = means[0]
    for noise, mean in zip(proposals, means, strict=True):
        expected = 0.75 * expected + 0.25 * mean
        found = prior.log_prob([[0.7]], noise)
        np.testing.assert_allclose(prior.normaliser.numpy(), expected, rtol=1e-6)
        alpha = (1 - expected) ** 4
        density = (1 - alpha) * special.expit(0.4) / expected + alpha
        np.testing.assert_allclose(found, [np.log(density) + stats.norm.logpdf(0.7)], rtol=1e-5)


def test_the_gradient_of_z_counts():
    """With the estimate's own gradient that of the mean log-density over samples of pi is that of the exact one."""
    prior = sloped(decay=0.0)
    weights = prior.acceptance.trainable_variables

    def mean(noise):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(prior.log_prob(tf.constant(NODES[::4], "float32"), noise))
        return np.concatenate([np.ravel(g) for g in tape.gradient(value, [w.value for w in weights])])

    def exact(slope, offset):
        a = special.expit(slope * NODES + offset)
        alpha = (1 - a.mean()) ** 4
        return np.log((1 - alpha) * a / a.mean() + alpha).mean()

    steps = ((1e-5, 0), (0, 1e-5))
    slopes = [(exact(2 + s, -1 + o) - exact(2 - s, -1 - o)) / 2e-5 for s, o in steps]
    np.testing.assert_allclose(mean(tf.constant(NODES[::2], "float32")), slopes, atol=1e-4)


def cdf(z, truncation):
    grid = np.linspace(-9, 9, 20_001)
    alpha = (1 - 0.3522735615) ** (truncation - 1)
    density = ((1 - alpha) * special.expit(2 * grid - 1) / 0.3522735615 + alpha) * stats.norm.pdf(grid)
    return np.interp(z, grid, np.cumsum(density) * (grid[1] - grid[0]))


@pytest.mark.parametrize("truncation", [2, 5])
def test_samples_have_the_density_and_do_not_depend_on_how_many_are_drawn(truncation):
    prior = sloped(truncation=truncation)
    sample = tf.function(prior.sample, [tf.TensorSpec([], tf.int32)] * 2)
    z = sample(20_000, 3).numpy()
    assert stats.kstest(z[:, 0], lambda x: cdf(x, truncation)).statistic < 0.01
    assert stats.kstest(z[:, 0], stats.norm.cdf).statistic > 0.05
    for rows in (1, 64, 70):
        np.testing.assert_array_equal(sample(rows, 3), z[:rows])
    np.testing.assert_array_equal(prior.sample(7, seed=3), z[:7])
    assert not np.array_equal(sample(7, 4), z[:7])


@pytest.mark.slow
def test_samples_and_densities_are_equal_under_xla():
    prior = ResampledPrior(3, evaluation_proposals=1000)
    z = prior.sample(200, 0)
    np.testing.assert_array_equal(tf.function(lambda: prior.sample(90, 0), jit_compile=True)(), z[:90])
    np.testing.assert_allclose(tf.function(prior.log_prob, jit_compile=True)(z), prior.log_prob(z), atol=1e-5)


@pytest.mark.parametrize("logit", [-1e5, -80.0, 1e5])
def test_an_acceptance_that_is_0_or_1_everywhere_leaves_the_proposal_and_all_is_finite(logit):
    prior, z = sloped(0.0, logit, truncation=100, decay=0.5), random.normal((50, 1), 0)
    normal = StandardNormal(1).log_prob(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        values = [prior.log_prob(z), prior.log_prob(z, random.normal((20, 1), 1))]
    gradients = tape.gradient(values, [z, *(w.value for w in prior.acceptance.trainable_variables)])
    for value in values:
        np.testing.assert_allclose(value, normal, atol=1e-4)
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert stats.kstest(tf.function(prior.sample)(2_000, 0).numpy()[:, 0], stats.norm.cdf).statistic < 0.04


@pytest.mark.usefixtures("float64")
def test_one_step_moves_networks_and_acceptance_down_the_negative_bound():
    encoder, decoder = network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,), seed=10)
    acceptance = network("plain", [(2,)], (1,), seed=20)
    prior = ResampledPrior(2, truncation=7, proposals=9, decay=0.5, acceptance=acceptance)
    prior.normaliser.assign(0.4)
    model = VAE(encoder=encoder, decoder=decoder, prior=prior, likelihood="gaussian")
    assert model.moves[0].networks == ("encoder", "decoder", "prior")
    x = np.random.default_rng(0).uniform(size=(5, 3))

    def retyped(phase, noise):
        assert noise["prior"].shape == (9, 2)
        mean = lambda: tf.reduce_mean(tf.sigmoid(acceptance(noise["prior"], training=True)))  # noqa: E731
        at_start = mean()

        def loss():
            raw = encoder(x, training=True)
            scale = 1e-5 + tf.math.softplus(raw[:, 2:] + np.log(np.expm1(1 - 1e-5)))
            z = raw[:, :2] + scale * noise["code"]
            log_q = -tf.reduce_sum(noise["code"] ** 2 / 2 + tf.math.log(scale), 1)
            normaliser = 0.5 * 0.4 + 0.5 * at_start + mean() - at_start
            alpha = (1 - normaliser) ** 6
            a = tf.sigmoid(acceptance(z, training=True))[:, 0]
            log_p = tf.math.log((1 - alpha) * a / normaliser + alpha) - tf.reduce_sum(z**2, 1) / 2
            error = tf.reduce_sum((x - decoder(z, training=True)) ** 2, 1) / 2 + 1.5 * np.log(2 * np.pi)
            return tf.reduce_mean(error + log_q - log_p)

        return {"auto_encoder": loss}

    check_one_step(model, x, retyped)


def test_a_model_is_scored_without_the_noise_of_training():
    prior = ResampledPrior(2, truncation=5, proposals=64, evaluation_proposals=256)
    model, x = create("resampled_vae", prior=prior), images(BATCH)
    model.compile(run_eagerly=True)
    model.fit(dataset(x), verbose=0)
    before = float(model.prior.normaliser.numpy())
    assert 0 < before < 1
    batch, noise = model.batch_of(tf.constant(x)), model.noise(model.draws(Share(BATCH), "test"))
    values = model.bound_terms(batch, noise), model.bound_terms(batch, {"code": noise["code"]})
    np.testing.assert_array_equal(*(kl for _, kl in values))
    assert np.abs(model.bound_terms(batch, noise, training=True)[1] - values[0][1]).max() > 0
    bounds = model.elbo(x).mean(), model.importance_weighted_bound(x, 20).mean()
    assert bounds[0] < bounds[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"truncation": 1}, "`truncation` must be an integer >= 2. Received: truncation=1"),
        ({"proposals": 0}, "`proposals` must be an integer >= 1"),
        ({"evaluation_proposals": 0}, "`evaluation_proposals` must be an integer >= 1"),
        ({"decay": 1.0}, r"`decay` must be in \[0, 1\)"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ResampledPrior(2, **arguments)


def test_it_is_made_anew_by_its_configuration_and_refused_for_labels():
    for prior in (ResampledPrior(2, 7, 8, 9, 0.5), sloped()):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
        assert again.get_config() == prior.get_config() and len(again.weights) == len(prior.weights)
    with pytest.raises(ValueError, match="`classes` is not taken by VAE: its prior, ResampledPrior, is one density"):
        create("resampled_vae", classes=3)


@pytest.mark.parametrize(("name", "arguments"), [("vae", {}), ("vae_gan", {}), ("avb", {"contrast_codes": 4})])
def test_scores_take_the_normaliser_from_the_weights_and_not_from_training(name, arguments):
    model = create(name, prior=ResampledPrior(LATENT, 5, 64, 256), **arguments)
    batch = Batch(tf.constant(images(4)))
    noise = model.noise(model.draws(Share(4), "test"))

    def kl(normaliser):
        model.prior.normaliser.assign(normaliser)
        found = model.measures(batch, noise)
        assert float(model.prior.normaliser.numpy()) == np.float32(normaliser)
        return next(value.numpy() for name, value in found.items() if name.startswith("kl"))

    np.testing.assert_array_equal(kl(0.9), kl(0.05))


@pytest.mark.parametrize(
    ("acceptance", "received"),
    [
        ("mlp", "mlp"),
        (network("plain", [(2,)], (3,)), r"one that gives \(batch, 3\)"),
        (network("plain", [(5,)], (1,)), "one that fails with"),
    ],
)
def test_an_acceptance_that_does_not_fit_is_refused(acceptance, received):
    with pytest.raises(ValueError, match=rf"`acceptance` must be a network, \(batch, 2\) to .* Received: .*{received}"):
        ResampledPrior(2, acceptance=acceptance)
