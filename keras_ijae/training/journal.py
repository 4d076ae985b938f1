"""What happened to a run: when it was trained, for how long, on what, how that ended, and what was warned of."""

import contextlib
import json
import os
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.files import write_json

_FOR_PROGRAMMERS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""What Python does not show by default."""

_LONGEST = 1e10
"""Seconds, some three hundred years: more are no time, and NaN is not less."""
_KINDS = {"began": str, "seen": str, "seconds": int | float, "epochs": int, "device": str, "warnings": list}


@contextlib.contextmanager
def heard_warnings() -> Iterator[list[dict[str, Any]]]:
    """Yields the list of warnings that are raised in the block, each once; they are shown as they are without it."""
    heard, shown = [], warnings.showwarning

    def hear(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        known = next((one for one in heard if one["text"] == str(message)), None)
        if known is not None:
            known["times"] += 1
        elif not issubclass(category, _FOR_PROGRAMMERS):
            heard.append({"text": str(message), "category": category.__name__, "times": 1})
        shown(message, category, *place, **options)

    warnings.showwarning = hear
    try:
        yield heard
    finally:
        warnings.showwarning = shown


class Journal(keras.callbacks.Callback, contextlib.AbstractContextManager):
    """Keeps `path`, a JSON list with a dictionary for each time that training was begun.

    with Journal("journal.json") as journal:
        model.fit(data, epochs=20, callbacks=[journal])

    Each has "began" and "seen", times in UTC, the latter of the last sign of life; "seconds" between them; "epochs",
    those that the run has done altogether; "device"; "warnings"; and "outcome": "done", "interrupted", "failed" (then
    "error" says how), or None while it goes on, which is what a process leaves that was killed. The file is written
    when an epoch has ended, and on leaving.

    Args:
        path: the file.
        heard: the list of `heard_warnings()`.

    Attributes:
        keeps: whether what goes on is written on leaving; False where there was nothing to train.
    """

    def __init__(self, path: str | os.PathLike, heard: list[dict[str, Any]] | None = None) -> None:
        super().__init__()
        self.path = checks.path("path", path)
        self._heard = [] if heard is None else heard
        self.keeps = True

    def __enter__(self) -> "Journal":
        self._earlier = self._read()
        self._clock = time.monotonic()
        self._entry = {"began": _now(), "seen": _now(), "seconds": 0.0, "outcome": None, "error": None}
        done = self._earlier[-1].get("epochs", 0) if self._earlier else 0
        self._entry |= {"epochs": done, "device": device(), "warnings": self._heard}
        return self

    def _read(self) -> list[dict[str, Any]]:
        """What was written before; a file that is damaged is kept under another name."""
        try:
            return read_journal(self.path)
        except ValueError as error:
            old = self.path.replace(self.path.with_suffix(f".old{self.path.suffix}"))
            warnings.warn(f"{error}; it is kept as {old}", stacklevel=2)
            return []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.keeps:
            return
        self._entry["outcome"] = "done" if error is None else "failed"
        if isinstance(error, Exception):
            self._entry["error"] = f"{type(error).__name__}: {error}"
        elif error is not None:
            self._entry["outcome"] = "interrupted"
        with contextlib.suppress(OSError) if error else contextlib.nullcontext():  # that error is the one to see
            self._write()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._entry["epochs"] = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._entry["epochs"] = epoch + 1
        self._write()

    def _write(self) -> None:
        self._entry |= {"seen": _now(), "seconds": round(time.monotonic() - self._clock, 3)}
        write_json(self.path, [*self._earlier, self._entry])


def read_journal(path: str | os.PathLike) -> list[dict[str, Any]]:
    """What a `Journal` wrote, empty if it wrote nothing.

    Raises:
        ValueError: the file is none.
    """
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not the journal of a run: {error}") from None
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise ValueError(f"{path} is not the journal of a run: it must be a list of what `Journal` writes")
    return entries


def _is_entry(entry):
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), kind) for key, kind in _KINDS.items()):
        return False
    return 0 <= entry["seconds"] < _LONGEST and all(map(_is_warning, entry["warnings"]))


def _is_warning(found):
    return isinstance(found, dict) and isinstance(found.get("times", 1), int)


def device() -> str:
    """What training runs on, in a few words: "2 CPU cores" (of this process), "NVIDIA H200", "2 x NVIDIA H200"."""
    gpus = tf.config.list_physical_devices("GPU")
    found = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    if not found:
        cores = _cores()
        return f"{cores} CPU core{'s' if cores > 1 else ''}"
    return ", ".join(f"{found.count(name)} x {name}" if found.count(name) > 1 else name for name in sorted(set(found)))


def _cores() -> int:
    """How many this process may run on, where the system says it: `taskset` and containers leave it fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
