"""A process that is asked to stop ends its training with a backup."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType, TracebackType

import keras

from keras_ijae.machines import of_all_machines
from keras_ijae.training.backup import Backup

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HEARD = b"\nStopping after the step under way, with a backup. Once more stops at once, without.\n"


class StopOnSignal(keras.callbacks.Callback, contextlib.AbstractContextManager):
    """Ctrl-C, or the SIGTERM of a scheduler, ends `fit` after the step under way, with a backup.

        backup = ki.training.Backup("backup")
        with ki.training.StopOnSignal(backup) as stop:
            model.fit(data, epochs=20, callbacks=[backup, stop])

    A line on standard error says so. `fit` then raises KeyboardInterrupt, or SystemExit with the code 143 that says
    SIGTERM. After the last step of an epoch its end comes first: validation and pictures. A second signal ends it at
    once, without a backup. Signals belong to the main thread: in another one nothing is changed. What the process
    ignores (under nohup, in the background of a script) it goes on to ignore. Of several machines all stop after the
    same step when one is asked to.

    Args:
        backup: makes the backup; a callback of the same `fit`.
    """

    place = 2  # after the backup of an epoch

    def __init__(self, backup: Backup) -> None:
        super().__init__()
        self.backup = backup
        self._asked: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopOnSignal":
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._ask) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._as_before()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch + 1 != self.params.get("steps"):
            self._stop()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._stop()

    def _stop(self) -> None:
        asked = max(of_all_machines(self.model.distribute_strategy, self._asked or 0))
        if not asked:
            return
        self.backup.save()
        if asked == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + asked)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = number
        self._as_before()
        with contextlib.suppress(OSError):
            os.write(sys.__stderr__.fileno(), _HEARD)  # a stream could be in the middle of a line of its own

    def _as_before(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
