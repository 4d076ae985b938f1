"""What every test stands on: two logical CPUs for replicas, XLA where asked for, fixed seeds, settings as they were."""

import collections
import gc

import keras
import pytest
import tensorflow as tf

CPUS = 2
LONGEST = "test_workers.py"
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * CPUS
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """`make test` runs one of a file's steps that are compared with finite differences: the others are slow.

    The file with tests of minutes comes first, so that no process ends long after the other.
    """
    items.sort(key=lambda item: item.path.name != LONGEST)
    counts = collections.Counter()
    for item in items:
        if getattr(item, "originalname", "").startswith("test_one_step"):
            counts[item.path] += 1
            if counts[item.path] > 1:
                item.add_marker("slow")


@pytest.fixture(autouse=True, scope="session")
def _imports_are_no_garbage():
    """Half a million objects of the imported libraries, which each full collection would look through."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _xla_where_asked_for():
    """`jit_compile="auto"` is a plain graph: XLA takes seconds to compile a step, and has tests that ask for it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keras.Model, "_resolve_auto_jit_compile", lambda model: False)
        yield


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
