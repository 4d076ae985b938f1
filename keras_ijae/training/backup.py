"""Backups of training, from which a killed process goes on as if it had never stopped."""

import contextlib
import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np

from keras_ijae import checks
from keras_ijae.datasets.pipeline import begin_at, has_passes, is_loaded
from keras_ijae.files import replacing
from keras_ijae.game import GenerativeModel
from keras_ijae.game.told import ToldData
from keras_ijae.keras_internals import start_at, weights_file
from keras_ijae.machines import is_chief, of_all_machines
from keras_ijae.training.due import due
from keras_ijae.training.steering import give_back, remember, stopped

_NAME = re.compile(r"epoch-(\d+)-step-(\d+)-([0-9a-f]{16})\.weights\.h5")
_KEPT = 2
_LOGGED = "logged_in_the_epoch"
_SHUFFLED_ANEW = (
    "Training goes on from a backup, but the order of its data does not belong to the number of a pass: if passes are "
    "shuffled, they begin again with that of the first one. A data set of ki.datasets.load, as it is, goes on where it "
    "was; so do arrays with shuffle=False, all of their batches in each epoch"
)


class _State(NamedTuple):
    """A backup's file, by whole epochs done and steps done of the next, with 16 digits of its SHA-256."""

    epochs: int
    steps: int
    digest: str
    path: Path


