"""Batches of images as one PNG."""

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from keras_ijae.files import replacing
from keras_ijae.training.lettering import lettered

SIDE = 56
"""Images are enlarged until their shorter side has at least this many pixels."""
GAP = 2
"""White pixels between images."""
DESCRIPTION = "Description"
"""PNG's keyword for what a picture shows: here its caption."""


def grid(
    images: np.ndarray,
    columns: int | None = None,
    scale: int | None = None,
    gap: int = GAP,
    together: int | None = None,
) -> np.ndarray:
    """Lays images out in rows, enlarged by repeating pixels.

    Args:
        images: (n, height, width, channels), n >= 1, values in [0, 1]. One channel is grey, three are RGB; any
            other number is shown as the mean over the channels.
        columns: images in a row; by default the square root of n, rounded up.
        scale: how many pixels wide each pixel becomes; by default the least that gives each image a shorter
            side of 56 pixels.
        gap: white pixels between images.
        together: so many rows belong together; between two such groups the gap is five times as wide. None: all.

    Returns:
        uint8, (rows * (height * scale + gap) - gap, columns * (width * scale + gap) - gap, 1 or 3), and higher by the
        wider gaps.

    Raises:
        ValueError: for anything but a batch of images in [0, 1], or a number below 1 (`gap`: below 0).
    """
    images = _checked(images)
    count, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    scale = scale or max(1, -(-SIDE // min(height, width)))
    rows = -(-count // columns)
    together = together or rows
    _at_least(columns=(columns, 1), scale=(scale, 1), gap=(gap, 0), together=(together, 1))
    pixels = np.round(images * 255).astype(np.uint8).repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = height * scale + gap, width * scale + gap
    canvas = np.full((rows * columns, height, width, channels), 255, np.uint8)
    canvas[:count, : height - gap, : width - gap] = pixels
    canvas = canvas.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    canvas = canvas.reshape(rows * height, columns * width, channels)[: rows * height - gap, : columns * width - gap]
    ends = np.arange(together, rows, together) * height
    return np.insert(canvas, np.repeat(ends, 4 * gap), 255, axis=0)


def interleave(first: np.ndarray, second: np.ndarray, columns: int = 8) -> np.ndarray:
    """Rows of `first` alternating with rows of `second`, so that pairs stand one above the other.

    Args:
        first, second: (n, height, width, channels), the same shape.
        columns: images in a row, as given to `grid` afterwards (n, if that is less).

    Returns:
        (2 * m, height, width, channels) with m the smallest multiple of `columns` from n up: what a last row lacks is
        white.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(
            "Arguments `first` and `second` must have the same shape. "
            f"Received: first.shape={first.shape}, second.shape={second.shape}"
        )
    columns = min(columns, len(first))
    rows = -(-len(first) // columns)
    white = np.ones((rows * columns - len(first), *first.shape[1:]), first.dtype)
    pairs = [np.concatenate([images, white]).reshape(rows, columns, *first.shape[1:]) for images in (first, second)]
    return np.stack(pairs, axis=1).reshape(2 * rows * columns, *first.shape[1:])


def save_grid(
    path: str | os.PathLike,
    images: np.ndarray,
    columns: int | None = None,
    scale: int | None = None,
    *,
    together: int | None = None,
    rows: Sequence[str] = (),
    caption: str = "",
) -> np.ndarray:
    """Writes images as a PNG, whole or not at all.

    Args:
        path: the file.
        images, columns, scale, together: as `grid` takes them.
        rows: what each row is, at its left; they begin anew after the last.
        caption: below, such as the run and the seed.

    Returns:
        What was written, uint8 (height, width, 1 or 3).
    """
    picture = grid(images, columns, scale, together=together)
    if rows or caption:
        picture = lettered(picture, caption, _middles(picture, np.shape(images), columns, together, rows))
    about = PngInfo()
    about.add_itxt(DESCRIPTION, caption.encode("utf-8", "replace").decode())  # paths may be no text
    with replacing(path) as temporary:
        shown = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        shown.save(temporary, "PNG", pnginfo=about if caption else None)
    return picture


def save_pairs(
    path: str | os.PathLike,
    first: np.ndarray,
    second: np.ndarray,
    columns: int = 8,
    *,
    rows: Sequence[str] = ("data", "reconstruction"),
    caption: str = "",
) -> np.ndarray:
    """Writes images above others as a PNG, whole or not at all; each pair stands together.

    Args:
        path: the file.
        first, second: (n, height, width, channels) each, in [0, 1].
        columns: pairs in a row.
        rows: what the first and the second are, at the left.
        caption: below, such as the run and the seed.

    Returns:
        What was written, uint8 (height, width, 1 or 3).
    """
    pairs = interleave(first, second, columns)
    return save_grid(path, pairs, min(columns, len(first)), together=2, rows=rows, caption=caption)


def _middles(
    picture: np.ndarray, shape: tuple[int, ...], columns: int | None, together: int | None, rows: Sequence[str]
) -> list[tuple[int, str]]:
    """(y of its middle, what it is) of each row of a grid."""
    if not rows:
        return []
    count = -(-shape[0] // (columns or math.ceil(math.sqrt(shape[0]))))
    together = together or count
    groups = -(-count // together)
    gap = GAP
    height = (picture.shape[0] - (groups - 1) * 4 * gap + gap) // count
    of_row = [index * height + index // together * 4 * gap + (height - gap) // 2 for index in range(count)]
    return [(y, rows[index % len(rows)]) for index, y in enumerate(of_row)]


def class_rows(model: Any, columns: int = 8, seed: int = 0, observation: str = "mean") -> np.ndarray:
    """Samples of a conditional model, a row for each class: what stands in a column differs by its label alone.

    Args:
        model: with `classes`.
        columns: samples of each class.
        seed: of the codes, which are the same in each row.
        observation: as in `model.sample`; what is drawn is clipped to [0, 1].

    Returns:
        (classes * columns, height, width, channels), for `save_grid(path, images, columns)`.

    Raises:
        ValueError: the model has no classes.
    """
    if model.classes is None:
        raise ValueError("Argument `model` must be conditional, created with `classes`. Received: one without")
    return np.concatenate([samples_to_show(model, columns, seed, observation, label) for label in range(model.classes)])


def samples_to_show(
    model: Any, count: int, seed: int = 0, observation: str = "mean", label: int | None = None
) -> np.ndarray:
    """Samples for a picture: what a Gaussian or Laplace likelihood draws leaves [0, 1], and is clipped to it."""
    of_label = {} if label is None else {"labels": label}
    images = model.sample(count, seed=seed, observation=observation, **of_label)
    return np.clip(images, 0, 1) if observation == "draw" else images


def to_show(
    model: Any, count: int, seed: int = 0, observation: str = "mean", columns: int | None = None
) -> tuple[np.ndarray, int | None]:
    """About `count` samples, and the columns of their picture: `class_rows` where there are classes."""
    if model.classes is None:
        return samples_to_show(model, count, seed, observation), columns
    columns = columns or max(1, round(count / model.classes))
    return class_rows(model, columns, seed, observation), columns


def class_names(model: Any) -> list[str]:
    """What the rows of `to_show` are: a class each, or nothing of a model without classes."""
    return [str(label) for label in range(model.classes or 0)]


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            "Argument `images` must be of shape (n, height, width, channels), none of them 0. "
            f"Received: images.shape={images.shape}"
        )
    images = images.astype(np.float32)
    if not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"Argument `images` must have values in [0, 1]. Received: images in [{images.min():g}, {images.max():g}]"
        )
    return images if images.shape[-1] in (1, 3) else images.mean(axis=-1, keepdims=True)


def _at_least(**bounds: tuple[int, int]) -> None:
    for name, (value, least) in bounds.items():
        if value < least:
            raise ValueError(f"Argument `{name}` must be at least {least}. Received: {name}={value}")
