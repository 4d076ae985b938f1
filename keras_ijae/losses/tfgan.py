"""TF-GAN 2.1.0, the last release, on today's TensorFlow: a reference, and further adversarial losses."""

import contextlib
import functools
import importlib
import sys
import types
import warnings
from collections.abc import Iterator

import tensorflow as tf

LOSSES = ("least_squares", "minimax", "modified", "wasserstein", "wasserstein_hinge")
"""TF-GAN's losses of a discriminator, and of a generator that looks at fake logits alone, with TF-GAN's defaults:
minimax and modified smooth the discriminator's labels by 0.25. Those of Wasserstein leave the
critic unbounded: use a discriminator with spectral normalisation."""

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
        loss = load_tfgan().losses.wargs.relativistic_generator_loss(real_logits, fake_logits)
    """
    with _stand_ins(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of distutils and pkg_resources, which TF-GAN still uses
        try:
            return importlib.import_module("tensorflow_gan")
        except ImportError as error:
            sys.modules.pop(_ESTIMATOR)
            raise ImportError(f'TF-GAN needs `pip install "keras_ijae[tfgan]"`. Received: {error}') from error


def discriminator_loss(objective: str, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """What the discriminator lowers under the `objective` "tfgan:NAME", NAME one of `LOSSES`.

    A mean over `real_logits` and one over `fake_logits`, of any shape: a scalar."""
    return _loss(objective, "discriminator", real_logits, fake_logits)


def generator_loss(objective: str, fake_logits: tf.Tensor) -> tf.Tensor:
    """What the generator lowers under the `objective` "tfgan:NAME", NAME one of `LOSSES`: a mean over `fake_logits`."""
    return _loss(objective, "generator", fake_logits)


def _loss(objective, player, *logits):
    loss = getattr(load_tfgan().losses.wargs, f"{objective.removeprefix('tfgan:')}_{player}_loss")
    return tf.cast(loss(*logits, loss_collection=None), logits[0].dtype)


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    """What TF-GAN's import looks for and nobody has."""
    sys.modules[_ESTIMATOR] = types.ModuleType(_ESTIMATOR)
    if hasattr(tf, "estimator"):
        yield
        return
    tf.estimator = types.SimpleNamespace(SessionRunHook=tf.compat.v1.train.SessionRunHook)
    try:
        yield
    finally:
        del tf.estimator