class Backup(ToldData):
    """Keeps the last good states of training in a directory, and continues from the newest.

        model.fit(ki.datasets.load("mnist", batch_size=64), epochs=20, callbacks=[ki.training.Backup("backup")])

    may be killed at any moment: the same call again ends with the same weights, bit for bit, and with the same history
    from there on. Weights, optimizers, the logs of the epoch and whatever else the model keeps in variables are in a
    backup; noise is a function of the step number. Passes over a data set of `ki.datasets.load` are those of the
    uninterrupted run, for pass number and order belong together; of an epoch that was begun, batches that were trained
    on are passed over, without decoding the images of a shuffled set. Of other data they are read and dropped, and what
    is shuffled by others is shuffled anew: a warning says so.

    What `EarlyStopping`, `ReduceLROnPlateau` and `ModelCheckpoint` of Keras remember (the best value, how long they
    have waited, the best weights where these are to be restored, which makes backups larger) is kept too. The `best` of
    a `MetricsCallback` stands in files of its own; give it overwrite=True, for a call that was killed before its first
    backup begins anew. What other callbacks remember is not known, and begins anew. What callbacks write of an epoch (a
    row of a table, a picture) is there before its backup: in `fit` this one comes after all others, wherever it stands
    in the list. With a backup of all epochs `fit` trains nothing, and warns of it.

    Unlike `keras.callbacks.BackupAndRestore` each backup is one file that appears whole, with its checksum in its name,
    the two newest are kept, and one that was damaged is passed over for the one before, with a warning. They stay when
    training ends, so that it can be continued for more epochs.

    On several replicas the logged means of an epoch that was begun agree but for rounding.
    On several machines the chief writes and all of them read: `directory` must be one that they share.

    Args:
        directory: gets `epoch-0001-step-00000000-CHECKSUM.weights.h5`, by whole epochs and further steps done.
        every: epochs between two backups, at least 1; the last epoch always makes one.
        every_steps: steps of an epoch between two backups, at least 1; None: only whole epochs make one.

    Raises:
        ValueError: in `fit`: there are backups, but all are damaged.
        RuntimeError: instead of a backup, if a weight is not finite; the last good ones stay. At the start, if several
            machines see different backups.
        OSError: it cannot be written; the last good ones stay.

    Example:
        >>> model = ki.create("ae", data_shape=(8, 8, 1), latent_dim=4)
        >>> model.compile()
        >>> backup = ki.training.Backup("backup")
        >>> history = model.fit(ki.datasets.load("digits", batch_size=500), epochs=2, verbose=0, callbacks=[backup])
        >>> ki.training.Backup("backup").epochs  # of another process: it would go on with the third
        2
    """

    place = 1  # after all others: what they write and know of an epoch is there before its backup

    def __init__(self, directory: str | os.PathLike, every: int = 1, every_steps: int | None = None) -> None:
        super().__init__()
        self.directory = checks.path("directory", directory)
        self.every = checks.whole("every", every)
        self.every_steps = None if every_steps is None else checks.whole("every_steps", every_steps)
        self._epoch, self._done, self._skipped, self._logged, self._damaged = 0, 0, 0, [], set()
        self._seen_whole: Path | None = None  # read through since the last `fit`
        self._saved: tuple[int, int] | None = None

    @property
    def epochs(self) -> int:
        """Whole epochs done in the newest state; 0 if there is none."""
        state = self._newest()
        return state.epochs if state else 0

    @property
    def epochs_begun(self) -> int:
        """Epochs done in the newest state, with one that was begun; 0 if there is none."""
        state = self._newest()
        return state.epochs + bool(state.steps) if state else 0

    def kept(self) -> str:
        """Which good weights there are, in words; "" if there are none."""
        states = self._states()
        return f"The backup {_after(*states[0][:2])} in {self.directory} is good" if states else ""

    def restore(self, model: keras.Model) -> tuple[int, int] | None:
        """Puts the newest state into a model that is made as the one which was trained: to look at, say.

        Returns:
            Epochs done and steps done of the next; None if there is no backup.

        Raises:
            ValueError: there are backups, but all are damaged, or they are of another model.
        """
        state = self._newest()
        if state is None:
            return None
        self.set_model(model)
        self._load(state.path)
        return state.epochs, state.steps

    def save(self) -> None:
        """Makes a backup now, between two steps or epochs of `fit`, unless there is one of this moment."""
        if self._done > self._skipped or not self._skipped:
            self._save(self._epoch, self._done)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if is_chief(self.model.distribute_strategy):
            for left in self.directory.glob("*newest.weights.h5"):  # by a process that was killed while it wrote
                left.unlink()
        state, self._saved, self._seen_whole = self._newest(), None, None
        self._check_shared(state)
        start_at(self.model, state.epochs if state else 0)
        self._skipped = state.steps if state else 0
        if state is None:
            return
        self._load(state.path)
        with h5py.File(state.path) as file:
            self._logged = [file[_LOGGED][str(index)][()] for index in range(len(file[_LOGGED]))]
            give_back(self.others, file)
        if ended := self._ended(state.epochs):
            start_at(self.model, self.params["epochs"])
            warnings.warn(f"{ended}, another directory begins anew", stacklevel=2)
        elif self.data is not None and not self._restores_order():
            warnings.warn(_SHUFFLED_ANEW, stacklevel=2)

    def _ended(self, epochs: int) -> str:
        """Why none is trained now, and what to do for it; "" where training goes on."""
        if epochs >= self.params["epochs"]:
            said = f"{self.directory} has all epochs that were asked for, {epochs} are done: none is trained now. "
            return said + "More epochs go on from there"
        if stopped(self.others):
            said = f"EarlyStopping ended the training in {self.directory} after {epochs} epochs: none is trained now. "
            return said + "With more patience it goes on"
        return ""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._done = epoch, 0
        start_at(self.model, 0)  # the next `fit`, if this one is interrupted
        if has_passes(self.data) and self._restores_order():
            begin_at(self.data, epoch, self._skipped)
        if self._skipped:  # Keras has just reset what was logged
            for weight, value in zip(self._logs(), self._logged, strict=True):
                weight.assign(value)
            self.model.train_function = self._skipping(self.model.train_function)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        before, self._done = self._done, batch + 1
        steps = self.params.get("steps")
        within = self._done > self._skipped and (steps is None or self._done < steps)
        if within and self.every_steps and self._done // self.every_steps > before // self.every_steps:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._done, self._skipped = epoch + 1, 0, 0
        if self.model.stop_training or due(self, epoch):
            self.save()

    def on_train_end(self, logs: dict | None = None) -> None:
        start_at(self.model, 0)

    def _check_shared(self, state: _State | None) -> None:
        """All machines must go on from one state."""
        seen = of_all_machines(self.model.distribute_strategy, 0 if state is None else int(state.digest, 16) >> 1)
        if len(set(seen)) > 1:
            raise RuntimeError(
                f"The machines see different backups in {self.directory}: it must be a directory that all share, where "
                "the chief writes and the others read"
            )

    def _logs(self) -> list[keras.Variable]:
        """What the epoch has logged so far."""
        return [weight for log in self.model.metrics for weight in log.variables]

    def _restores_order(self) -> bool:
        """Whether each epoch is a pass over data whose order is known by the number of the pass."""
        known = self.in_order or is_loaded(self.data)
        return known and self.params.get("steps") in (None, int(self.data.cardinality()))

    def _skipping(self, step: Callable[[Iterator], Any]) -> Callable[[Iterator], Any]:
        """In the place of `step` until the batches that were trained on are read, or `fit` was interrupted before."""
        model, left, begun = self.model, self._skipped, None

        def read(iterator):
            nonlocal left, begun
            begun = iterator if begun is None else begun
            if iterator is not begun:
                model.train_function = step
                return step(iterator)
            for _ in range(model.steps_per_execution):
                next(iterator)
            left -= model.steps_per_execution
            if left <= 0:
                model.train_function = step
            return {}

        read.instead_of = step
        return read

    def _load(self, path: Path) -> None:
        """All but a density fitted to codes, which is no part of training: it may not have been there then."""
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        fitted = isinstance(self.model, GenerativeModel) and self.model.sampling_prior is not self.model.prior
        self.model.load_weights(path, objects_to_skip=[self.model.sampling_prior] if fitted else [])

    def _save(self, epochs: int, steps: int) -> None:
        if self._saved == (epochs, steps):
            return
        for weight in self.model.weights:
            if not np.all(np.isfinite(keras.ops.convert_to_numpy(weight))):
                raise RuntimeError(f"Weight {weight.path} is not finite {_after(epochs, steps)}: no backup is made.")
        logged = [weight.numpy() for weight in self._logs()]  # of all machines together
        if is_chief(self.model.distribute_strategy):
            self._write(epochs, steps, logged)
        self._saved = epochs, steps

    def _write(self, epochs: int, steps: int, logged: list[np.ndarray]) -> None:
        newest = self.directory / "newest.weights.h5"
        try:
            path = self._written(newest, epochs, steps, logged)
        except OSError as error:
            with contextlib.suppress(OSError):
                newest.unlink()
            raise OSError(
                f"No backup could be written into {self.directory}; those that stand in it are whole, and training "
                f"goes on from them when it is begun again. {error}"
            ) from error
        others = [state for state in self._states() if state.path != path]
        whole = [state for state in others if state.path not in self._damaged]
        before = [state for state in whole if (state.epochs, state.steps) < (epochs, steps)]
        for state in others:
            if state not in before[: _KEPT - 1]:
                state.path.unlink()

    def _written(self, newest: Path, epochs: int, steps: int, logged: list[np.ndarray]) -> Path:
        """The path of a new backup, which first was `newest`: its name holds its checksum."""
        content = weights_file(self.model)
        with h5py.File(content, "a") as file:  # Keras keeps no metrics
            for index, value in enumerate(logged):
                file[f"{_LOGGED}/{index}"] = value
            remember(self.others, file)
        with replacing(newest) as temporary:
            temporary.write_bytes(content.getbuffer())
            digest = _digest(temporary)
        path = self.directory / f"epoch-{epochs:04d}-step-{steps:08d}-{digest}.weights.h5"
        os.replace(newest, path)
        return path

    def _newest(self) -> _State | None:
        """The newest state that is as it was written; None if there is none at all."""
        states = self._states()
        for state in states:
            if state.path == self._seen_whole or _digest(state.path) == state.digest:
                self._seen_whole = state.path
                return state
            self._damaged.add(state.path)
            warnings.warn(f"{state.path} is damaged, its checksum has changed: taking the backup before", stacklevel=3)
        if states:
            raise ValueError(f"All backups in {self.directory} are damaged. Delete them to start anew")
        return None

    def _states(self) -> list[_State]:
        """Newest first."""
        found = [(_NAME.fullmatch(path.name), path) for path in self.directory.glob("epoch-*.weights.h5")]
        states = [_State(int(name[1]), int(name[2]), name[3], path) for name, path in found if name]
        return sorted(states, key=lambda state: (state.epochs, state.steps), reverse=True)


def _after(epochs: int, steps: int) -> str:
    return f"after {epochs} epochs" + (f" and {steps} steps" if steps else "")


def _digest(path: Path) -> str:
    """Of a file that is on the disk then."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
