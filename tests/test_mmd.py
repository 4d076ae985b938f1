"""The maximum mean discrepancy against a double loop in NumPy, and against what it estimates."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import losses

SCALES = (0.1, 0.2, 0.5, 1, 2, 5, 10)


def kernel(u, v, variance):
    """Tolstikhin et al. 2018: k = sum_s C / (C + ||u - v||^2), C = 2 m sigma_p^2 s."""
    c = 2 * len(u) * variance * np.array(SCALES)
    return np.sum(c / (c + np.sum((u - v) ** 2)))


def double_loop(a, b, variance=1.0):
    n = len(a)
    within = sum(
        kernel(a[i], a[j], variance) + kernel(b[i], b[j], variance) for i in range(n) for j in range(n) if i != j
    )
    return within / (n * n - n) - 2 * sum(kernel(u, v, variance) for u in a for v in b) / n**2


def samples(n, m, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, m)) + shift, rng.normal(size=(n, m))


@pytest.mark.parametrize("n, m, shift, variance", [(2, 1, 0.0, 1.0), (7, 3, 0.5, 1.0), (12, 8, 2.0, 0.3)])
def test_it_is_the_double_loop(n, m, shift, variance):
    a, b = samples(n, m, shift)
    found = losses.mmd(tf.constant(a), tf.constant(b), variance)
    np.testing.assert_allclose(found, double_loop(a, b, variance), rtol=1e-10, atol=1e-13)


def test_its_gradient_is_that_of_the_double_loop():
    a, b = samples(4, 2, 0.5)
    codes = tf.constant(a)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        value = losses.mmd(codes, tf.constant(b))
    slopes, step = np.zeros_like(a), 1e-6
    for index in np.ndindex(a.shape):
        up, down = a.copy(), a.copy()
        up[index] += step
        down[index] -= step
        slopes[index] = (double_loop(up, b) - double_loop(down, b)) / (2 * step)
    np.testing.assert_allclose(tape.gradient(value, codes), slopes, atol=1e-8)


def test_codes_that_coincide_have_a_finite_gradient():
    codes = tf.constant([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(codes)
        value = losses.mmd(codes, tf.identity(codes))
    assert np.isfinite(tape.gradient(value, codes)).all()


@pytest.mark.parametrize("shift, expected, spread", [(0.0, 0.0001, 0.0119), (1.0, 0.948, 0.082)])
def test_it_is_unbiased_and_sees_a_shift(shift, expected, spread):
    """100 rows in 8 dimensions, over 200 draws: mean and standard deviation as computed elsewhere."""
    estimate = tf.function(losses.mmd)
    found = [float(estimate(*map(tf.constant, samples(100, 8, shift, seed)))) for seed in range(200)]
    np.testing.assert_allclose(np.mean(found), expected, atol=4 * spread / np.sqrt(200))
    np.testing.assert_allclose(np.std(found), spread, rtol=0.2)
    assert shift or min(found) < 0  # an estimate without bias may be below 0


def test_unequal_samples_are_refused():
    for a, b in (((3, 2), (4, 2)), ((3, 2), (3, 1))):
        with pytest.raises(ValueError, match=r"one shape \(n, m\). Received: \(\d, 2\) and \(\d, \d\)"):
            losses.mmd(tf.zeros(a), tf.zeros(b))


def test_a_single_row_has_no_discrepancy_and_finite_gradients():
    assert float(losses.mmd(tf.ones([1, 3]), tf.zeros([1, 3]))) == 0

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def found(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            value = losses.mmd(a, tf.ones_like(a))
        return value, tape.gradient(value, a)

    value, slope = found(np.zeros((1, 3), "float32"))
    assert float(value) == 0 and not np.any(slope)
    assert float(found(np.zeros((2, 3), "float32"))[0]) > 0
