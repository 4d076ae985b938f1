"""The symmetric likelihoods by cyclic shifts."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp

from keras_ijae import random
from keras_ijae.distributions import CyclicShift, ShiftGaussian
from keras_ijae.distributions.likelihoods import get

SHAPE = (7, 9, 2)


def _images(count):
    return tf.constant(np.random.default_rng(0).uniform(size=(count, *SHAPE)), tf.float32)


@pytest.mark.parametrize("max_shift, decay", [(0, 0.5), (1, 0.9), (2, 0.5), (3, 0.999)])
def test_law_of_the_shifts_is_symmetric_with_strict_mode_at_zero(max_shift, decay):
    law = CyclicShift(max_shift, decay).probabilities()
    shifts = np.arange(-max_shift, max_shift + 1)
    assert law.shape == shifts.shape
    np.testing.assert_allclose(law.sum(), 1.0, rtol=1e-14)
    np.testing.assert_array_equal(law, law[::-1])
    assert abs((law * shifts).sum()) < 1e-15
    assert (law[shifts != 0] < law[max_shift]).all()
    np.testing.assert_allclose(law / law[max_shift], decay ** np.abs(shifts), rtol=1e-12)


def test_shifts_of_rows_and_columns_are_independent_with_the_stated_frequencies():
    likelihood, count = CyclicShift(2, 0.5), 40_000
    shifts = likelihood.shifts(random.uniform((count, 2), 0)).numpy()
    assert shifts.min() == -2 and shifts.max() == 2
    joint = np.histogram2d(shifts[:, 0], shifts[:, 1], bins=np.arange(-2.5, 3))[0] / count
    law = likelihood.probabilities()
    np.testing.assert_allclose(joint, np.outer(law, law), atol=5 * 0.4 / np.sqrt(count))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_uniforms_give_the_extreme_shifts(dtype):
    uniform = tf.constant([[2.0**-24, 1 - 2.0**-24]], dtype)
    np.testing.assert_array_equal(CyclicShift(3, 0.2).shifts(uniform), [[-3, 3]])


@pytest.mark.parametrize("compiled", [False, True])
def test_each_image_is_rolled_by_its_own_shift_and_wraps(compiled):
    likelihood, images, uniform = CyclicShift(3, 0.9), _images(16), random.uniform((16, 2), 1)
    draw = tf.function(likelihood.draw, jit_compile=True) if compiled else likelihood.draw
    shifts = likelihood.shifts(uniform).numpy()
    assert len(np.unique(shifts, axis=0)) > 5
    expected = [tf.roll(image, shift, axis=(0, 1)) for image, shift in zip(images, shifts, strict=True)]
    np.testing.assert_array_equal(draw(images, uniform), np.stack(expected))


def test_opposite_uniforms_undo_the_shift():
    likelihood, images, uniform = CyclicShift(2, 0.5), _images(8), random.uniform((8, 2), 2)
    back = likelihood.draw(likelihood.draw(images, uniform), 1.0 - uniform)
    np.testing.assert_array_equal(back, images)


def test_no_shift_is_the_identity():
    images, uniform = _images(4), random.uniform((4, 2), 3)
    np.testing.assert_array_equal(CyclicShift(0).draw(images, uniform), images)
    np.testing.assert_array_equal(CyclicShift(2).mean(images), images)


def test_gradient_of_a_draw_is_rolled_back_to_the_parameters():
    likelihood, images, uniform = CyclicShift(2), _images(3), random.uniform((3, 2), 4)
    weights = tf.reverse(_images(3), [0])
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(weights * likelihood.draw(images, uniform))
    np.testing.assert_allclose(tape.gradient(value, images), likelihood.draw(weights, 1.0 - uniform))


def test_shift_gaussian_adds_noise_of_its_sigma_to_the_shifted_image():
    likelihood, images = ShiftGaussian(2, sigma=0.05, decay=0.4), _images(500)
    uniform = random.uniform((500, *likelihood.noise_shape(SHAPE)), 5)
    residual = likelihood.draw(images, uniform) - CyclicShift(2, 0.4).draw(images, uniform[:, :2])
    assert abs(np.mean(residual)) < 5 * 0.05 / np.sqrt(residual.shape.num_elements())
    assert abs(np.std(residual) / 0.05 - 1) < 0.02


@pytest.mark.parametrize("likelihood", [CyclicShift(), ShiftGaussian()])
def test_log_prob_is_a_clear_error(likelihood):
    with pytest.raises(NotImplementedError, match="no tractable `log_prob`"):
        likelihood.log_prob(_images(1), _images(1))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CyclicShift(-1), "`max_shift` must be an integer >= 0.*-1"),
        (lambda: CyclicShift(1.5), "`max_shift` must be an integer"),
        (lambda: CyclicShift(2, decay=1.0), r"`decay` must be in \(0, 1\).*1.0"),
        (lambda: CyclicShift(2, decay=0.0), r"`decay` must be in \(0, 1\)"),
        (lambda: ShiftGaussian(2, sigma=0.0), "`sigma` must be"),
        (lambda: get("cyclic_shift", (16,)), r"shifts images.*data_shape=\(16,\)"),
        (lambda: get(CyclicShift(4), (8, 28, 1)), "less than half of height and width.*max_shift=4"),
    ],
)
def test_bad_arguments_are_named_in_the_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def log_density(likelihood, y, a):
    """log r(y | a) of one image, up to a constant: the mixture over all shifts, written out."""
    law, steps = likelihood.probabilities(), np.arange(-likelihood.max_shift, likelihood.max_shift + 1)
    return logsumexp(
        [
            np.log(law[i] * law[j]) - ((y - np.roll(a, (di, dj), (0, 1))) ** 2).sum() / (2 * likelihood.sigma**2)
            for i, di in enumerate(steps)
            for j, dj in enumerate(steps)
        ]
    )


@pytest.mark.parametrize("sigma", [0.05, 0.5, 2.0])
def test_shift_gaussian_is_symmetric_for_every_sigma(sigma):
    likelihood, (a, y) = ShiftGaussian(1, sigma), np.random.default_rng(1).uniform(size=(2, *SHAPE))
    np.testing.assert_allclose(log_density(likelihood, y, a), log_density(likelihood, a, y), rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 2.0])
def test_mode_offset_is_the_gradient_at_the_image_in_standard_deviations(sigma):
    likelihood, a = ShiftGaussian(1, sigma), np.random.default_rng(1).uniform(size=SHAPE)
    slopes = np.zeros(SHAPE)
    for index in np.ndindex(*SHAPE):
        step = np.zeros(SHAPE)
        step[index] = 1e-5
        slopes[index] = (log_density(likelihood, a + step, a) - log_density(likelihood, a - step, a)) / 2e-5
    found = likelihood.mode_offset(tf.constant(a[None]))
    np.testing.assert_allclose(found, [sigma * np.linalg.norm(slopes)], rtol=1e-4, atol=1e-4)


def test_a_small_sigma_has_its_mode_at_the_image_and_a_large_one_at_the_mean_of_its_shifts():
    a = np.random.default_rng(1).uniform(size=SHAPE)
    assert ShiftGaussian(1, 0.1).mode_offset(tf.constant(a[None])).numpy() < 1e-6
    large, law = ShiftGaussian(1, 3.0), ShiftGaussian(1).probabilities()
    mean = sum(law[i] * law[j] * np.roll(a, (i - 1, j - 1), (0, 1)) for i in range(3) for j in range(3))
    assert large.mode_offset(tf.constant(a[None])).numpy() > 0.5
    assert log_density(large, mean, a) > log_density(large, a, a)
    small = ShiftGaussian(1, 0.1)
    assert log_density(small, mean, a) < log_density(small, a, a)


def test_an_image_that_no_shift_changes_has_its_mode_at_itself():
    np.testing.assert_array_equal(ShiftGaussian(2, 2.0).mode_offset(tf.fill([1, *SHAPE], 0.3)), [0.0])


def test_a_sigma_that_melts_the_shifts_of_every_image_is_refused():
    get(ShiftGaussian(1, 5.6), SHAPE)
    with pytest.raises(ValueError, match=r"`sigma` must be below 5.61249, .*shape \(7, 9, 2\).* Received: sigma=5.62"):
        get(ShiftGaussian(1, 5.62), SHAPE)
