"""Batches of what Keras trains on: observations and labels in them, and what is wrong with them."""

import itertools
import numbers
import operator
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.datasets.pipeline import peeking

UNWEIGHTED = (
    "Examples cannot be weighted: the losses of a game are scalars of whole batches, such as those of discriminators "
    "and of statistics over codes. Repeat examples in the data set instead"
)


class Batch(NamedTuple):
    """What a step sees; row i of everything in a pass belongs to row i of it.

    Attributes:
        x: observations, (batch, *data_shape).
        labels: one-hot, (batch, classes), a row of zeros where unknown; None for a model without `classes`.
    """

    x: tf.Tensor
    labels: tf.Tensor | None = None

    @property
    def rows(self) -> tf.Tensor:
        """How many rows: an int32 scalar."""
        return tf.shape(self.x)[0]

    def each(self, function: Callable[[Any], Any]) -> "Batch":
        """`function` of the observations and, where there are some, of the labels."""
        return Batch(*(part if part is None else function(part) for part in self))

    def in_parts(self) -> Iterator[tuple[slice, "Batch"]]:
        """Rows that go through a network at once: which, and the batch of them."""
        return ((rows, self.each(operator.itemgetter(rows))) for rows in parts(self.x.shape[0]))


OUTSIDE = "labels outside"
"""What the flag of labels for which `classes` has no room begins with."""
ROWS = 512
"""How many rows go through a network at once, where there may be any number of them."""


def parts(rows: int) -> Iterator[slice]:
    """Of so many rows, those that go through a network at once."""
    return (slice(at, at + ROWS) for at in range(0, rows, ROWS))


def unpack(data: Any) -> tf.Tensor:
    """The observations of a batch: x alone, (x, y), or a tfds dictionary with "image" (uint8 is scaled).

    Raises:
        ValueError: weights as a third part, or a dictionary without "image".
    """
    data = _alone(data)
    if isinstance(data, (tuple, list)):
        if len(data) > 2 and data[2] is not None:
            raise ValueError(f"{UNWEIGHTED}. Received: batches of {len(data)} parts (x, y, sample_weight)")
        data = data[0]
    if isinstance(data, dict):
        if "image" not in data:
            raise ValueError(f'A dictionary batch must have "image". Received the keys {sorted(data)}')
        data = tf.convert_to_tensor(data["image"])
        return tf.cast(data, tf.float32) / 255 if data.dtype == tf.uint8 else data
    return data


def labels_in(data: Any) -> Any:
    """The labels of a batch of a form that `unpack` takes: y of (x, y), or "label" of a dictionary; None: none."""
    data = _alone(data)
    if isinstance(data, (tuple, list)):
        own = labels_in(data[0]) if isinstance(data[0], dict) else None
        return data[1] if len(data) > 1 and data[1] is not None else own
    return data.get("label") if isinstance(data, dict) else None


def _alone(data):
    """What a tuple of one thing holds: Keras hands on ([x, labels],) where it was given [x, labels]."""
    if isinstance(data, (tuple, list)) and not data:
        raise ValueError(f"Observations must be an array, a pair (x, y) or a dictionary. Received: {data!r}")
    return data[0] if isinstance(data, tuple) and len(data) == 1 else data


def one_hot(labels: Any, classes: int, dtype: Any, rows: int | None = None) -> tf.Tensor:
    """Labels as rows (batch, classes) of one 1, or of zeros where a label is -1, "unknown".

    Args:
        labels: integers (batch,) or (batch, 1) in -1..classes-1, or such rows.
        classes: K.
        dtype: of the result.
        rows: how many there must be; None: any number.

    Raises:
        ValueError: none, several to an example, of another kind or shape, or, where values are known, outside.
    """
    labels = checked_labels(labels, classes)
    if rows is not None and labels.shape[0] not in (None, rows):
        raise ValueError(f"Labels must be as many as there are rows: {rows}. Received: {labels.shape[0]}")
    return tf.cast(labels, dtype) if labels.shape.rank == 2 else tf.one_hot(labels, classes, dtype=dtype)


def checked_labels(labels: Any, classes: int) -> tf.Tensor:
    """Integers (batch,), int64, or one-hot rows (batch, classes); arguments and errors of `one_hot`."""
    expected = f"integers (batch,) in 0..{classes - 1}, -1 for unknown, or one-hot rows (batch, {classes})"
    if labels is None or isinstance(labels, dict):
        has = "no labels" if labels is None else f"several labels to an example, {sorted(labels)}: map the data to one"
        raise ValueError(f"A model with classes={classes} needs labels: {expected}. Received: {has}")
    labels = tf.convert_to_tensor(labels)
    if labels.dtype.is_integer and labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    integers = labels.dtype.is_integer and labels.shape.rank == 1
    if not integers and not (labels.shape.rank == 2 and labels.shape[1] == classes):
        raise ValueError(f"Labels must be {expected}. Received: {labels.dtype.name} of shape {tuple(labels.shape)}")
    if tf.executing_eagerly():
        _check_labels(labels.numpy(), integers, classes, expected)
    return tf.cast(labels, tf.int64) if integers else labels


