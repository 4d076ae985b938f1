"""What stops a run that goes bad."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.game.logs import Logs

_EVERY = 20  # steps between two looks at the flags
_STEERING = (keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint, keras.callbacks.ReduceLROnPlateau)


class TrainingError(RuntimeError):
    """Training stopped: a term or the data became bad; says which and at which step."""


class Watch(keras.callbacks.Callback):
    """Stops training with a TrainingError that names the term and the step; looks every few steps.

    What it finds good it shows to `notice`, a system's function of the means of the logs.
    """

    def __init__(self, logs: Logs, notice: Callable[[dict], None]):
        super().__init__()
        self._logs, self._notice, self._seen = logs, notice, 0

    def on_train_batch_end(self, batch, logs=None):
        if batch // _EVERY != self._seen:
            self._seen = batch // _EVERY
            self._look()

    def on_test_begin(self, logs=None):
        self._look()  # validation resets the flags

    def on_epoch_end(self, epoch, logs=None):
        self._look()

    def _look(self):
        bad = self._logs.bad()
        if bad:
            step = min(bad.values())
            terms = ", ".join(repr(term) for term, at in bad.items() if at == step)
            raise TrainingError(
                f"Training went bad at step {step}: {terms}. Weights saved before that step are good; "
                "a lower learning rate, a penalty on the discriminators or clipping may help"
            )
        if self._logs.filled():  # nothing yet, or validation has reset them
            self._notice(self._logs.result())


def watched(game: Any, callbacks: Any) -> list | keras.callbacks.CallbackList:
    """The callbacks of a `fit`, and one that watches it; a `CallbackList`, which is somebody's own, stays as it is.

    Raises:
        ValueError: a callback of Keras waits for the `val_loss` of a system that has none.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    callbacks = tf.nest.flatten(callbacks or [])
    if not game.has_encoder:
        _check_monitors(callbacks, type(game).__name__)
    return [Watch(game.metrics[0], game.notice), *callbacks]


def _check_monitors(callbacks: list, model: str) -> None:
    for callback in callbacks:
        saves_all = isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_best_only
        if isinstance(callback, _STEERING) and not saves_all and callback.monitor == "val_loss":
            raise ValueError(
                f"{type(callback).__name__} monitors `val_loss`, which {model} has not: without an encoder it has no "
                "likelihood and no reconstruction error to select by. Monitor a score of "
                "ki.training.MetricsCallback, such as 'gen/frechet_distance'"
            )
