"""Losses on logits against the formulas in probabilities; penalties against finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import gradient
from tiny import expected, float64, network  # noqa: F401

from keras_ijae import losses

REAL, FAKE = np.array([[1.5], [-0.3], [4.0]]), np.array([[-2.0], [0.7]])


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def test_the_discriminator_loss_is_the_cross_entropy_of_both_classes_each_averaged():
    expected = -np.mean(np.log(sigmoid(REAL))) - np.mean(np.log(1 - sigmoid(FAKE)))
    np.testing.assert_allclose(losses.discriminator_loss(tf.constant(REAL), tf.constant(FAKE)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "objective, formula",
    [
        ("minimax", lambda d: np.log(1 - d)),
        ("non_saturating", lambda d: -np.log(d)),
        ("log_ratio", lambda d: np.log(1 - d) - np.log(d)),
    ],
)
def test_the_generator_losses_are_their_formulas(objective, formula):
    loss = losses.generator_loss(tf.constant(FAKE), objective)
    np.testing.assert_allclose(loss, np.mean(formula(sigmoid(FAKE))), rtol=1e-12)


def test_the_default_objective_is_non_saturating_and_an_unknown_one_is_refused_with_the_known():
    assert losses.generator_loss(tf.constant(FAKE)) == losses.generator_loss(tf.constant(FAKE), "non_saturating")
    with pytest.raises(ValueError, match="'minimax', 'non_saturating', 'log_ratio', 'tfgan:.*objective='wgan'"):
        losses.generator_loss(tf.constant(FAKE), "wgan")


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("size", [100.0, 1000.0])
def test_extreme_logits_cost_zero_or_their_size_with_gradients_of_zero_or_one(size, jit):
    none = tf.constant([-1e9])  # a fake that costs nothing
    values_and_slopes = {  # at +size and at -size
        "discriminator": (lambda logit: losses.discriminator_loss(logit, none), [0, size], [0, -1]),
        "non_saturating": (lambda logit: losses.generator_loss(logit, "non_saturating"), [0, size], [0, -1]),
        "minimax": (lambda logit: losses.generator_loss(logit, "minimax"), [-size, 0], [-1, 0]),
        "log_ratio": (lambda logit: losses.generator_loss(logit, "log_ratio"), [-size, size], [-1, -1]),
    }
    for name, (loss, values, slopes) in values_and_slopes.items():

        def value_and_slope(logit, loss=loss):
            with tf.GradientTape() as tape:
                tape.watch(logit)
                value = loss(logit)
            return value, tape.gradient(value, logit)[0]

        found = [tf.function(value_and_slope, jit_compile=jit)(tf.constant([logit])) for logit in (size, -size)]
        np.testing.assert_allclose(np.transpose(found), [values, slopes], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("mean", [0.0, 1.0, 3.0])
def test_at_the_optimal_logit_the_discriminator_loss_is_log_4_less_2_jsd(mean):
    """N(0, 1) against N(mean, 1); at mean 1 it is 1.163451397."""
    logit = lambda x: tf.convert_to_tensor(mean**2 / 2 - mean * x)  # noqa: E731
    value = expected(lambda e: losses.discriminator_loss(logit(e), logit(e + mean)))
    grid = np.linspace(-15, 18, 200_001)
    p, q = (np.exp(-((grid - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in (0.0, mean))
    middle = (p + q) / 2
    jsd = np.trapezoid(p * np.log(p / middle) + q * np.log(q / middle), grid) / 2
    np.testing.assert_allclose(value, np.log(4) - 2 * jsd, atol=1e-6)
    if mean == 1.0:
        np.testing.assert_allclose(value, 1.163451397, atol=1e-8)


def test_accuracy_counts_both_classes_equally_and_a_logit_of_zero_as_wrong():
    assert float(losses.accuracy(tf.constant(REAL), tf.constant(FAKE))) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert losses.accuracy(tf.zeros([2, 1]), tf.zeros([2, 1])) == 0
    logs = losses.discriminator_logs("d", tf.constant(REAL), tf.constant(FAKE))
    assert {name: pytest.approx(float(value)) for name, value in logs.items()} == {
        "d_real_logit": REAL.mean(),
        "d_fake_logit": FAKE.mean(),
        "d_accuracy": (2 / 3 + 1 / 2) / 2,
    }


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", ["plain", "spectral"])
def test_the_gradient_penalty_is_the_mean_squared_norm_over_all_inputs_by_finite_differences(kind):
    net = network(kind, [(3, 3, 1), (2,)], (1,))
    generator = np.random.default_rng(0)
    inputs = [keras.Variable(generator.normal(size=(4, *shape))) for shape in [(3, 3, 1), (2,)]]
    slopes = gradient(lambda: tf.reduce_sum(net([v.value for v in inputs])), inputs)
    expected = np.mean(sum((slope.reshape(4, -1) ** 2).sum(axis=1) for slope in slopes))
    penalty = losses.gradient_penalty(net, [v.value for v in inputs])
    np.testing.assert_allclose(penalty, expected, rtol=1e-8)


def test_the_penalty_of_a_linear_discriminator_is_the_squared_norm_of_its_weights_and_differentiable():
    """W = (3, 4): 25, for any batch; its gradient 2 W."""
    kernel = tf.constant([[3.0], [4.0]])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = losses.gradient_penalty(lambda inputs: inputs[0] @ kernel, [tf.zeros([7, 2])])
    np.testing.assert_allclose(penalty, 25)
    np.testing.assert_allclose(tape.gradient(penalty, kernel), [[6.0], [8.0]])


def test_an_input_that_the_discriminator_ignores_adds_nothing():
    penalty = losses.gradient_penalty(lambda inputs: inputs[0] * 2.0, [tf.zeros([3, 1]), tf.zeros([3, 5])])
    np.testing.assert_allclose(penalty, 4)


def test_the_wasserstein_penalty_of_a_linear_critic_is_its_norm_less_one_squared_and_differentiable():
    """W = (3, 4): (5 - 1)^2 for any batch; its gradient 2 (5 - 1) W / 5."""
    kernel = tf.constant([[3.0], [4.0]])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = losses.wasserstein_gradient_penalty(
            lambda x: x @ kernel, tf.zeros([7, 2]), tf.ones([7, 2]), tf.ones(7)
        )
    np.testing.assert_allclose(penalty, 16)
    np.testing.assert_allclose(tape.gradient(penalty, kernel), [[4.8], [6.4]], rtol=1e-6)


def test_the_wasserstein_penalty_takes_the_norm_of_each_example_between_real_and_fake():
    """critic = |x|^2 / 2 has slope x, over all axes of an image; x between real and fake by each example's mix."""
    generator = np.random.default_rng(0)
    real, fake, mix = (
        generator.normal(size=(5, 2, 2, 3)),
        generator.normal(size=(5, 2, 2, 3)),
        generator.uniform(size=5),
    )
    between = mix[:, None] * real.reshape(5, -1) + (1 - mix[:, None]) * fake.reshape(5, -1)
    expected = np.mean((np.linalg.norm(between, axis=1) - 1) ** 2)
    tensors = [tf.constant(array) for array in (real, fake, mix)]
    critic = lambda x: tf.reduce_sum(tf.reshape(x, [5, -1]) ** 2, axis=1, keepdims=True) / 2  # noqa: E731
    np.testing.assert_allclose(losses.wasserstein_gradient_penalty(critic, *tensors), expected, rtol=1e-12)


def test_a_flat_critic_has_wasserstein_penalty_one_and_a_finite_gradient():
    kernel = tf.zeros([2, 1])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = losses.wasserstein_gradient_penalty(
            lambda x: x @ kernel, tf.ones([3, 2]), tf.ones([3, 2]), tf.ones(3)
        )
    np.testing.assert_allclose(penalty, 1, atol=1e-5)
    assert np.isfinite(tape.gradient(penalty, kernel)).all()