def observations(x: Any, data_shape: tuple[int, ...], name: str = "x") -> tf.Tensor:
    """`x` as a tensor, or a ValueError: wrong dtype, rank, size, and where values are known range, NaN, emptiness."""
    kind = "images" if len(data_shape) == 3 else "vectors"
    try:
        x = tf.convert_to_tensor(x)
    except (TypeError, ValueError) as error:
        advice = ". For data sets there is `predict`, or call this for each batch" if isinstance(x, Iterable) else ""
        raise ValueError(
            f"Argument `{name}` must be an array or tensor of {kind}{advice}. Received: a {type(x).__name__}"
        ) from error
    if not x.dtype.is_floating:
        advice = " Divide uint8 images by 255 (ki.datasets.load does it)." if x.dtype.is_integer else ""
        raise ValueError(f"Argument `{name}` must be floating {kind}.{advice} Received: dtype {x.dtype.name}")
    if x.shape.rank != len(data_shape) + 1 or not x.shape[1:].is_compatible_with(data_shape):
        expected = f"(batch, {', '.join(map(str, data_shape))})"
        raise ValueError(f"Argument `{name}` must have shape {expected}. Received: shape {tuple(x.shape)}")
    if tf.executing_eagerly():
        _check_values(x.numpy(), name, images=len(data_shape) == 3)
    return x


def _check_values(x: np.ndarray, name: str, images: bool) -> None:
    if not x.size:
        raise ValueError(f"Argument `{name}` is empty: shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(
            f"Argument `{name}` must be finite. Received {np.count_nonzero(~np.isfinite(x))} NaN or infinite values"
        )
    if images and (x.min() < 0 or x.max() > 1):
        raise ValueError(f"Argument `{name}` must be images in [0, 1]. Received: range [{x.min():g}, {x.max():g}]")


def _check_labels(labels: np.ndarray, integers: bool, classes: int, expected: str) -> None:
    low, high = (labels.min(), labels.max()) if labels.size else (0, 0)
    if integers and (low < -1 or high >= classes):
        raise ValueError(f"Labels must be {expected}. Received: labels from {low} to {high}")
    if not integers and not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) <= 1).all()):
        raise ValueError(f"Labels must be {expected}. Received: rows that are not one-hot")


def flags(batch: Batch, data: Any, within: str | None) -> dict[str, tf.Tensor]:
    """In-graph: what is wrong with a batch, made of `data`. (XLA takes twice as long for `reduce_min` on CPU.)

    Args:
        within: what the data are called, "images", that must lie in [0, 1]; None: they may lie anywhere.
    """
    x, found = batch.x, {"NaN or infinite values in the data": ~tf.reduce_all(tf.math.is_finite(batch.x))}
    if within:
        found[f"{within} outside [0, 1]"] = tf.reduce_any((x < 0) | (x > 1))
    if batch.labels is not None:
        labels, classes = tf.convert_to_tensor(labels_in(data)), batch.labels.shape[1]
        if labels.shape[1:].is_compatible_with([classes]):
            rows = batch.labels
            several = tf.reduce_any(tf.reduce_sum(rows, axis=1) > 1)
            found["labels that are not one-hot"] = several | tf.reduce_any((rows != 0) & (rows != 1))
        else:
            labels = tf.cast(labels, tf.int64)
            found[f"{OUTSIDE} -1..{classes - 1}"] = tf.reduce_any((labels < -1) | (labels >= classes))
    return found


def check_form(name: str, x: Any, classes: int | None = None) -> None:
    """ValueError for what has no observations in a form that is known: nothing, text, numbers, symbols, and lists.

    A list is taken for (x, labels) by conditional models alone: else all but the first of its parts would be dropped.
    """
    pair = isinstance(x, list) and len(x) == 2 and classes is not None
    loads = hasattr(x, "__iter__") and hasattr(x, "__len__")  # as the loaders of other libraries do
    plain = isinstance(x, (str, bytes, numbers.Number, Set, tf.RaggedTensor))
    known = (hasattr(x, "__getitem__") or loads) and not plain
    known = known or isinstance(x, (Iterator, tf.data.Dataset, tf.distribute.DistributedDataset))
    nested = isinstance(x, (tuple, list, dict))
    empty = nested and not x
    symbolic = any(isinstance(part, keras.KerasTensor) for part in (tf.nest.flatten(x) if nested else [x]))
    if not known or empty or symbolic or (isinstance(x, list) and not pair):
        received = f"a list of {len(x)} parts" if isinstance(x, list) else f"{x!r:.200}"
        raise ValueError(
            f"Argument `{name}` must be an array, a pair (x, y), a dictionary, a tf.data.Dataset or a PyDataset; "
            f"batches in a list are to be joined, as by np.concatenate. Received: {received}"
        )


def first_batch(x: Any, batch_size: int | None) -> tuple[Any, Any]:
    """The first batch of what `fit` accepts, and `x` with nothing taken from it; None for distributed data sets."""
    if isinstance(x, tf.data.Dataset):
        with peeking(x):
            return _present(next(iter(x.take(1)), None)), x
    if isinstance(x, keras.utils.PyDataset):
        return _present(x[0] if len(x) else None), x
    if isinstance(x, Iterator):
        first = _present(next(x, None))
        return first, (batch for batch in itertools.chain([first], x))  # Keras takes generators, no other iterators
    if isinstance(x, tf.distribute.DistributedDataset) or not hasattr(x, "__getitem__"):
        return None, x
    if isinstance(x, (tuple, list, dict)):
        return tf.nest.map_structure(lambda part: part[: batch_size or 32], x), x
    return x[: batch_size or 32], x


def batches(x: Any) -> Iterable:
    """The batches of a finite dataset, or an array or pair of arrays as one batch."""
    endless = isinstance(x, tf.data.Dataset) and x.cardinality() == tf.data.INFINITE_CARDINALITY
    if endless or (isinstance(x, keras.utils.PyDataset) and x.num_batches is None):
        raise ValueError("The dataset must end. Received: one that repeats for ever; `take` some batches of it")
    if isinstance(x, keras.utils.PyDataset):
        return (x[index] for index in range(x.num_batches))
    return x if isinstance(x, tf.data.Dataset) else [x]


def _present(batch):
    if batch is None:
        raise ValueError("The dataset is empty: there is no first batch")
    return batch
