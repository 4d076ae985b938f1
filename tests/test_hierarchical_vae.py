"""The hierarchical prior against closed forms and quadrature; the constrained game against its algorithm."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import special, stats
from systems import BATCH, compiled, create, dataset, images, train, weights
from tiny import float64, network  # noqa: F401

from keras_ijae import random
from keras_ijae.distributions import DiagonalGaussian, HierarchicalPrior, LearnedMixture
from keras_ijae.models import HierarchicalVAE
from keras_ijae.models.hierarchical_vae import LEAST, Constraint


def raw_of(scale):
    return np.log(np.expm1(np.asarray(scale) - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def linear(samples=1, spread=1.0):
    """z = 0.8 y + 0.6 e in each of two dimensions: N(0, I); q(y|z) = N(0.8 z, 0.36), exact where the spread is 1."""
    prior = HierarchicalPrior(2, samples=samples, width=4, depth=1)
    passed_on = np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]])  # relu(y) - relu(-y) = y
    for layer, scale in ((prior.generator, 0.6), (prior.inference, 0.6 * spread)):
        back = np.zeros((4, 4))
        back[:2, :2], back[2:, :2] = 0.8 * np.eye(2), -0.8 * np.eye(2)
        bias = np.concatenate([np.zeros(2), np.full(2, raw_of(scale))])
        layer.layers[0].set_weights([passed_on, np.zeros(4)])
        layer.layers[1].set_weights([back, bias])
    return prior


Z = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")


def test_with_the_exact_inner_posterior_the_bound_is_the_density():
    for samples in (1, 3):
        noise = random.normal((6, 2 * samples), 1)
        found = linear(samples).log_prob(Z, noise)
        np.testing.assert_allclose(found, stats.norm.logpdf(Z).sum(1), atol=1e-5)


def test_with_another_one_it_is_below_and_rises_with_the_samples():
    exact, means = stats.norm.logpdf(Z).sum(1).mean(), []
    for samples in (1, 4, 64):
        many = np.repeat(Z, 300, 0)
        means.append(np.mean(linear(samples, 1.6).log_prob(many, random.normal((1800, 2 * samples), 2))))
    assert means[0] + 0.05 < means[1] < means[2] < exact + 0.01
    np.testing.assert_allclose(means[2], exact, atol=0.03)
    kl = 2 * ((1.6**2 - 1) / 2 - np.log(1.6))  # of q(y|z) from the exact one, the gap of one sample
    np.testing.assert_allclose(exact - means[0], kl, atol=0.05)


def test_the_bound_of_random_networks_comes_to_the_integral():
    prior = HierarchicalPrior(1, inner_dim=1, samples=2000, width=8)
    nodes, mass = np.polynomial.hermite_e.hermegauss(200)
    params = prior.generator(nodes[:, None].astype("float32"))
    z = np.array([[0.3], [-1.0]], "float32")
    logs = [DiagonalGaussian(1).log_prob(params, np.full((200, 1), value)) for value in z[:, 0]]
    exact = special.logsumexp(np.array(logs) + np.log(mass / mass.sum()), axis=1)
    np.testing.assert_allclose(prior.log_prob(z, random.normal((2, 2000), 0)), exact, atol=0.02)


def test_samples_are_those_of_the_integral_and_do_not_depend_on_how_many_are_drawn():
    prior = linear()
    sample = tf.function(prior.sample, [tf.TensorSpec([], tf.int32)] * 2)
    z = sample(20_000, 0).numpy()
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.03)
    assert stats.kstest(z[:, 1], stats.norm.cdf).statistic < 0.012
    np.testing.assert_array_equal(sample(70, 0), z[:70])
    np.testing.assert_array_equal(prior.sample(7, 0), z[:7])


def test_all_is_finite_at_extreme_codes():
    prior, z = HierarchicalPrior(2), tf.constant([[1e6, -1e6], [0.0, 0.0], [1e-30, 80.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        found = prior.log_prob(z, 5 * random.normal((3, prior.density_noise_dim), 0))
    assert np.isfinite(found).all() and np.isfinite(tape.gradient(found, z)).all()


def test_the_prior_is_made_anew_by_its_configuration_and_refuses_what_cannot_be():
    prior = HierarchicalPrior(3, 2, 4, 5, 1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
    assert (again.inner_dim, again.samples, again.width, again.depth, again.density_noise_dim) == (2, 4, 5, 1, 8)
    assert [w.shape for w in again.weights] == [w.shape for w in prior.weights]
    for name in ("inner_dim", "samples", "width", "depth"):
        with pytest.raises(ValueError, match=f"`{name}` must be an integer >= 1. Received: {name}=0"):
            HierarchicalPrior(3, **{name: 0})


# The multiplier ------------------------------------------------------------------------------------------------------


def moved(errors, allowed=0.5, start=0.1, rate=0.2, slope=3.0, decay=0.6):
    """The algorithm of `HierarchicalVAE`, typed from it: (beta, running average, met) after each error."""
    beta, average, met, found = start, None, False, []
    for error in errors:
        average = error if average is None else decay * average + (1 - decay) * error
        met = met or average < allowed
        if met:
            excess = average / allowed - 1
            f = -1 if excess > 0 else np.tanh(slope * (beta - 1))
            beta *= np.exp(rate * f * excess)
        found.append((beta, average, met))
    return found


def test_the_multiplier_waits_for_the_error_then_rises_to_one_and_falls_when_it_is_too_large():
    constraint, errors = Constraint(0.1, 0.2, 3.0, 0.6), [0.9, 0.8, 0.3, 0.1, 0.1, 0.1, 2.0, 0.9, 0.2, 0.2]
    found = [constraint.move(tf.constant(error), tf.constant(0.5)) for error in errors]
    expected = moved(errors)
    np.testing.assert_allclose([beta for beta, _ in found], [beta for beta, _, _ in expected], rtol=1e-5)
    assert [bool(met) for _, met in found] == [met for _, _, met in expected]
    np.testing.assert_allclose([w.numpy() for w in (constraint.beta, constraint.error)], expected[-1][:2], rtol=1e-5)
    betas = np.array([beta for beta, _ in found])
    assert betas[0] == betas[1] == np.float32(0.1)  # not yet in bounds
    assert (np.diff(betas[2:6]) > 0).all() and (np.diff(betas[5:8]) < 0).all()


def test_the_multiplier_comes_to_one_never_above_and_never_to_zero():
    constraint = Constraint(1e-3, 1 / 3, 3.0, 0.0)
    betas = [float(constraint.move(tf.constant(0.0), tf.constant(0.5))[0]) for _ in range(200)]
    assert max(betas) <= 1 and betas[-1] == pytest.approx(1, abs=1e-3)
    assert float(constraint.move(tf.constant(1e9), tf.constant(0.5))[0]) == np.float32(LEAST)
    betas = [float(constraint.move(tf.constant(0.0), tf.constant(0.5))[0]) for _ in range(200)]
    assert betas[-1] == pytest.approx(1, abs=1e-3)


# The game ------------------------------------------------------------------------------------------------------------


def small(**arguments):
    encoder, decoder = network("plain", [(3,)], (4,)), network("plain", [(2,)], (3,), seed=10)
    prior = HierarchicalPrior(2, inner_dim=1, samples=2, width=3, depth=1)
    return HierarchicalVAE(encoder=encoder, decoder=decoder, prior=prior, likelihood="gaussian", **arguments)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("rms_error", [10.0, 1e-3])
def test_one_step_moves_the_networks_down_the_weighted_bound_and_the_prior_once_the_error_is_in_bounds(rms_error):
    model, x = small(rms_error=rms_error, start=0.3), np.random.default_rng(0).uniform(size=(5, 3))
    prior, (encoder, decoder), outputs = model.prior, (model.encoder, model.decoder), []
    normal = lambda v, m, s: -tf.reduce_sum(((v - m) / s) ** 2 / 2 + tf.math.log(s) + np.log(2 * np.pi) / 2, -1)  # noqa: E731
    scale = lambda raw: 1e-5 + tf.math.softplus(raw + np.log(np.expm1(1 - 1e-5)))  # noqa: E731

    def kl_and_error(noise, raw=None):
        raw = encoder(x, training=True) if raw is None else raw
        s = scale(raw[:, 2:])
        z = raw[:, :2] + s * noise["code"]
        inner, parts = prior.inference(z), []
        for k in range(2):
            y = inner[:, :1] + scale(inner[:, 1:]) * noise["prior"][:, k : k + 1]
            outer = prior.generator(y)
            log_p = normal(z, outer[:, :2], scale(outer[:, 2:])) + normal(y, 0.0, tf.ones_like(y))
            parts.append(tf.exp(log_p - normal(y, inner[:, :1], scale(inner[:, 1:]))))
        kl = normal(z, raw[:, :2], s) - tf.math.log(tf.add_n(parts) / 2)
        return tf.reduce_mean(kl), tf.reduce_mean((x - decoder(z, training=True)) ** 2)

    def retyped(phase, noise):
        if phase == "prior":  # on the codes of the pass that both phases share, before the encoder moved
            return {"prior": lambda: kl_and_error(noise, outputs[0])[0]} if rms_error > 1 else {}
        outputs.append(tf.constant(encoder(x, training=True).numpy()))
        (beta, _, _), *_ = moved(
            [float(kl_and_error(noise)[1])], allowed=rms_error**2, start=0.3, rate=0.05, slope=3.0, decay=0.95
        )

        def loss():
            kl, error = kl_and_error(noise)
            return np.float32(beta) * kl + 3 * error / 2 + 1.5 * np.log(2 * np.pi)

        return {"auto_encoder": loss}

    _, logs = check_one_step(model, x, retyped)
    assert float(logs["constraint_met"]) == (rms_error > 1)
    expected = logs["beta"] * logs["kl_nats_sum"] - logs["log_likelihood_density_nats_sum"]
    np.testing.assert_allclose(logs["auto_encoder_loss"], expected, rtol=1e-5)
    assert (float(model.constraint.beta.numpy()) > np.float32(0.3)) == (rms_error > 1)


def test_a_prior_without_weights_has_no_move_and_a_frozen_one_stays():
    assert [move.name for move in create("hierarchical_vae", prior="normal").moves] == ["auto_encoder"]
    model = create("hierarchical_vae", prior=LearnedMixture(2, trainable=False))
    assert [move.name for move in model.moves] == ["auto_encoder"]


@pytest.mark.slow
def test_the_state_of_the_constraint_is_saved_and_training_goes_on_as_if_never_stopped(tmp_path):
    model = compiled("hierarchical_vae", {"run_eagerly": True}, start=0.5)
    train(model, dataset(images(2 * BATCH)))
    assert float(model.constraint.beta.numpy()) > 0.5 and float(model.constraint.met.numpy()) == 1
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    for one in (model, loaded):
        train(one, dataset(images(2 * BATCH)))
    for left, right in zip(weights(model).values(), weights(loaded).values(), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.slow
def test_evaluation_has_a_beta_of_one_and_the_bound_rises_with_codes():
    model, x = create("hierarchical_vae"), images(BATCH)
    model.compile()
    scores = model.evaluate(x, batch_size=BATCH, verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(scores["kl_nats_sum"] - scores["log_likelihood_nats_sum"], rel=1e-5)
    assert float(model.constraint.error.numpy()) == -1  # evaluation moves nothing
    elbo = np.mean([model.elbo(x, seed) for seed in range(3)])
    assert elbo < model.importance_weighted_bound(x, 50).mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rms_error": 0.0}, "`rms_error` must be a finite number > 0. Received: rms_error=0.0"),
        ({"start": 0.0}, r"`start` must be in \[1e-06, 1\]"),
        ({"start": 1.5}, r"`start` must be in \[1e-06, 1\]"),
        ({"slope": -1.0}, "`slope` must be a finite number > 0"),
        ({"rate": 0.5}, "`rate` and `slope` must have a product of at most 1. Received: rate=0.5, slope=3"),
        ({"decay": 1.0}, r"`decay` must be in \[0, 1\)"),
        ({"prior": "uniform"}, "`prior` must have a density wherever"),
        ({"likelihood": "shift_gaussian"}, "`likelihood` must"),
        ({"classes": 3}, "`classes` is not taken by HierarchicalVAE: its hierarchical prior"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("hierarchical_vae", **arguments)
