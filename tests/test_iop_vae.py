"""The implicit optimal prior against closed forms, the plain VAE and a target that is resampled."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy import stats
from systems import BATCH, codes_of_samples, compiled, create, dataset, images, train
from tiny import affine, float64, network, quadratic  # noqa: F401

from keras_ijae import random
from keras_ijae.distributions import ImplicitOptimalPrior, PlanarFlow
from keras_ijae.game import Batch
from keras_ijae.layers import spectral_layers
from keras_ijae.models import IOPVAE, VAE

MEAN, SCALE = np.array([0.5, -1.0]), np.array([0.6, 1.1])  # narrow enough for weights e^T of small variance
# T = log N(z; MEAN, SCALE^2) - log N(z; 0, I); the discriminator has -T.
A, B = np.diag(SCALE**-2 - 1), -MEAN / SCALE**2
C = np.sum(np.log(SCALE) + MEAN**2 / (2 * SCALE**2))


def raw_of(scale):
    return np.log(np.expm1(np.asarray(scale) - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def model_with(discriminator, encoder=None, **arguments):
    encoder = encoder or network("plain", [(3,)], (4,))
    decoder = network("plain", [(2,)], (3,), seed=10)
    networks = {"encoder": encoder, "decoder": decoder, "code_discriminator": discriminator}
    return IOPVAE(**networks, likelihood="gaussian", **arguments)


def played(model, x, noise, phase="auto_encoder"):
    batch, noise = Batch(tf.convert_to_tensor(x)), {name: tf.convert_to_tensor(value) for name, value in noise.items()}
    return model.losses(batch, noise, phase, model.forward(batch, noise, phase))


X = np.random.default_rng(0).uniform(size=(5, 3)).astype("float32")


def test_a_ratio_of_zero_gives_the_loss_of_the_plain_vae():
    """M27 of the reference values: T = 0 equals VAE."""
    model = model_with(affine(np.zeros((2, 1)), [0.0], (2,)), beta=1.5)
    vae = VAE(encoder=model.encoder, decoder=model.decoder, likelihood="gaussian", beta=1.5)
    noise = {"code": random.normal((5, 2), 0)}
    found = played(model, X, noise)
    expected = vae.losses(Batch(tf.constant(X)), noise, "auto_encoder", {})
    np.testing.assert_allclose(found.losses["auto_encoder"], expected.losses["auto_encoder"], rtol=1e-6)
    np.testing.assert_allclose(found.logs["kl_estimate_sum"], expected.logs["kl_nats_sum"], rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_the_exact_ratio_gives_the_kl_to_the_distribution_of_the_codes():
    mean, scale = np.array([0.2, -0.4]), np.array([0.5, 0.8])
    encoder = affine(np.zeros((3, 4)), np.concatenate([mean, raw_of(scale)]), (3,))
    model = model_with(quadratic(A, B, C, (2,)), encoder)
    noise = np.array(np.meshgrid([-1.0, 1.0], [-1.0, 1.0])).reshape(2, -1).T  # exact for quadratic T
    found = played(model, np.zeros((4, 3)), {"code": noise}).logs["kl_estimate_sum"]
    exact = np.sum(np.log(SCALE / scale) + (scale**2 + (mean - MEAN) ** 2) / (2 * SCALE**2) - 0.5)
    np.testing.assert_allclose(found, exact, atol=1e-9)
    z = np.array([[0.3, 0.7], [-2.0, 1.0]])
    ratio = (stats.norm.logpdf(z, MEAN, SCALE) - stats.norm.logpdf(z)).sum(1)
    np.testing.assert_allclose(model.log_ratio(tf.constant(z)), ratio, atol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("steps", [1, 2])
def test_one_step_moves_the_discriminator_then_the_networks_with_the_ratio_as_it_is(steps):
    model = model_with(
        network("plain", [(2,)], (1,), seed=20), beta=2.0, discriminator_steps=steps, ratio_weight=0.7, ema=None
    )
    encoder, decoder, c = model.encoder, model.decoder, model.code_discriminator
    x = X.astype("float64")

    def draw(noise):
        raw = encoder(x, training=True)
        scale = 1e-5 + tf.math.softplus(raw[:, 2:] + np.log(np.expm1(1 - 1e-5)))
        kl = tf.reduce_sum(raw[:, :2] ** 2 + scale**2 - 1 - 2 * tf.math.log(scale), 1) / 2
        return raw[:, :2] + scale * noise, kl

    def retyped(phase, noise):
        def judge():
            real, fake = c(noise["z"], training=True), c(draw(noise["judged"])[0], training=True)
            return -tf.reduce_mean(tf.math.log(tf.sigmoid(real)) + tf.math.log(1 - tf.sigmoid(fake)))

        def play():
            z, kl = draw(noise["code"])
            error = tf.reduce_sum((x - decoder(z, training=True)) ** 2, 1) / 2 + 1.5 * np.log(2 * np.pi)
            return tf.reduce_mean(error + 2.0 * (kl + 0.7 * c(z, training=True)[:, 0]))

        return {"code_discriminator": judge} if phase == "code_discriminator" else {"auto_encoder": play}

    turns, _ = check_one_step(model, x, retyped)
    assert [turn.phase for turn in turns] == ["code_discriminator"] * steps + ["auto_encoder"]
    draws = [turn.noise["judged"].numpy() for turn in turns[:steps]] + [turns[-1].noise["code"].numpy()]
    assert all(not np.array_equal(a, b) for a, b in zip(draws, draws[1:], strict=False))  # anew each time


@pytest.mark.slow
def test_samples_have_the_distribution_whose_ratio_is_known_and_do_not_depend_on_how_many_are_drawn():
    model = model_with(quadratic(A, B, C, (2,)))
    z = codes_of_samples(model, 4_000, 0)
    for column in range(2):
        cdf = stats.norm(MEAN[column], SCALE[column]).cdf
        assert stats.kstest(z[:, column], cdf).statistic < 0.03
        assert stats.kstest(z[:, column], stats.norm.cdf).statistic > 0.1
    for rows in (1, 64, 70):
        np.testing.assert_array_equal(codes_of_samples(model, rows, 0), z[:rows])
    np.testing.assert_array_equal(model.prior.sample(7, 0), z[:7])
    assert not np.array_equal(codes_of_samples(model, 7, 1), z[:7])
    alone = codes_of_samples(model_with(quadratic(A, B, C, (2,)), candidates=1), 4_000, 0)
    assert stats.kstest(alone[:, 0], stats.norm.cdf).statistic < 0.03  # of one candidate that one is taken


@pytest.mark.parametrize("logit", [-1e30, 1e30])
def test_samples_are_finite_at_saturated_ratios(logit):
    model = model_with(affine(np.zeros((2, 1)), [logit], (2,)))
    assert np.isfinite(codes_of_samples(model, 70, 0)).all()


@pytest.mark.slow
def test_an_exported_model_samples_with_the_discriminator_as_it_is(tmp_path):
    model = compiled("iop_vae", {"run_eagerly": True})
    train(model, dataset(images(BATCH)))
    assert not [w for w in model.prior.weights]  # the discriminator is the model's, and saved once
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(
        codes_of_samples(keras.models.load_model(tmp_path / "m.keras"), 70, 3), codes_of_samples(model, 70, 3)
    )
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served")).signatures
    found = served["sample_codes"](n=tf.constant(70), seed=tf.constant(3))["codes"]
    np.testing.assert_array_equal(found, codes_of_samples(model, 70, 3))


def test_it_has_no_bounds_and_says_what_it_estimates():
    model = create("iop_vae")
    assert not model.has_bounds
    with pytest.raises(ValueError, match="This IOPVAE has no bounds of log p"):
        model.elbo(images(3))
    with pytest.raises(NotImplementedError, match="ImplicitOptimalPrior has no density"):
        model.prior.log_prob(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no samples before it is the prior of a model"):
        ImplicitOptimalPrior(2).sample(1, 0)
    with pytest.raises(ValueError, match="`prior` cannot be an ImplicitOptimalPrior here.*Received: a GAN"):
        create("gan", prior=ImplicitOptimalPrior(2))


@pytest.mark.slow
def test_codes_of_data_come_to_be_the_prior():
    """An encoder that does not learn gives N(MEAN, SCALE^2); the discriminator finds it."""
    encoder = affine(np.zeros((3, 4)), np.concatenate([MEAN, raw_of(SCALE)]), (3,))
    encoder.trainable = False
    model = model_with(network("plain", [(2,)], (1,), hidden=16), encoder, discriminator_steps=1, ema=None)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False, steps_per_execution=50)
    model.fit(np.random.default_rng(0).uniform(size=(12_800, 3)).astype("float32"), batch_size=64, epochs=4, verbose=0)
    z = codes_of_samples(model, 5_000, 0)
    np.testing.assert_allclose(z.mean(0), MEAN, atol=0.15)
    np.testing.assert_allclose(z.std(0), SCALE, atol=0.15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"candidates": 0}, "`candidates` must be an integer >= 1. Received: candidates=0"),
        ({"discriminator_steps": 0}, "`discriminator_steps` must be an integer >= 1"),
        ({"ratio_weight": 1.5}, r"`ratio_weight` must be in \[0, 1\]. Received: ratio_weight=1.5"),
        ({"beta": -1.0}, "`beta` must be a finite number >= 0"),
        ({"warm_up_steps": -1}, "`warm_up_steps` must be an integer >= 0"),
        ({"posterior": "sticks"}, "`prior` must have a density wherever codes of StickBreaking"),
        ({"likelihood": "shift_gaussian"}, "`likelihood` must"),
        ({"posterior": PlanarFlow(3)}, "`posterior` must have latent_dim=2"),
        ({"classes": 3}, "`classes` is not taken by IOPVAE: its prior is one density for the codes of all labels"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        create("iop_vae", **arguments)


def test_the_paper_has_ten_moves_of_the_discriminator_and_its_rates():
    model = create("iop_vae", preset="paper", discriminator_steps=10)
    model.compile()
    rates = {move: float(o.learning_rate) for move, o in model.optimizer.by_move.items()}
    assert rates == {"code_discriminator": pytest.approx(1e-3), "auto_encoder": pytest.approx(1e-4)}
    assert model.ema is None
    assert IOPVAE.PRESETS["paper"].arguments == {"discriminator_steps": 10, "ratio_weight": 1.0}


def test_the_discriminator_is_free_to_be_steep():
    assert not list(spectral_layers(create("iop_vae").code_discriminator))
    assert list(spectral_layers(create("avb").posterior_discriminator))
