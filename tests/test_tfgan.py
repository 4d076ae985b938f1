"""Distances and losses against TF-GAN's, where it is installed."""

import importlib.util
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import losses, metrics
from keras_ijae.losses.penalties import wasserstein_gradient_penalty
from keras_ijae.losses.tfgan import load_tfgan

needs_tfgan = pytest.mark.skipif(importlib.util.find_spec("tensorflow_gan") is None, reason="needs the extra `tfgan`")
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


@needs_tfgan
def test_the_gradient_penalty_agrees_where_its_random_points_are_fixed():
    x = tf.constant(_features(20, 3, 0), tf.float32)

    def critic(values, _=None):
        return tf.reduce_sum(tf.sin(values) * [1.0, 2.0, 3.0], axis=1, keepdims=True)

    theirs = tf.function(lambda: load_tfgan().losses.wargs.wasserstein_gradient_penalty(x, x, None, critic, "critic"))
    ours = wasserstein_gradient_penalty(critic, x, x, tf.fill([20], 0.4))
    assert float(ours) == pytest.approx(float(theirs()), rel=1e-5)
