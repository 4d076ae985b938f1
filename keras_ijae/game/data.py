"""Batches of what Keras trains on: the observations in them, and what is wrong with them."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

UNWEIGHTED = (
    "Examples cannot be weighted: the losses of a game are scalars of whole batches, such as those of discriminators "
    "and of statistics over codes. Repeat examples in the data set instead"
)


def unpack(data: Any) -> tf.Tensor:
    """The observations of a batch: x alone, (x, y), or a tfds dictionary with "image" (uint8 is scaled).

    Raises:
        ValueError: weights as a third part, or a dictionary without "image".
    """
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


def observations(x: Any, data_shape: tuple[int, ...], name: str = "x") -> tf.Tensor:
    """`x` as a tensor, or a ValueError: wrong dtype, rank, size, and where values are known range, NaN, emptiness."""
    x = tf.convert_to_tensor(x)
    kind = "images" if len(data_shape) == 3 else "vectors"
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


def flags(x: tf.Tensor, images: bool) -> dict[str, tf.Tensor]:
    """In-graph: what is wrong with a batch. (Under XLA on CPU `reduce_min` and `reduce_max` take twice as long.)"""
    found = {"NaN or infinite values in the data": ~tf.reduce_all(tf.math.is_finite(x))}
    if images:
        found["images outside [0, 1]"] = tf.reduce_any((x < 0) | (x > 1))
    return found


def first_batch(x: Any, batch_size: int | None) -> tuple[Any, Any]:
    """The first batch of what `fit` accepts, and `x` with nothing taken from it; None for distributed data sets."""
    if isinstance(x, tf.data.Dataset):
        return _present(next(iter(x.take(1)), None)), x
    if isinstance(x, keras.utils.PyDataset):
        return _present(x[0] if len(x) else None), x
    if isinstance(x, Iterator):
        first = _present(next(x, None))
        return first, (batch for batch in itertools.chain([first], x))  # Keras takes generators, no other iterators
    if isinstance(x, tf.distribute.DistributedDataset) or not hasattr(x, "__getitem__"):
        return None, x  # Keras says what it cannot take
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
