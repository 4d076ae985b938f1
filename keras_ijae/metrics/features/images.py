"""Images as extractors take them: checked float32 batches in [0, 1], of one size, from arrays and data sets."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.arrays import real
from keras_ijae.metrics import _checks

Images = ArrayLike | tf.data.Dataset
"""(n, height, width, channels): floating in [0, 1] or uint8; or a data set of such batches, also as (x, y) or with
the key "image"."""


def in_batches(images: Images, batch_size: int, channels: int | None = None) -> Iterator[np.ndarray]:
    """Batches (batch_size, height, width, channels), the last one smaller; how `images` is batched changes nothing.

    Args:
        images: see `Images`.
        batch_size: rows of a batch.
        channels: what is wanted; images of one channel are replicated to it, and a warning says so.

    Raises:
        ValueError: not images, none, outside [0, 1], not finite, of other channels, or without an end.
    """
    held, rows = [], 0
    for batch in _pieces(images):
        batch = with_channels(_checks.images("images", batch).astype(np.float32), channels)
        if held and held[0].shape[1:] != batch.shape[1:]:
            raise ValueError(
                f"Argument `images` must have one shape. Received: {held[0].shape[1:]} and {batch.shape[1:]}"
            )
        held.append(batch)
        rows += len(batch)
        if rows >= batch_size:
            joined = np.concatenate(held)
            whole = rows - rows % batch_size
            yield from np.split(joined[:whole], whole // batch_size)
            held, rows = [joined[whole:]], rows - whole
    if not held:
        raise ValueError("Argument `images` must have at least one image. Received: an empty data set")
    if rows:
        yield np.concatenate(held)


def _pieces(images: Any) -> Iterator[Any]:
    """Batches as they come; an array in slices, so that little of it is there twice."""
    if not isinstance(images, tf.data.Dataset):
        array = np.atleast_1d(real("images", images))
        return (array[start : start + 512] for start in range(0, len(array) or 1, 512))
    if images.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("Argument `images` must end. Received: an infinite data set")
    return map(_unpack, images)


def _unpack(element: Any) -> Any:
    if isinstance(element, (tuple, list)):
        element = element[0]
    if isinstance(element, dict):
        if "image" not in element:
            raise ValueError(f'A data set of dictionaries must have "image". Received: keys {sorted(element)}')
        element = element["image"]
    return element


def with_channels(batch: np.ndarray, channels: int | None) -> np.ndarray:
    """Images of one channel replicated to `channels` with a warning; ValueError if they have others."""
    found = batch.shape[-1]
    if channels in (None, found):
        return batch
    if found != 1:
        wanted = "1 channel" if channels == 1 else f"{channels} channels, or one"
        raise ValueError(f"Argument `images` must have {wanted}. Received: {found} channels")
    warnings.warn(f"Grey images: their channel is replicated {channels} times", stacklevel=2)
    return np.repeat(batch, channels, axis=-1)
