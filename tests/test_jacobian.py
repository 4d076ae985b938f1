"""A decoder's derivative along a direction, by whichever way it is taken, is the Jacobian times the direction."""

import numpy as np
import pytest
import tensorflow as tf
from tiny import float64, network  # noqa: F401

from keras_ijae import losses
from keras_ijae.losses import jacobian

WAYS = {"forward": jacobian._by_a_forward_pass, "reverse": jacobian._by_reverse_passes}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["eagerly", "in a graph"])
def test_it_is_the_jacobian_times_the_direction_and_so_are_its_gradients(way, how):
    decode = network("plain", [(2,)], (3,), hidden=5)
    z, u = (tf.constant(np.random.default_rng(seed).normal(size=(4, 2))) for seed in (0, 1))

    def found(z):
        with tf.GradientTape() as tape:
            tape.watch(z)
            outputs, along = WAYS[way](decode, z, u)
            total = tf.reduce_sum(along**2)
        return outputs, along, tape.gradient(total, z)

    def expected(z):
        with tf.GradientTape() as outer:
            outer.watch(z)
            with tf.GradientTape() as tape:
                tape.watch(z)
                outputs = decode(z)
            along = tf.linalg.matvec(tape.batch_jacobian(outputs, z), u)
            total = tf.reduce_sum(along**2)
        return outputs, along, outer.gradient(total, z)

    for one, other in zip((tf.function(found) if how == "in a graph" else found)(z), expected(z), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_half_precision_is_summed_in_float32():
    along = tf.fill([2, 3], tf.constant(300.0, tf.float16))  # 300^2 is no float16
    np.testing.assert_allclose(losses.jacobian_norm(along, 4), [4 * 3 * 300.0**2] * 2)
