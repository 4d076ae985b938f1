"""A small classifier of a data set's classes, as the extractor that needs no download."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import keras

from keras_ijae.files import replacing, write_json
from keras_ijae.metrics.features.keras_features import KerasFeatures

FEATURES = "features"
"""Name of the layer before the logits."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What a stored classifier is: stands beside its `.keras` file as `.json`.

    Attributes:
        dataset: what it was trained on, as `keras_ijae.datasets.load` names it, of a path its last part alone.
        accuracy: share of the images of `split` that it gets right, in [0, 1].
        split: the images of the data set that it was judged by, not trained on.
        classes: how many.
        epochs, seed: of the training.
        checksum: of the extractor that it makes; a `.json` that belongs to another file is refused.
        label: which of the labels it tells, parted by commas, where an image of the data set has several; else None.
        data: further arguments of `load` with which its images were loaded, such as `size`.
    """

    dataset: str
    accuracy: float
    split: str
    classes: int
    epochs: int
    seed: int
    checksum: str
    label: str | None = None
    data: dict[str, Any] = dataclasses.field(default_factory=dict)


class Classifier(KerasFeatures):
    """Features before the logits, and the classes' probabilities, of a classifier trained on a data set.

    Its scores are named "...[DATASET-classifier]" or "...[DATASET-LABEL-classifier]": they compare systems on that data
    set, and are neither FID nor Inception Score.

    Args:
        model: as `build_classifier` makes it, trained.
        dataset: name of the data set.
        accuracy: on held-out images.
        batch_size: images that go through the network at once.
        label: which of the labels it tells, where an image has several; else None.
    """

    def __init__(
        self, model: keras.Model, dataset: str, accuracy: float, batch_size: int = 64, label: str | None = None
    ) -> None:
        name = f"{dataset}-{label}-classifier" if label else f"{dataset}-classifier"
        super().__init__(model, FEATURES, "logits", name, batch_size)
        self.name, self._architecture = name, "build_classifier"  # of all: Keras' text of it changes with versions
        self.model, self.dataset, self.accuracy, self.label = model, dataset, accuracy, label

    def save(
        self, path: str | os.PathLike, split: str, epochs: int, seed: int, data: dict[str, Any] | None = None
    ) -> Record:
        """Writes the model, without its optimizer, to `path` (.keras) and its record beside it; returns the record."""
        of_training = self.accuracy, split, self.classes, epochs, seed, self.checksum
        record = Record(self.dataset, *of_training, self.label, data or {})
        bare = type(self.model).from_config(self.model.get_config())
        bare.set_weights(self.model.get_weights())
        with replacing(path) as temporary:
            bare.save(temporary)
        write_json(record_path(path), dataclasses.asdict(record))
        return record

    @classmethod
    def load(cls, path: str | os.PathLike, batch_size: int = 64) -> "Classifier":
        """The classifier stored at `path`.

        Raises:
            ValueError: there is no classifier with its record, or the record belongs to another.
        """
        record = read_record(path)
        try:
            model = keras.models.load_model(path)
            found = cls(model, record.dataset, record.accuracy, batch_size, record.label)
        except Exception as error:  # a bad file fails in as many ways as there are readers
            raise ValueError(f"{path} is not a stored classifier: {error}") from error
        if found.checksum != record.checksum:
            raise ValueError(f"{record_path(path)} does not describe {path}: train the classifier again")
        return found


def record_path(path: str | os.PathLike) -> Path:
    """Where the record of the classifier at `path` stands."""
    return Path(path).with_suffix(".json")


def read_record(path: str | os.PathLike) -> Record:
    """The record of the classifier at `path`.

    Raises:
        ValueError: the file or its record is missing, or the record is none.
    """
    if not Path(path).is_file():
        raise ValueError(f"There is no stored classifier at {path}")
    if not record_path(path).is_file():
        raise ValueError(f"There is no stored classifier at {path}: its record {record_path(path)} is missing")
    try:
        return Record(**json.loads(record_path(path).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{record_path(path)} is not the record of a classifier: {error}") from None


def build_classifier(shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Images of `shape` to `classes` logits: convolutions and pooling down to 7 pixels or fewer, one hidden layer."""
    layers = keras.layers
    model = keras.Sequential([layers.Input(shape)])
    side, filters = min(shape[:2]), 32
    while filters == 32 or side > 7:
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
        side, filters = (side - 2) // 2, min(2 * filters, 128)
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu", name=FEATURES))
    model.add(layers.Dropout(0.4))
    model.add(layers.Dense(classes, dtype="float32"))
    return model
