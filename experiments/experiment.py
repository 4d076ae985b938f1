"""What the experiments share: where results go, a CSV file with a row for each run, and a budget of CPU time."""

import argparse
import contextlib
import csv
import dataclasses
import fcntl
import io
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_ijae as ki
from keras_ijae.files import replacing

ROOT = Path(__file__).resolve().parent.parent
HOME = Path("runs/experiments")


class Budget(keras.callbacks.Callback):
    """Stops training after a CPU time of the process, counted from the second step: tracing is not training."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.steps = seconds, 0

    def on_train_begin(self, logs=None):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 2:
            self.cpu, self.wall = time.process_time(), time.perf_counter()
        elif self.steps > 2 and time.process_time() - self.cpu > self.seconds:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.cpu_minutes = (time.process_time() - self.cpu) / 60
        self.wall_minutes = (time.perf_counter() - self.wall) / 60


def train(model: keras.Model, data: Any, minutes: float) -> tuple[str, Budget]:
    """Trains for so many minutes of CPU time: "ended", or what went bad; and what of the budget was used."""
    budget, outcome = Budget(60 * minutes), "ended"
    try:
        model.fit(data, epochs=1_000_000, verbose=2, callbacks=[budget])
    except ki.models.TrainingError as error:
        outcome = reason(error)
        budget.on_train_end()
    return outcome, budget


def reason(error: Exception) -> str:
    """The first sentence of an error, in one line."""
    return " ".join(str(error).partition(". ")[0].split())


def add_out(parser: argparse.ArgumentParser) -> None:
    """The option `--out`: the directory of the CSV file, with the figures in its `pictures/`."""
    about = "where the CSV file and pictures/ are; `docs` has the committed ones (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=HOME, metavar="DIR", help=about)


def text(value) -> str:
    """A value as it stands in the file: five digits of a float."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


class Keyed:
    """Base of frozen dataclasses that say all that a run depends on: columns of the CSV file."""

    @property
    def key(self) -> tuple[str, ...]:
        """As it stands in the file."""
        return tuple(map(text, dataclasses.astuple(self)))


def stored(dataset: str, split: str, labels: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """All examples of a split, in stored order; with `labels` these too."""
    data = ki.datasets.load(dataset, split, 500, shuffle=False, drop_remainder=False, labels=labels)
    batches = list(data.as_numpy_iterator())
    return tuple(map(np.concatenate, zip(*batches, strict=True))) if labels else np.concatenate(batches)


def append(path: Path, row: dict, columns: Sequence[str]) -> None:
    """Append a row to the CSV file; a new file gets a header first. Several processes may do so at once.

    Args:
        path: the file; missing parents are made.
        row: column -> value; those that lack are empty.
        columns: of the whole file, in order.

    Raises:
        ValueError: the file has other columns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = io.StringIO()
    csv.DictWriter(line, columns, restval="", lineterminator="\n").writerow({k: text(v) for k, v in row.items()})
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        file.seek(0)
        if not (header := file.readline().rstrip("\n")):
            file.write(",".join(columns) + "\n")
        else:
            _check_header(path, header, columns)
        file.write(line.getvalue())


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """ValueError unless rows with these columns can be appended to the CSV file: before a run, not after it."""
    if path.exists():
        _check_header(path, path.read_text(encoding="utf-8").partition("\n")[0], columns)


def _check_header(path, header, columns):
    if header != ",".join(columns):
        raise ValueError(f"{path} must have the columns {', '.join(columns)}. Received: {header}")


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether no other process is in such a block with this file, which is made and locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def pictures_beside(path: Path) -> Path:
    """Where the pictures of the runs in a CSV file, or on a page, are; those of smoke runs are apart."""
    home = path.parent / "pictures"
    return home / "smoke" if path.stem.endswith("_smoke") else home


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file; none where there is no file yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def finished(path: Path, keys: Sequence[str]) -> set[tuple[str, ...]]:
    """What the runs in a CSV file have in the columns `keys`: to be compared with `text` of each value."""
    return {tuple(row[key] for key in keys) for row in read(path)}


def unfinished(path: Path, runs: Iterable[Keyed]) -> list[Keyed]:
    """Those of these runs, all of one class, that have no row in the CSV file yet, in their order."""
    runs = list(runs)
    done = finished(path, [field.name for field in dataclasses.fields(runs[0])]) if runs else set()
    return [run for run in runs if run.key not in done]


def origin(script: str, folder: str = "experiments") -> dict[str, str]:
    """Columns "commit" and "command": the commit, with a + where code has changed since, and the command line.

    Of absolute paths only the last part is told: the others are of the machine.
    """
    told = [re.sub(r"(^|[=:,])/(?:[^/,]*/)*", r"\1", argument) for argument in sys.argv[1:]]
    return {"commit": _commit(folder), "command": shlex.join(["python", f"{folder}/{script}", *told])}


def processor() -> str:
    """Its name, as the system tells it: budgets of CPU time are of a processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _commit(folder):
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "keras_ijae", folder], capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout else "")


def write_tables(page: Path, heading: str, tables: str) -> None:
    """Replaces what follows a heading of the page, up to the next one of its level; a new section comes last."""
    above, _, section = (page.read_text(encoding="utf-8") if page.exists() else "").partition(f"{heading}\n")
    above += "" if not above or above.endswith("\n\n") else "\n"
    mark = f"\n{heading.partition(' ')[0]} "
    below = section.partition(mark)[2]
    with replacing(page) as temporary:
        temporary.write_text(f"{above}{heading}\n{tables}{mark + below if below else ''}", encoding="utf-8")


def printed(function: Callable[..., None], *arguments: Any) -> str:
    """What a function prints."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        function(*arguments)
    return output.getvalue()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table on standard output."""
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def print_experiments(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> None:
    """A table for each experiment and, where rows have one, budget, with a line for each run.

    The tables of an experiment stand together; columns that are empty in all rows of a table are left out.
    """
    tables = {}
    for row in rows:
        tables.setdefault(row["experiment"], {}).setdefault(row.get("budget"), []).append(row)
    for experiment, by_budget in tables.items():
        for budget, found in by_budget.items():
            print(f"\n{experiment}{f', {budget} a run' if budget is not None else ''}:\n")
            shown = [column for column in columns if any(row[column] for row in found)]
            print_table(shown, [[row[column] or "–" for column in shown] for row in found])
