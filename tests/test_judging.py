"""One call for several batches, unless the network normalises by batch statistics or has dropout."""

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.models.judging import logits
from keras_ijae.networks import discriminator


def _batches(count):
    rng = np.random.default_rng(0)
    return [
        [tf.constant(rng.uniform(size=(4, 8, 8, 1)), tf.float32), tf.constant(rng.normal(size=(4, 3)), tf.float32)]
        for _ in range(count)
    ]


def test_logits_of_joined_batches_are_those_of_each_by_itself():
    network = discriminator("mlp", {"x": (8, 8, 1), "z": (3,)}, width=8)
    batches = _batches(3)
    for found, inputs in zip(logits(network, *batches), batches, strict=True):
        np.testing.assert_allclose(found, network(inputs), atol=1e-6)


def test_real_and_fake_do_not_share_batch_statistics():
    inputs = keras.Input((3,))
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(5)(inputs))
    network = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    near, far = tf.random.stateless_normal((6, 3), [0, 1]), 9 + tf.random.stateless_normal((6, 3), [0, 2])
    with keras.StatelessScope():
        found = logits(network, [near], [far])
        alone = [network(near, training=True), network(far, training=True)]
        together = network(tf.concat([near, far], 0), training=True)
    np.testing.assert_allclose(tf.concat(found, 0), tf.concat(alone, 0), atol=1e-6)
    assert np.abs(tf.concat(found, 0) - together).max() > 0.1


def test_dropout_thins_the_network_alike_for_all_batches():
    network = discriminator("mlp", {"x": (3,)}, width=16, dropout=0.5)
    x = tf.random.stateless_normal([4, 3], [0, 1])
    real, fake = logits(network, [x], [x])
    np.testing.assert_array_equal(real, fake)
    assert not np.array_equal(real, network(x))
