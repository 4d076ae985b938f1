"""What stops a run that goes bad."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.game.data import OUTSIDE
from keras_ijae.game.logs import Logs

_EVERY = 20  # steps between two looks at the flags
_OF_LABELS = "Labels are 0, 1, ..., and -1 where unknown; give one more than the largest as `classes` (--classes)"
_OF_LOSSES = "A lower learning rate, a penalty on the discriminators or clipping may help"
_OF_DATA = "Mend such data or leave them out; images, and vectors that are to lie in [0, 1], are scaled before"
_STEERING = (keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint, keras.callbacks.ReduceLROnPlateau)


class TrainingError(RuntimeError):
    """Training stopped: a term or the data became bad; says which and at which step."""


class Watch(keras.callbacks.Callback):
    """Stops training with a TrainingError that names the term and the step; looks every few steps.

    What it finds good it shows to `notice`, a system's function of the means of the logs. Of `callbacks` those with a
    method `kept` say in words which good weights they have.
    """

    def __init__(self, logs: Logs, notice: Callable[[dict], None], callbacks: Sequence[keras.callbacks.Callback] = ()):
        super().__init__()
        self._logs, self._notice, self._callbacks = logs, notice, callbacks
        self._seen, self._an_epoch_ended = 0, False

    def on_train_batch_end(self, batch, logs=None):
        if batch // _EVERY != self._seen:
            self._seen = batch // _EVERY
            self._look()

    def on_test_begin(self, logs=None):
        self._look()  # validation resets the flags

    def on_epoch_end(self, epoch, logs=None):
        self._look()
        self._an_epoch_ended = True

    def _look(self):
        bad = self._logs.bad()
        if bad:
            step = min(bad.values())
            terms = ", ".join(repr(term) for term, at in bad.items() if at == step)
            of_data = "in the data" in terms or "outside [0, 1]" in terms
            advice = _OF_LABELS if OUTSIDE in terms else _OF_DATA if of_data else _OF_LOSSES
            raise TrainingError(f"Training went bad at step {step}: {terms}. {self._kept()}{advice}")
        if self._logs.filled():  # nothing yet, or validation has reset them
            self._notice(self._logs.result())

    def _kept(self):
        told = [callback.kept() for callback in self._callbacks if hasattr(callback, "kept")]
        if not told and self._an_epoch_ended:  # what other callbacks save is not known
            told = ["Weights saved before that step, if any, are good"]
        return "".join(f"{words}. " for words in told if words)


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
    return [Watch(game.metrics[0], game.notice, callbacks), *callbacks]


def _check_monitors(callbacks: list, model: str) -> None:
    for callback in callbacks:
        saves_all = isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_best_only
        if isinstance(callback, _STEERING) and not saves_all and callback.monitor == "val_loss":
            raise ValueError(
                f"{type(callback).__name__} monitors `val_loss`, which {model} has not: without an encoder it has no "
                "likelihood and no reconstruction error to select by. Monitor a score of "
                "ki.training.MetricsCallback, such as 'gen/frechet_distance'"
            )
