"""A run directory: what was trained, how far it is, and where its files are."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock

from keras_ijae import checks
from keras_ijae.files import check_directory, write_json
from keras_ijae.training.recipes import Recipe
from keras_ijae.training.recorded import CHANGEABLE, by_field, recipe_of

_LOCK, _WRITER = ".writer.lock", ".writer.json"
_LAST_EPOCH = 10**12


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """The files of one training run.

    Attributes:
        path: the directory, given as text or as a path. `config.json` (the recipe), `history.csv`, `journal.json`
            (when and how long it was trained, how that ended, what was warned of), `logs/` (TensorBoard), `backup/`
            (the last good weights and optimizers), `grids/`, `mask.npz` (the trace of a mask, if there is one),
            `model.keras` once training is done; `evaluation.json` and `scores.json` of that model, where it was
            evaluated.

    Raises:
        ValueError: `path` is none.
    """

    path: Path

    def __init__(self, path: str | os.PathLike) -> None:
        object.__setattr__(self, "path", checks.path("path", path))  # it is frozen

    @property
    def config(self) -> Path:
        """The recipe, `config.json`."""
        return self.path / "config.json"

    @property
    def model(self) -> Path:
        """The finished model, `model.keras`; there once training is done."""
        return self.path / "model.keras"

    @property
    def mask(self) -> Path:
        """The trace of a mask, `mask.npz`, of systems that have one."""
        return self.path / "mask.npz"

    @property
    def history(self) -> Path:
        """Losses and logs of every epoch, `history.csv`."""
        return self.path / "history.csv"

    @property
    def journal(self) -> Path:
        """When and how long it was trained, how that ended, what was warned of: `journal.json`."""
        return self.path / "journal.json"

    @property
    def backup(self) -> Path:
        """The directory of the last good weights and optimizers, from which training goes on."""
        return self.path / "backup"

    def read_recipe(self) -> Recipe:
        """The recipe in `config.json`.

        Raises:
            ValueError: if there is none, or it is not a recipe; the file and the field are named.
        """
        try:
            return recipe_of(json.loads(self.config.read_text(encoding="utf-8"))["recipe"])
        except FileNotFoundError:
            raise ValueError(f"{self.path} is not a run directory: it has no config.json.") from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{self.config} is not the configuration of a run: {error}") from None

    @contextlib.contextmanager
    def answering_for(self, recipe: Recipe) -> Iterator[None]:
        """A ValueError about a recipe that was read from `config.json` names that file and its field."""
        try:
            yield
        except ValueError as error:
            if not self._holds(recipe):
                raise
            raise ValueError(f"The run of {self.config} cannot go on: {by_field(str(error), recipe)}") from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Held by the one process that writes into the directory.

        The lock is the operating system's: that of a process which ended, or was killed, is none.

        Raises:
            RuntimeError: another process writes into it, which is named.
        """
        stood = self.path.is_dir()
        self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.path / _LOCK, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise RuntimeError(
                f"The run directory {self.path} is written by {self._writer()}. Wait until it has ended, stop it, or "
                "choose another directory"
            ) from None
        try:
            write_json(self.path / _WRITER, {"process": os.getpid(), "host": socket.gethostname()})
            yield
        finally:
            self._clean(stood)
            lock.release()

    def clear(self) -> None:
        """Deletes everything in the directory, if it is there."""
        for path in _contents(self.path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def holds_nothing_trained(self) -> bool:
        """Whether there is nothing but what is written before the first epoch has ended."""
        return set(_contents(self.path)) <= {self.config, self.journal, self.path / "logs"}

    def set_aside(self, *names: str) -> list[Path]:
        """Renames files that describe a model which is no longer there, NAME.json to NAME.old.json; their new paths."""
        found = [(self.path / name, self.path / f"{Path(name).stem}.old.json") for name in names]
        return [old.replace(new) for old, new in found if old.is_file()]

    def read_replicas(self) -> int:
        """How many replicas the run in `config.json` had last; 0 if it does not say."""
        return self._noted("replicas", int) or 0

    def read_class_names(self) -> list[str]:
        """The names of the labels 0, 1, ... of a conditional model, in `config.json`; none if it has none."""
        return list(map(str, self._noted("class_names", list) or []))

    def _noted(self, name, kind):
        """A field of `config.json` beside the recipe; None if there is none of that kind, or the file is not ours."""
        try:
            found = json.loads(self.config.read_text(encoding="utf-8"))[name]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if isinstance(found, kind) else None

    def read_history(self) -> list[dict[str, float]]:
        """The rows of `history.csv`, name -> value, without what was not logged; none if no epoch has ended.

        Raises:
            ValueError: it is no history.
        """
        if not self.history.is_file():
            return []
        try:
            with self.history.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            return [{name: float(value) for name, value in row.items() if value} | _epoch(row) for row in rows]
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise ValueError(f"{self.history} is not the history of a run: {error!r:.200}") from error

    def write_recipe(
        self,
        recipe: Recipe,
        versions: dict[str, str],
        splits: dict[str, str] | None = None,
        replicas: int = 1,
        sizes: dict[str, Any] | None = None,
        class_names: Sequence[str] = (),
    ) -> None:
        """Writes `config.json`: the recipe, versions of what it runs with, splits of the data by use, replicas, sizes.

        Args:
            sizes: what is known of the model before it is trained.
            class_names: of the labels 0, 1, ... of a conditional model, where its data have them.
        """
        content = {"recipe": dataclasses.asdict(recipe), "versions": versions, "splits": splits or {}}
        content |= {"replicas": replicas, "sizes": sizes or {}}
        write_json(self.config, content | ({"class_names": list(class_names)} if class_names else {}))

    def _holds(self, recipe):
        try:
            recorded = self.read_recipe()
        except ValueError:
            return False
        return dataclasses.replace(recorded, **{name: getattr(recipe, name) for name in CHANGEABLE}) == recipe

    def _writer(self):
        try:
            writer = json.loads((self.path / _WRITER).read_text(encoding="utf-8"))
            return f"process {writer['process']} on {writer['host']}"
        except (OSError, ValueError, KeyError, TypeError):  # it has the lock, and has not said yet who it is
            return "another process"

    def _clean(self, stood):
        """A run that came to nothing leaves an empty directory if one stood there, and else none."""
        if not _contents(self.path):
            for name in (_LOCK, _WRITER):
                (self.path / name).unlink(missing_ok=True)
            if not stood:
                self.path.rmdir()


def _epoch(row):
    epoch = int(row["epoch"])
    if not 0 < epoch <= _LAST_EPOCH:
        raise ValueError(f"epoch {epoch}")
    return {"epoch": epoch}


def open_run(path: str | os.PathLike, resume: bool = False, overwrite: bool = False) -> RunDirectory:
    """A directory to train into. Nothing that exists is overwritten without being asked.

    Args:
        path: the directory. If missing it is made, with its parents, when the first file is written into it, so that
            a call that fails before leaves nothing.
        resume: continue the run that stands there.
        overwrite: allow another run to be there. It is left in place: `clear` it when all that could still
            go wrong before training has been tried.

    Raises:
        ValueError: if the directory is not empty and neither is set, if both are, if there is nothing to
            resume, if `overwrite` meets a directory that is not a run, or if `path` cannot be written.
    """
    run = RunDirectory(path)
    if resume and overwrite:
        raise ValueError("Arguments `resume` and `overwrite` exclude each other. Received: both")
    if resume:
        run.read_recipe()
    elif _occupied(run.path):
        if not run.path.is_dir():
            raise ValueError(f"{run.path} is a file, not a directory.")
        if not overwrite:
            raise ValueError(
                f"The run directory {run.path} is not empty. "
                "Resume it (--resume), overwrite it (--overwrite), or choose another."
            )
        check_replaceable(run)
    check_directory(run.path)
    return run


def next_free(path: str | os.PathLike) -> Path:
    """`path` itself if nothing stands there, else the first free of `path`-2, `path`-3, ..."""
    path, number = Path(path), 1
    candidate = path
    while _occupied(candidate):
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _occupied(path: Path) -> bool:
    return path.is_file() or bool(_contents(path))


def _contents(path: Path) -> list[Path]:
    """What a directory holds but for the lock, none if it is not there."""
    return [entry for entry in path.iterdir() if entry.name not in (_LOCK, _WRITER)] if path.is_dir() else []


def check_replaceable(run: RunDirectory) -> None:
    """ValueError where a directory holds something that is no run: only runs are overwritten."""
    if _contents(run.path) and not {"system", "dataset"} <= (run._noted("recipe", dict) or {}).keys():
        raise ValueError(
            f"{run.path} is not a run directory (it has no config.json with the recipe of a run), so it is not "
            "overwritten. Choose another, or delete it."
        )
