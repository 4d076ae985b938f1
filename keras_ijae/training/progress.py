"""A progress bar over a whole training run."""

import keras
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress(keras.callbacks.Callback):
    """One bar for all epochs with the time left and a few of the logs.

    On a terminal the bar is redrawn in place; elsewhere (a file, a pipe) a line is written every few epochs.

    Args:
        every: epochs between two lines where there is no terminal.
        shown: how many of the logs to show, losses of moves first.
        console: where to write; standard error by default.
    """

    def __init__(self, every: int = 1, shown: int = 3, console: Console | None = None) -> None:
        super().__init__()
        self.every = every
        self.shown = shown
        self.console = console or Console(stderr=True)
        self._bar: Bar | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._task, self._epochs_done = None, 0
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=self.console,
            transient=True,
            refresh_per_second=4,
            disable=not self.console.is_terminal,
        )
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self._task is None:
            total = self.params["epochs"] - epoch
            self._first = epoch
            self._task = self._bar.add_task("", total=total, epoch=epoch, epochs=self.params["epochs"], text="")
        self._bar.update(self._task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        steps = self.params.get("steps")
        if steps:
            self._bar.update(self._task, completed=self._epochs_done + (batch + 1) / steps)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._epochs_done = epoch + 1 - self._first
        text = _few(logs or {}, self.shown)
        self._bar.update(self._task, completed=self._epochs_done, text=text)
        if not self.console.is_terminal and (epoch + 1) % self.every == 0:
            self.console.print(f"epoch {epoch + 1}/{self.params['epochs']}  {text}", soft_wrap=True)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.stop()

    def stop(self) -> None:
        """Removes the bar; `fit` does not say when it is interrupted."""
        if self._bar is not None:
            self._bar.stop()


def _few(logs: dict, count: int) -> str:
    names = [name for name in logs if name.endswith("_loss") and not name.startswith("val_")] or list(logs)
    return "  ".join(f"{name} {float(logs[name]):.3g}" for name in names[:count])
