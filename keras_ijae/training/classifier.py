"""Trains the classifier of a data set whose features and classes stand in for Inception's."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks, datasets
from keras_ijae.checks import whole
from keras_ijae.datasets.names import without_directories
from keras_ijae.files import check_file
from keras_ijae.metrics.features.classifier import Classifier, Record, build_classifier, record_path
from keras_ijae.training.data import described

EPOCHS, STEPS = 5, 2000  # at least


def train_classifier(
    dataset: str,
    path: str | os.PathLike,
    *,
    data: dict[str, Any] | None = None,
    label: str | Sequence[str] | None = None,
    epochs: int | None = None,
    batch_size: int = 128,
    seed: int = 0,
    overwrite: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Record:
    """Trains on a labelled image data set and stores the classifier with its accuracy on held-out images.

    It is judged by "test", or where that is missing or has no labels by "validation", and never trained on these. Sets
    the seed of Keras' initial weights, which is global.

    Args:
        dataset: its name, as in `keras_ijae.datasets.load`.
        path: where to: a name ending in .keras; the record stands beside it as .json.
        data: further arguments of `keras_ijae.datasets.load`, as `Recipe.data`: {"size": 64}.
        label: which label it learns, where each image has several: "digit" of "color_mnist", "Smiling" of "celeb_a".
            Several ("digit,color", or a sequence) are learnt as one: each combination is a class, and the last label
            varies fastest.
        epochs: passes over the data, at least 1. None: five, which reach about 99 % on MNIST, and more of small sets,
            to make 2,000 steps.
        batch_size: images of a step.
        seed: of initial weights, order and dropout.
        overwrite: whether to replace what stands at `path`.
        callbacks: of Keras, such as a progress bar.

    Returns:
        The record: accuracy, number of classes, what it was judged by, which label it tells.

    Raises:
        ValueError: the data set has no images, no labels, unknown ones (-1) or a single class; `label` is missing, is
            not needed or is none of its labels; `data` has a name that is none; or something stands at `path`.

    Example:
        train_classifier("mnist", "mnist-classifier.keras")
        train_classifier("color_mnist", "colours.keras", label="digit,color")  # 120 classes
        train_classifier("folder:photos", "photos.keras", data={"size": 64})
    """
    path = checks.path("path", path)
    _check_path(path, overwrite)
    data = {} if data is None else data
    about = described(dataset, data)
    names = _names(about, label)
    train_split, split = _splits(about)
    known, truth = _labels(about, train_split, names, data), _labels(about, split, names, data)
    sizes = 1 + np.maximum(known.max(axis=0), truth.max(axis=0))
    if sizes.prod() < 2:
        raise ValueError(f"Argument `dataset` must have at least two classes. Received: {dataset!r}, which has one")
    keras.utils.set_random_seed(seed)
    model = build_classifier(about.data_shape, int(sizes.prod()))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    train = datasets.load(dataset, train_split, batch_size, labels=True, attributes=names, seed=seed, **data)
    train = train.map(lambda x, y: (x, _classes(tf.stack(_columns(y, names), axis=1), sizes)))
    epochs = default_epochs(len(known) // batch_size) if epochs is None else whole("epochs", epochs)
    model.fit(train, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    held_out = datasets.load(dataset, split, 500, shuffle=False, drop_remainder=False, **data)
    right = _guesses(model, held_out) == _classes(truth, sizes).numpy()
    learnt = ",".join(names) if names else None
    name = without_directories(dataset)  # scores are called after it
    return Classifier(model, name, float(right.mean()), label=learnt).save(path, split, epochs, seed, data)


def default_epochs(steps: int) -> int:
    """Passes of that many steps that a classifier needs: five, and of small sets more."""
    return max(EPOCHS, math.ceil(STEPS / max(steps, 1)))


def _check_path(path: Path, overwrite: bool) -> None:
    if path.suffix != ".keras":
        raise ValueError(f"Argument `path` must end in .keras. Received: {path}")
    for part in (path, record_path(path)):
        if part.exists() and not overwrite:
            raise ValueError(f"{part} exists. Argument `overwrite` allows to replace it. Received: overwrite=False")
    check_file(path, "Argument `path`")


def _names(about: datasets.DatasetInfo, label: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The labels to learn; None where each image has but one. Refuses what is no set of labelled images."""
    if len(about.data_shape) != 3 or not about.has_labels:
        lacks = "labels" if len(about.data_shape) == 3 else "images"
        raise ValueError(
            f"Argument `dataset` must have images of one class each. Received: {about.name!r}, which has no {lacks}"
        )
    if not about.attributes:
        if label is not None:
            raise ValueError(f"Argument `label` must be None: {about.name!r} has one label. Received: label={label!r}")
        return None
    names = tuple(name.strip() for name in label.split(",")) if isinstance(label, str) else tuple(label or ())
    if not names or len(set(names)) < len(names) or not set(names) <= set(about.attributes):
        raise ValueError(
            f"Argument `label` must be one, or several parted by commas, of {list(about.attributes)}, which each image "
            f"of {about.name!r} has. Received: label={label!r}"
        )
    return names


def _splits(about: datasets.DatasetInfo) -> tuple[str, str]:
    """What is trained on, and what is held out: labelled both."""
    for split in ("test", "validation"):
        if split in about.splits and split not in about.unlabelled:
            return "train", split
    return "train[:90%]", "train[90%:]" if "validation" in about.splits else "validation"


def _labels(about: datasets.DatasetInfo, split: str, names: tuple[str, ...] | None, data: dict) -> np.ndarray:
    """(examples, labels): those of a split, int64, in stored order."""
    how = {"labels": True, "attributes": names, "shuffle": False, "drop_remainder": False}
    found = datasets.load(about.name, split, 500, **how, **data).map(lambda x, y: y)
    rows = (_columns(y, names) for y in found.as_numpy_iterator())
    parts = [np.concatenate(part) for part in zip(*rows, strict=True)]
    for part in parts:
        if part.ndim != 1 or part.dtype.kind not in "iub" or part.min() < 0:
            least = f", the least {part.min()}" if part.dtype.kind in "iuf" else ""
            raise ValueError(
                "Labels must be integers from 0, one for each image; -1 is an unknown class. "
                f"Received: {about.name!r}, whose split {split!r} has {part.dtype} labels of shape {part.shape}{least}"
            )
    return np.stack(parts, axis=1).astype(np.int64)


def _columns(y, names: tuple[str, ...] | None) -> list:
    """The labels of a batch, one after the other."""
    return [y] if names is None else [y[name] for name in names]


def _classes(labels, sizes: np.ndarray) -> tf.Tensor:
    """(examples,) from labels (examples, parts): one class for each combination, the last label varies fastest."""
    strides = np.append(np.cumprod(sizes[:0:-1])[::-1], 1)
    return tf.reduce_sum(tf.cast(labels, tf.int64) * strides, axis=1)


def _guesses(model: keras.Model, images) -> np.ndarray:
    return np.concatenate([model.predict_on_batch(x).argmax(axis=-1) for x in images.as_numpy_iterator()])
