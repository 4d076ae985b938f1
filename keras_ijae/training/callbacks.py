"""Keras callbacks: pictures of a model while it trains, and its history as a table.

On several machines all do the same, and the chief alone writes.
"""

import csv
import io
import os
from typing import Any

import keras
import numpy as np

from keras_ijae import checks
from keras_ijae.files import write_text
from keras_ijae.game import data as batches
from keras_ijae.machines import is_chief
from keras_ijae.training.film import check_film, save_film
from keras_ijae.training.pictures import save_grid, save_pairs, to_show


class SampleGrid(keras.callbacks.Callback):
    """Draws the model's samples, always of the same codes, at the end of epochs.

    Of a conditional model each class has a row; images that stand in a column have one code.

    Args:
        directory: gets `samples-0001.png` and so on, numbered by the epochs done.
        every: epochs between two pictures.
        count: images in a picture; where classes have rows, as near to it as whole rows come.
        seed: of the codes.
        film: file that gets all pictures in the directory as a film when training ends, see `save_film`; None: none.

    Example:
        model.fit(dataset, epochs=10, callbacks=[SampleGrid("grids", film="training.gif")])
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        every: int = 1,
        count: int = 64,
        seed: int = 0,
        film: str | os.PathLike | None = None,
    ) -> None:
        super().__init__()
        self.film = None if film is None else check_film(film)
        self.directory = checks.path("directory", directory)
        self.every = checks.whole("every", every)
        self.count = checks.whole("count", count)
        self.seed = checks.seed(seed)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if (epoch + 1) % self.every == 0:
            images, columns = to_show(self.model, self.count, self.seed)
            if is_chief(self.model.distribute_strategy):
                save_grid(self.directory / f"samples-{epoch + 1:04d}.png", images, columns)

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.film is not None and is_chief(self.model.distribute_strategy):
            save_film(self.directory, self.film)


class ReconstructionGrid(keras.callbacks.Callback):
    """Draws images above their reconstructions at the end of epochs.

    Args:
        images: (n, height, width, channels) in [0, 1], n >= 1; for a conditional model with their labels, as the pair
            (images, labels).
        directory: gets `reconstructions-0001.png` and so on, numbered by the epochs done.
        every: epochs between two pictures.
        columns: pairs in a row.
        seed: of the encoder's noise, where it has some.

    Raises:
        ValueError: at the start of `fit`: a conditional model, and labels are missing or do not fit.
    """

    def __init__(
        self,
        images: np.ndarray | tuple[np.ndarray, Any],
        directory: str | os.PathLike,
        every: int = 1,
        columns: int = 8,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.data = images if isinstance(images, tuple) else np.asarray(images)
        self.images = np.asarray(batches.unpack(self.data))
        self.directory = checks.path("directory", directory)
        self.every = checks.whole("every", every)
        self.columns = checks.whole("columns", columns)
        self.seed = checks.seed(seed)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.model.classes is not None:
            batches.one_hot(batches.labels_in(self.data), self.model.classes, "float32", len(self.images))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if (epoch + 1) % self.every == 0:
            remade = self.model.reconstruct(self.data, seed=self.seed)
            if is_chief(self.model.distribute_strategy):
                save_pairs(self.directory / f"reconstructions-{epoch + 1:04d}.png", self.images, remade, self.columns)


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
