"""Distances and losses against TF-GAN's, where it is installed."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from extras import needs
from tiny import network

import keras_ijae as ki
from keras_ijae import losses, metrics
from keras_ijae.losses import tfgan
from keras_ijae.losses.penalties import wasserstein_gradient_penalty
from keras_ijae.losses.tfgan import load_tfgan
from keras_ijae.models import Played

needs_tfgan = needs("tensorflow_gan")
REAL, FAKE = (tf.constant(np.random.default_rng(i).normal(size=(50, 1)) * 3, tf.float32) for i in (0, 1))


def _features(n, d, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d) + 0.3 * rng.normal(size=d)


def test_without_tfgan_the_error_says_what_to_install_and_leaves_nothing_behind(monkeypatch):
    before = set(sys.modules)
    monkeypatch.setitem(sys.modules, "tensorflow_gan", None)
    with pytest.raises(ImportError, match=r"keras_ijae\[tfgan\]"):
        load_tfgan.__wrapped__()
    assert not hasattr(tf, "estimator") and "tensorflow_gan.python.estimator" not in set(sys.modules) - before


def test_without_tfgan_a_game_with_its_loss_is_refused_when_it_is_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_gan", None)
    monkeypatch.setattr(tfgan, "load_tfgan", load_tfgan.__wrapped__)
    with pytest.raises(ImportError, match=r"keras_ijae\[tfgan\]"):
        ki.create("gan", (2,), 2, objective="tfgan:least_squares")


@needs_tfgan
def test_it_is_imported_once_and_tensorflow_is_as_before():
    assert load_tfgan().__version__ == "2.1.0" and load_tfgan() is load_tfgan()
    assert not hasattr(tf, "estimator")


@needs_tfgan
@pytest.mark.parametrize("d", [4, 32])
def test_the_frechet_distance_agrees(d):
    a, b = _features(600, d, 0), _features(500, d, 1)
    theirs = load_tfgan().eval.frechet_classifier_distance_from_activations(tf.constant(a), tf.constant(b))
    assert metrics.frechet_distance(a, b) == pytest.approx(float(theirs), rel=1e-6)


@needs_tfgan
def test_the_kernel_distance_of_one_block_agrees_for_sets_of_different_size():
    a, b = _features(300, 16, 0), _features(400, 16, 1)
    theirs = load_tfgan().eval.kernel_classifier_distance_from_activations(tf.constant(a), tf.constant(b))
    assert metrics.kernel_distance(a, b, subset_size=None).mean == pytest.approx(float(theirs), rel=1e-9)


@needs_tfgan
def test_the_inception_score_of_one_split_agrees():
    logits = 2 * np.random.default_rng(0).normal(size=(200, 10))
    theirs = load_tfgan().eval.classifier_score_from_logits(tf.constant(logits))
    ours = metrics.inception_score(tf.nn.softmax(tf.constant(logits)), splits=1)
    assert ours.mean == pytest.approx(float(theirs), rel=1e-9)


@needs_tfgan
def test_adversarial_losses_agree():
    theirs = load_tfgan().losses.wargs
    expected = theirs.minimax_discriminator_loss(REAL, FAKE, label_smoothing=0.0)
    assert float(losses.discriminator_loss(REAL, FAKE)) == pytest.approx(float(expected), rel=1e-6)
    expected = theirs.modified_generator_loss(FAKE, label_smoothing=0.0)
    assert float(losses.generator_loss(FAKE)) == pytest.approx(float(expected), rel=1e-6)
    expected = theirs.minimax_generator_loss(FAKE, label_smoothing=0.0) + np.log1p(
        np.exp(-1)
    )  # its "real" logits are 1
    assert float(losses.generator_loss(FAKE, "minimax")) == pytest.approx(float(expected), rel=1e-6)
    expected = theirs.wasserstein_generator_loss(FAKE)
    assert float(losses.generator_loss(FAKE, "log_ratio")) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.slow
@needs_tfgan
def test_the_gradient_penalty_agrees_where_its_random_points_are_fixed():
    x = tf.constant(_features(20, 3, 0), tf.float32)

    def critic(values, _=None):
        return tf.reduce_sum(tf.sin(values) * [1.0, 2.0, 3.0], axis=1, keepdims=True)

    theirs = tf.function(lambda: load_tfgan().losses.wargs.wasserstein_gradient_penalty(x, x, None, critic, "critic"))
    ours = wasserstein_gradient_penalty(critic, x, x, tf.fill([20], 0.4))
    assert float(ours) == pytest.approx(float(theirs()), rel=1e-5)


def _hinge(x):
    return np.maximum(x, 0)


SMOOTHED = 0.125  # sigmoid_cross_entropy's label_smoothing 0.25 turns the label 1 into 0.875
PLUGGED = {  # of the discriminator and of the generator, written out
    "least_squares": (lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2, lambda f: ((f - 1) ** 2).mean() / 2),
    "minimax": (
        lambda r, f: (np.log1p(np.exp(-r)) + SMOOTHED * r).mean() + np.log1p(np.exp(f)).mean(),
        lambda f: -np.log1p(np.exp(f)).mean() - np.log1p(np.exp(-1)),  # it takes real logits of 1 for the constant
    ),
    "modified": (
        lambda r, f: (np.log1p(np.exp(-r)) + SMOOTHED * r).mean() + np.log1p(np.exp(f)).mean(),
        lambda f: np.log1p(np.exp(-f)).mean(),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
    "wasserstein_hinge": (lambda r, f: _hinge(1 - r).mean() + _hinge(1 + f).mean(), lambda f: -f.mean()),
}


@needs_tfgan
@pytest.mark.parametrize("name", tfgan.LOSSES)
def test_its_losses_by_name_are_the_published_ones(name):
    judge, player = PLUGGED[name]
    real, fake = (np.asarray(logits, np.float64) for logits in (REAL, FAKE))
    assert float(losses.discriminator_loss(REAL, FAKE, f"tfgan:{name}")) == pytest.approx(judge(real, fake), rel=1e-5)
    assert float(losses.generator_loss(FAKE, f"tfgan:{name}")) == pytest.approx(player(fake), rel=1e-5)


@keras.saving.register_keras_serializable("tests")
class LeastSquares(ki.models.GAN):
    """Mao et al. 2017, written by hand."""

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            return Played(
                {"decoder": tf.reduce_mean((self.discriminator(forward["fake"], training=True) - 1) ** 2) / 2}
            )
        real, fake = (self.discriminator(x, training=True) for x in (batch.x, tf.stop_gradient(forward["fake"])))
        return Played({"discriminator": tf.reduce_mean((real - 1) ** 2) / 2 + tf.reduce_mean(fake**2) / 2})


@needs_tfgan
@pytest.mark.slow
def test_a_game_plays_its_losses_compiled_and_goes_on_after_loading(tmp_path):
    networks = {"decoder": network("plain", [(2,)], (2,)), "discriminator": network("plain", [(2,)], (1,), seed=5)}
    plugged = ki.models.GAN(**networks, objective="tfgan:least_squares")
    by_hand = LeastSquares(**{role: keras.models.clone_model(network) for role, network in networks.items()})
    by_hand.set_weights(plugged.get_weights())
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")

    def play(model):
        model.fit(x, batch_size=4, shuffle=False, verbose=0)
        return model.get_weights()

    rates = {move: keras.optimizers.SGD(0.1) for move in ("discriminator", "decoder")}
    plugged.compile(rates, jit_compile=True), by_hand.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = plugged.get_weights()
    after = play(plugged)
    assert max(np.abs(a - b).max() for a, b in zip(before, after, strict=True)) > 1e-3
    for ours, theirs in zip(after, play(by_hand), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    plugged.save(tmp_path / "m.keras")
    for ours, theirs in zip(play(plugged), play(ki.load_model(tmp_path / "m.keras")), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_losses_that_tfgan_has_not_are_refused():
    with pytest.raises(ValueError, match="`objective` must be one of .*tfgan:least_squares.*'tfgan:relativistic'"):
        losses.generator_loss(FAKE, "tfgan:relativistic")
