"""The course of a training run: a header, one line of numbers that is redrawn, and a line for each epoch that stays."""

import math
import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from keras_ijae import checks
from keras_ijae.game import Game
from keras_ijae.game.metadata import parameters_of_parts
from keras_ijae.progress import clock, duration
from keras_ijae.training.due import due

NUMBERS = 4
"""So many numbers fit a line, and a glance."""
_REDRAWN, _SURE, _FIRST_LINE, _QUIET = 0.25, 2.0, 10.0, 60.0
"""Seconds: between two looks at the numbers; of steps, until the time for all is told; without a terminal, until the
first line and between two within an epoch."""
_BESIDE = 42
"""Characters of the redrawn line that are not numbers, with the shortest bar."""


class Progress(keras.callbacks.Callback):
    """Shows how training goes, on standard error.

    First a header: what is trained, its parameters (without optimizers and running averages) and steps an epoch. As
    soon as there is a rate, the time that all will take: of steps alone in the first epoch, and then of whole epochs,
    without the first step and the end of the first epoch, which compile. Before the first `val_loss` of a game a line
    says what it is. On a terminal one line is redrawn below: a bar for all epochs, the time left, and at most four of
    the numbers logged so far in the epoch, as many as fit. Elsewhere (a file, a pipe) a line with the time of the day
    comes after ten seconds, and where an epoch takes long every minute. A line for each epoch stays in both.

    Args:
        every: epochs between two lines that stay; the last epoch always has one.
        title: what the header begins with; by default the model's class.
        notes: further lines of the header.
        console: where to write; standard error by default.

    Example:
        model.fit(dataset, epochs=10, verbose=0, callbacks=[ki.training.Progress()])
    """

    def __init__(
        self, every: int = 1, title: str | None = None, notes: tuple[str, ...] = (), console: Console | None = None
    ) -> None:
        super().__init__()
        self.every = checks.whole("every", every)
        self.title, self.notes = title, notes
        self.console = console or Console(stderr=True)
        self._bar: Bar | None = None
        self._first: int | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._first, self._epoch, self._done, self._told = None, 0, 0.0, False
        self._began = self._due = time.monotonic()
        self._warm: tuple[float, float] | None = None  # since when the rate is taken, and `_done` then
        self._of_steps: float | None = None  # seconds an epoch by the steps of the first one
        self._ended, self._knows_val_loss = 0, False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch
        if self._first is None:
            self._first = epoch
            self._header()
            self._start()
        if not self._warm:
            self._show("compiling the first step")

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not logs:  # batches that a run which goes on has been trained on
            return
        steps, now = self.params.get("steps"), time.monotonic()
        self._done = self._epoch - self._first + ((batch + 1) / steps if steps else 0)
        self._warm = self._warm or (now, self._done)  # the first step compiles
        if self._epoch == self._first and self._done < 1:
            self._of_steps = self._measured()
        if not self._told and now - self._warm[0] >= _SURE:
            self._tell_time()
        if now < self._due:
            return
        self._due = now + (_REDRAWN if self._bar else _QUIET)
        if self._bar:
            self._show(self._numbers(logs, self.console.width - _BESIDE))
        else:
            self._line(f"epoch {self._epoch + 1}, step {batch + 1}" + (f"/{steps}" if steps else ""), logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        if self._bar:
            self._bar.update(self._task, numbers="validation")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._done = self._ended = epoch + 1 - self._first
        if epoch == self._first:
            self._warm = (time.monotonic(), self._done)  # so do what is done at the end of the first epoch
        self._say_what_val_loss_is(logs or {})
        if not self._told:
            self._tell_time()
        self._show(self._numbers(logs or {}, self.console.width - _BESIDE))
        if due(self, epoch):
            self._line(f"epoch {epoch + 1}/{self.params['epochs']}", logs or {})
            self._due = time.monotonic() + (0 if self._bar else _QUIET)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.stop()

    def stop(self) -> None:
        """Removes the redrawn line; `fit` does not say when it is interrupted."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _header(self) -> None:
        steps, epochs = self.params.get("steps"), self.params["epochs"]
        of_epoch = f"{steps:,} steps an epoch, " if steps else ""
        done = f", {self._first} of them done" if self._first else ""
        passes = f"{of_epoch}{epochs:,} epoch{'s' if epochs > 1 else ''}{done}"
        for line in (f"{self.title or type(self.model).__name__}: {_parameters(self.model)}", passes, *self.notes):
            self.console.print(line, markup=False, highlight=False)

    def _start(self) -> None:
        if not self.console.is_terminal:
            self._due = self._began + _FIRST_LINE
            return
        whole = Column(no_wrap=True)
        self._bar = Bar(
            TextColumn("{task.fields[epoch]}", table_column=whole),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
            TextColumn("{task.percentage:.0f}%", table_column=whole),
            TextColumn("{task.fields[left]}", table_column=whole),
            TextColumn("{task.fields[numbers]}", markup=False, table_column=whole),
            console=self.console,
            transient=True,
            expand=True,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=self.params["epochs"] - self._first, epoch="", left="", numbers="")
        self._bar.start()

    def _show(self, numbers: str) -> None:
        if self._bar:
            left = self._left()
            fields = {"left": "" if left is None else f"left {duration(left)}", "numbers": numbers}
            epoch = f"epoch {self._epoch + 1}/{self.params['epochs']}"
            self._bar.update(self._task, completed=self._done, epoch=epoch, **fields)

    def _line(self, what: str, logs: dict) -> None:
        """A line that stays; in a file it has all four numbers, however long their names are."""
        at_the_time = "" if self._bar else f"{clock()}  "
        left = f", {duration(self._left())} left" if self._left() else ""
        start = f"{at_the_time}{what}  {duration(time.monotonic() - self._began)}{left}  "
        numbers = self._numbers(logs, self.console.width - len(start) if self._bar else math.inf)
        self.console.print(start + numbers, markup=False, highlight=False, soft_wrap=True)

    def _tell_time(self) -> None:
        if self._left():
            self._told = True
            self.console.print(f"about {duration(self._left())} to go", highlight=False)

    def _say_what_val_loss_is(self, logs: dict) -> None:
        what = self.model.validated_by if isinstance(self.model, Game) else None
        if what and "val_loss" in logs and not self._knows_val_loss:
            self.console.print(f"val_loss: {what}", markup=False, highlight=False, soft_wrap=True)
            self._knows_val_loss = True

    def _left(self) -> float | None:
        """Seconds that the rest will take, if it goes on as it does; None if that is not known yet."""
        pace = self._measured() if self._ended >= 2 else self._of_steps
        return pace and pace * (self.params["epochs"] - self._first - self._done)

    def _measured(self) -> float | None:
        """Seconds an epoch since what compiles was over; None before there is a rate."""
        if self._warm is None or self._done <= self._warm[1]:
            return None
        seconds, epochs = time.monotonic() - self._warm[0], self._done - self._warm[1]
        return seconds / epochs if seconds >= _SURE or self._ended >= 2 else None

    def _numbers(self, logs: dict, width: float) -> str:
        """At most four, as many as the width has room for, the losses first that are lowered."""
        parts: list[str] = []
        for name in _by_interest(logs):
            short = name if name.startswith("val_") else name.removesuffix("_loss")
            part = f"{short} {float(logs[name]):.3g}"
            if len(parts) < NUMBERS and len("  ".join([*parts, part])) <= width:
                parts.append(part)
        return "  ".join(parts)


def _by_interest(logs: dict) -> list[str]:
    """A training loss, the validation's, how many dimensions a mask keeps, the other losses of moves, and the rest."""
    moves = [name for name in logs if name.endswith("_loss") and not name.startswith("val_")] or ["loss"]
    first = [moves[0], "val_loss", "active_dims", *moves[1:]]
    return [name for name in dict.fromkeys([*first, *logs]) if name in logs]


def _parameters(model: Any) -> str:
    """How many parameters a model has, and each of its parts, where it is a game."""
    parts = parameters_of_parts(model) if isinstance(model, Game) else {}
    of_each = ", ".join(f"{name} {count:,}" for name, count in parts.items())
    return f"{sum(parts.values()) or model.count_params():,} parameters" + (f" ({of_each})" if parts else "")
