"""Trained critics against the closed forms of W1 between Gaussians."""

import numpy as np
import pytest
import tensorflow as tf
from systems import quick

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab import train_critic
from keras_ijae.lab.critic import slopes


def gaussian(mean, stddev):
    return tfp().distributions.MultivariateNormalDiag(tf.constant(mean), tf.fill([len(mean)], stddev))


CLIP = {"constraint": "clip", "activation": "tanh"}
SHIFTS = [([1.0], {}), ([0.0, -2.0, 0.0], {}), ([1.0], {"penalty": 0.1}), ([1.0], CLIP), ([3.0, 4.0], CLIP)]


@pytest.mark.slow
@pytest.mark.parametrize("case", quick(SHIFTS, [([3.0, 4.0], {}), ([1.0], CLIP)]), ids=str)
def test_a_shift_is_its_length_apart(case):
    shift, options = case
    d = len(shift)
    found = train_critic(gaussian([0.0] * d, 1.0), gaussian(shift, 1.0), steps=800, **options)
    assert found.value == pytest.approx(np.linalg.norm(shift), rel=0.05)
    assert found.value == found.difference / found.slope
    if found.slope > 0.5 and not options:  # W s - 10 (s - 1)^2 is largest at 1 + W / 20
        assert found.difference / np.linalg.norm(shift) == pytest.approx(1 + np.linalg.norm(shift) / 20, rel=0.03)


@pytest.mark.slow
def test_a_weak_penalty_finds_the_kink_that_a_change_of_width_needs():
    """W1 = (2 - 1) sqrt(2 / pi), by f = -|x|; no line tells N(0, 1) from N(0, 4)."""
    exact = (2 / np.pi) ** 0.5
    found = train_critic(gaussian([0.0], 1.0), gaussian([0.0], 2.0), penalty=0.1)
    assert 0.85 * exact < found.value < 1.02 * exact


def test_clipped_critics_have_clipped_weights_and_stay_below_the_distance():
    found = train_critic(gaussian([0.0], 1.0), gaussian([1.0], 1.0), "clip", clip=0.01, steps=50)
    largest = max(np.abs(weight).max() for weight in found.network.get_weights())
    assert largest <= np.float32(0.01) and found.slope <= 0.01**3 * 32**2 * 1.001
    assert found.value <= 1.02


def test_equal_distributions_are_nearly_0_apart():
    found = train_critic(gaussian([0.0, 0.0], 1.0), gaussian([0.0, 0.0], 1.0), steps=200)
    assert abs(found.value) < 0.05


@pytest.mark.slow
def test_a_seed_repeats_the_training():
    values = [train_critic(gaussian([0.0], 1.0), gaussian([1.0], 1.0), steps=20, seed=seed).value for seed in (3, 3, 4)]
    assert values[0] == values[1] != values[2]


def test_slopes_are_the_norms_of_the_gradients():
    norms = slopes(lambda x: tf.reduce_sum(x**2, axis=1, keepdims=True), tf.constant([[3.0, 4.0], [0.0, 1.0]]))
    np.testing.assert_allclose(norms, [10, 2])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"constraint": "spectral"}, "`constraint` must be one of 'penalty', 'clip'. Received: constraint='spectral'"),
        ({"clip": 0.0}, "`clip` must be a finite number > 0. Received: clip=0.0"),
        ({"penalty": -1.0}, "`penalty` must be a finite number > 0"),
        ({"steps": 0}, "`steps` must be an integer >= 1"),
        ({"p": None}, "`p` must be of type Distribution. Received: p=None"),
        ({"q": tfp().distributions.Normal(0.0, 1.0)}, r"`q` must be one distribution.*event_shape=\[\]"),
        (
            {"q": tfp().distributions.MultivariateNormalDiag([[0.0]])},
            r"`q` must be one distribution.*batch_shape=\[1\]",
        ),
        ({"q": gaussian([0.0, 0.0], 1.0)}, r"must have one event shape \(d,\). Received: \(1,\) and \(2,\)"),
    ],
)
def test_bad_settings_are_refused_by_name_and_value(options, message):
    sides = {"p": gaussian([0.0], 1.0), "q": gaussian([1.0], 1.0)}
    with pytest.raises(ValueError, match=message):
        train_critic(**{**sides, **options})
