"""The data that are scored: in batches of one size, checked, with their labels where the model takes labels."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.game import data as batches
from keras_ijae.game.data import Batch

ROWS = 256


def batches_of(name: str, data: Any, model: Any) -> tf.data.Dataset:
    """Batches of ROWS in a form that `read` takes, however the data come: their noise must not depend on it.

    Args:
        name: of the argument, for messages.
        data: what `ki.evaluation.evaluate` takes.
        model: for which labels are kept, if it takes some.

    Raises:
        ValueError: the data never end, can be read only once, or labels of an array do not fit.
    """
    batches.check_form(name, data, model.classes)
    if isinstance(data, Iterator | tf.distribute.DistributedDataset):
        raise ValueError(
            f"Argument `{name}` must be an array, a tf.data.Dataset or a PyDataset, which can be read more than once. "
            f"Received: {data!r:.200}"
        )
    if isinstance(data, tf.data.Dataset):
        if data.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(f"Argument `{name}` must end. Received: an infinite data set")
        return data.rebatch(ROWS)
    if isinstance(data, keras.utils.PyDataset):
        return _of_py_dataset(data, model).rebatch(ROWS)
    x, y = batches.unpack(data), _labels(data, model)
    if not len(x):
        raise ValueError(f"Argument `{name}` must have examples. Received: none")
    x = batches.observations(x, model.data_shape, name)
    slices = x if y is None else (x, batches.one_hot(y, model.classes, "float32", x.shape[0]))
    return tf.data.Dataset.from_tensor_slices(slices).batch(ROWS)


def observations(part: Any, model: Any) -> tf.Tensor:
    """The observations of a batch of any form, checked."""
    return batches.observations(batches.unpack(part), model.data_shape)


def read(part: Any, model: Any) -> Batch:
    """A batch as arrays, checked: observations, and one-hot labels if there are some and the model takes them."""
    x, y = observations(part, model).numpy(), _labels(part, model)
    return Batch(x, None if y is None else batches.one_hot(y, model.classes, "float32", len(x)).numpy())


def joined(parts: list[Batch]) -> Batch:
    """Batches as one."""
    return Batch(*(None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)))


def _labels(data, model):
    return None if model.classes is None else batches.labels_in(data)


def _of_py_dataset(data, model):
    def part(index):
        batch = data[index]
        x, y = batches.unpack(batch), _labels(batch, model)
        return (x,) if y is None else (x, y)

    first = tf.nest.map_structure(tf.convert_to_tensor, part(0))
    spec = tf.nest.map_structure(lambda rows: tf.TensorSpec([None, *rows.shape[1:]], rows.dtype), first)
    return tf.data.Dataset.from_generator(lambda: map(part, range(len(data))), output_signature=spec)
