"""What every test stands on: two logical CPUs for replicas, fixed seeds, Keras' global settings as they were."""

import keras
import pytest
import tensorflow as tf

CPUS = 2
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * CPUS
)


@pytest.fixture(autouse=True)
def _as_it_was():
    """Each test starts from the same seeds; what it sets in Keras ends with it."""
    keras.utils.set_random_seed(0)
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    yield
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx(floatx)


@pytest.fixture(scope="session")
def two_replicas():
    """A MirroredStrategy over two logical CPUs."""
    return tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(CPUS)])
