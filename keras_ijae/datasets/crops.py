"""Crops: from an image as stored to the image that a model sees.

CelebA's crops differ by several points of Frechet distance and must not be mixed; each is named after its use.
"""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from keras_ijae.checks import LARGEST_SIDE, choice, is_whole

_CELEB_A = (218, 178)


@dataclasses.dataclass(frozen=True)
class Crop:
    """Args: `rows`, `columns` of the window; `method` of the resize to `size`, `antialias` when it shrinks."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    method: str
    antialias: bool = True
    blur: bool = False

    def __call__(self, images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
        """Crops and resizes `(..., 218, 178, c)` to `(..., *size, c)`."""
        images = images[..., slice(*self.rows), slice(*self.columns), :]
        if self.blur:
            images = _blur(images, math.sqrt((self.rows[1] - self.rows[0]) / size[0]) / 2)
        return tf.image.resize(images, size, method=self.method, antialias=self.antialias)


CROPS: dict[str, str] = {
    "none": "the image as stored",
    "center": "the largest central window with the proportions of `size`, resized to it",
    "pad32": "28x28 padded with two zeros on each side (RAE)",
    "closecrop140": "CelebA rows 39:179, columns 19:159, Lanczos to 64x64 (WAE)",
    "crop128": "CelebA rows 45:173, columns 25:153, bilinear to 64x64 (two-stage VAE)",
    "resizecrop": "CelebA resized to 64 columns and 78 rows, rows 7:71 (ALI, AGE)",
    "crop148": "CelebA rows 40:188, columns 15:163, blurred, bicubic to 64x64 (VAE-GAN)",
}
"""The crops by name, with one line each."""

_WINDOWS = {
    "closecrop140": Crop((39, 179), (19, 159), "lanczos3"),
    "crop128": Crop((45, 173), (25, 153), "bilinear"),
    "crop148": Crop((40, 188), (15, 163), "bicubic", antialias=False, blur=True),
}


def framing(
    crop: str, size: int | tuple[int, int] | None, shape: tuple[int | None, ...]
) -> tuple[Callable[[tf.Tensor], tf.Tensor], tuple[int | None, ...]]:
    """Gives the function on float images `(..., *shape)` in [0, 1] and the shape that it returns.

    Args:
        crop: a key of `CROPS`.
        size: side, or (height, width), of the result; None is the crop's own.
        shape: shape of one stored image; the sides are None where they vary.

    Raises:
        ValueError: unknown crop, malformed size, or a crop that does not fit the images.
    """
    choice("crop", crop, sorted(CROPS))
    size = _size(size)
    if len(shape) != 3:
        if crop != "none" or size:
            raise ValueError(f"Arguments `crop` and `size` are for images. Received: vectors of shape {shape}.")
        return (lambda x: x), shape
    function, result = _frame("center" if size and crop == "none" else crop, size, shape)
    return function, (*result, shape[2])


def _frame(crop: str, size: tuple[int, int] | None, shape: tuple) -> tuple[Callable, tuple]:
    if crop == "none":
        return (lambda x: x), shape[:2]
    if crop == "pad32":
        _require(crop, shape, (28, 28), size)
        return (lambda x: tf.image.pad_to_bounding_box(x, 2, 2, 32, 32)), (32, 32)
    if crop == "center":
        if size is None:
            raise ValueError("Argument `crop`='center' needs `size`, the side of the result. Received: size=None.")
        return (lambda x: _center(x, size)), size
    _require(crop, shape, _CELEB_A, None)
    size = size or (64, 64)
    if size[0] != size[1]:
        raise ValueError(f"Argument `size` must be one side for the square crop {crop!r}. Received: size={size}.")
    function = _resize_crop if crop == "resizecrop" else _WINDOWS[crop]
    return (lambda x: tf.clip_by_value(function(x, size), 0.0, 1.0)), size


def _size(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2 or not all(is_whole(side, most=LARGEST_SIDE) for side in sides):
        raise ValueError(
            f"Argument `size` must be a positive side or (height, width), of at most {LARGEST_SIDE}. "
            f"Received: size={size!r:.200}."
        )
    return int(sides[0]), int(sides[1])


def _require(crop: str, shape: tuple, sides: tuple[int, int], size: tuple[int, int] | None) -> None:
    if shape[:2] != sides:
        raise ValueError(f"Argument `crop`={crop!r} is for images of {sides[0]}x{sides[1]}. Received: images {shape}.")
    if size is not None:
        raise ValueError(f"Argument `size` cannot be combined with `crop`={crop!r}. Received: size={size}.")


def _center(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    shape = tf.shape(images)
    height, width = shape[-3], shape[-2]
    rows = tf.minimum(height, tf.maximum(1, width * size[0] // size[1]))
    columns = tf.minimum(width, tf.maximum(1, height * size[1] // size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    window = images[..., top : top + rows, left : left + columns, :]
    return tf.clip_by_value(tf.image.resize(window, size, method="bilinear", antialias=True), 0.0, 1.0)


def _resize_crop(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    rows = int(size[1] * _CELEB_A[0] / _CELEB_A[1])
    top = (rows - size[0]) // 2
    images = tf.image.resize(images, (rows, size[1]), method="bilinear", antialias=True)
    return images[..., top : top + size[0], :, :]


def _blur(images: tf.Tensor, sigma: float) -> tf.Tensor:
    radius = math.ceil(4 * sigma)
    offsets = tf.range(-radius, radius + 1, dtype=tf.float32)
    taps = tf.nn.softmax(-(offsets**2) / (2 * sigma**2))
    shape = tf.shape(images)
    batch = tf.reshape(images, tf.concat([[-1], shape[-3:]], 0))
    batch = tf.pad(batch, [[0, 0], [radius, radius], [radius, radius], [0, 0]], mode="SYMMETRIC")
    for kernel in (taps[:, None, None, None], taps[None, :, None, None]):
        kernel = tf.tile(kernel, (1, 1, images.shape[-1], 1))
        batch = tf.nn.depthwise_conv2d(batch, kernel, (1, 1, 1, 1), "VALID")
    return tf.reshape(batch, shape)
