"""Trains the classifier of a data set whose features and classes stand in for Inception's."""

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from keras_ijae import datasets
from keras_ijae.metrics.features.classifier import Classifier, Record, build_classifier, record_path


def train_classifier(
    dataset: str,
    path: str | os.PathLike,
    *,
    epochs: int = 5,
    batch_size: int = 128,
    seed: int = 0,
    overwrite: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Record:
    """Trains on a labelled image data set and stores the classifier with its accuracy on held-out images.

    It is judged by "test", or where there is none by "validation", and never trained on these. Sets the seed of
    Keras' initial weights, which is global.

    Args:
        dataset: its name, as in `keras_ijae.datasets.load`.
        path: where to: a name ending in .keras; the record stands beside it as .json.
        epochs: passes over the data; five reach about 99 % on MNIST.
        batch_size: images of a step.
        seed: of initial weights, order and dropout.
        overwrite: whether to replace what stands at `path`.
        callbacks: of Keras, such as a progress bar.

    Returns:
        The record: accuracy, number of classes, what it was judged by.

    Raises:
        ValueError: the data set has no images or labels, or something stands at `path`.

    Example:
        train_classifier("mnist", "mnist-classifier.keras")
    """
    path = Path(path)
    _check_path(path, overwrite)
    train, held_out, split = _data(dataset, batch_size, seed)
    classes = 1 + max(int(labels.max()) for _, labels in train.as_numpy_iterator())
    keras.utils.set_random_seed(seed)
    model = build_classifier(tuple(train.element_spec[0].shape[1:]), classes)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    datasets.set_epoch(train, 0)
    model.fit(train, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return Classifier(model, dataset, _accuracy(model, held_out)).save(path, split, epochs, seed)


def _check_path(path: Path, overwrite: bool) -> None:
    if path.suffix != ".keras":
        raise ValueError(f"Argument `path` must end in .keras. Received: {path}")
    for part in (path, record_path(path)):
        if part.exists() and not overwrite:
            raise ValueError(f"{part} exists; it is not overwritten unless you say so (overwrite)")


def _data(dataset: str, batch_size: int, seed: int):
    """Shuffled training batches (x, y), the held-out ones in order, and the name of the latter's split."""
    train = datasets.load(dataset, "train", batch_size, labels=True, seed=seed)
    if isinstance(train.element_spec[1], dict) or len(train.element_spec[0].shape) != 4:
        raise ValueError(f"Argument `dataset` must have images of one class each. Received: {dataset!r}")
    splits = datasets.info(dataset).splits
    split = "test" if "test" in splits else "validation"
    if split not in splits:
        train = datasets.load(dataset, "train[:90%]", batch_size, labels=True, seed=seed)
    return train, datasets.load(dataset, split, 500, labels=True), split


def _accuracy(model: keras.Model, data) -> float:
    right = [model.predict_on_batch(x).argmax(-1) == y for x, y in data.as_numpy_iterator()]
    return float(np.mean(np.concatenate(right)))
