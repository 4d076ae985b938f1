"""Keras callbacks: pictures of a model while it trains, and its history as a table.

On several machines all do the same, and the chief alone writes.
"""

import csv
import io
import os
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.files import write_text
from keras_ijae.game import data as batches
from keras_ijae.machines import is_chief
from keras_ijae.training.due import due
from keras_ijae.training.film import check_film, save_film
from keras_ijae.training.pictures import class_names, save_grid, save_pairs, to_show


class _Pictures(keras.callbacks.Callback):
    """Draws a picture at the end of epochs, into a directory and, if asked, for TensorBoard."""

    name = ""

    def __init__(self, directory: str | os.PathLike, every: int, seed: int, log_dir: str | os.PathLike | None) -> None:
        super().__init__()
        self.directory = checks.path("directory", directory)
        self.every = checks.whole("every", every)
        self.seed = checks.seed(seed)
        self.log_dir = None if log_dir is None else checks.path("log_dir", log_dir)
        self._writer: Any = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not due(self, epoch):
            return
        parts = self._parts()  # on all machines alike
        if is_chief(self.model.distribute_strategy):
            done = f"{type(self.model).__name__}, {epoch + 1} epoch{'s' if epoch else ''}"
            caption = f"{self.name} of {done}, seed {self.seed}"
            picture = self._save(self.directory / f"{self.name}-{epoch + 1:04d}.png", parts, caption)
            if self.log_dir is not None:
                self._writer = self._writer or tf.summary.create_file_writer(str(self.log_dir))
                with self._writer.as_default(step=epoch):
                    tf.summary.image(self.name, picture[None])
                self._writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _parts(self) -> Any:
        raise NotImplementedError

    def _save(self, path: Path, parts: Any, caption: str) -> np.ndarray:
        raise NotImplementedError


class SampleGrid(_Pictures):
    """Draws the model's samples, always of the same codes, at the end of epochs.

    Of a conditional model each class has a row; images that stand in a column have one code.

    Args:
        directory: gets `samples-0001.png` and so on, numbered by the epochs done.
        every: epochs between two pictures; the last epoch always has one.
        count: images in a picture; where classes have rows, as near to it as whole rows come.
        seed: of the codes.
        film: file that gets all pictures in the directory as a film when training ends, see `save_film`; None: none.
        log_dir: directory of TensorBoard logs that gets the pictures too; None: no such logs.

    Example:
        model.fit(dataset, epochs=10, callbacks=[SampleGrid("grids", film="training.gif")])
    """

    name = "samples"

    def __init__(
        self,
        directory: str | os.PathLike,
        every: int = 1,
        count: int = 64,
        seed: int = 0,
        film: str | os.PathLike | None = None,
        log_dir: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(directory, every, seed, log_dir)
        self.film = None if film is None else check_film(film)
        self.count = checks.whole("count", count)

    def _parts(self) -> Any:
        return to_show(self.model, self.count, self.seed)

    def _save(self, path: Path, parts: Any, caption: str) -> np.ndarray:
        images, columns = parts
        return save_grid(path, images, columns, rows=class_names(self.model), caption=caption)

    def on_train_end(self, logs: dict | None = None) -> None:
        super().on_train_end(logs)
        if self.film is None or not is_chief(self.model.distribute_strategy):
            return
        if any(self.directory.glob("samples-*.png")):
            save_film(self.directory, self.film)
        else:
            warnings.warn(f"No film {self.film}: there is no picture yet", stacklevel=2)


class ReconstructionGrid(_Pictures):
    """Draws images above their reconstructions at the end of epochs.

    Args:
        images: (n, height, width, channels) in [0, 1], n >= 1; for a conditional model with their labels, as the pair
            (images, labels).
        directory: gets `reconstructions-0001.png` and so on, numbered by the epochs done.
        every: epochs between two pictures; the last epoch always has one.
        columns: pairs in a row.
        seed: of the encoder's noise, where it has some.
        log_dir: directory of TensorBoard logs that gets the pictures too; None: no such logs.

    Raises:
        ValueError: at the start of `fit`: a conditional model, and labels are missing or do not fit.
    """

    name = "reconstructions"

    def __init__(
        self,
        images: np.ndarray | tuple[np.ndarray, Any],
        directory: str | os.PathLike,
        every: int = 1,
        columns: int = 8,
        seed: int = 0,
        log_dir: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(directory, every, seed, log_dir)
        self.data = images if isinstance(images, tuple) else np.asarray(images)
        self.images = np.asarray(batches.unpack(self.data))
        self.columns = checks.whole("columns", columns)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.model.classes is not None:
            batches.one_hot(batches.labels_in(self.data), self.model.classes, "float32", len(self.images))

    def _parts(self) -> Any:
        return self.model.reconstruct(self.data, seed=self.seed)

    def _save(self, path: Path, parts: Any, caption: str) -> np.ndarray:
        return save_pairs(path, self.images, parts, self.columns, caption=caption)


class History(keras.callbacks.Callback):
    """Writes the logs of each epoch as a row of a CSV file, which is replaced whole each time.

    The first column, `epoch`, counts the epochs done from 1. A run that is continued keeps the rows of the
    epochs before; rows of epochs that are trained again are dropped. A value that an epoch does not have
    (validation runs every few epochs) is an empty cell.

    Args:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__()
        self.path = checks.path("path", path)
        self.rows: list[dict] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.rows = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self.rows and epoch and self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= epoch]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        values = {name: f"{float(value):.6g}" for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, **values})
        columns = dict.fromkeys(name for row in self.rows for name in row)
        table = io.StringIO()
        writer = csv.DictWriter(table, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        if is_chief(self.model.distribute_strategy):
            write_text(self.path, table.getvalue())
