"""TF-GAN 2.1.0, the last release, on today's TensorFlow."""

import contextlib
import functools
import importlib
import sys
import types
import warnings
from collections.abc import Iterator

_ESTIMATOR = "tensorflow_gan.python.estimator"


@functools.cache
def load_tfgan() -> types.ModuleType:
    """The module `tensorflow_gan`, which does not import by itself on TensorFlow 2.16 and later.

    `tf.estimator` is gone: for the time of the import a stand-in takes its place, and TF-GAN's own estimators are left
    out. Its losses (`.losses.wargs`), features and evaluation (`.eval`) work; they are functions of discriminator
    outputs and of activations, as those of `keras_ijae.losses` and `keras_ijae.metrics` are.

    Returns:
        The module, its `.estimator` empty.

    Raises:
        ImportError: TF-GAN is not installed, or lacks what it needs.

    Example:
        loss = load_tfgan().losses.wargs.least_squares_discriminator_loss(real_logits, fake_logits)
    """
    with _stand_ins(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of distutils and pkg_resources, which TF-GAN still uses
        try:
            return importlib.import_module("tensorflow_gan")
        except ImportError as error:
            sys.modules.pop(_ESTIMATOR)
            raise ImportError(f'TF-GAN needs `pip install "keras_ijae[tfgan]"`. Received: {error}') from error


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """What TF-GAN's import looks for and nobody has."""
    import tensorflow as tf

    sys.modules[_ESTIMATOR] = types.ModuleType(_ESTIMATOR)
    if hasattr(tf, "estimator"):
        yield
        return
    tf.estimator = types.SimpleNamespace(SessionRunHook=tf.compat.v1.train.SessionRunHook)
    try:
        yield
    finally:
        del tf.estimator
