"""Checks of arrays that the metrics share. What passes comes back as a NumPy array."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import as_images, finite, real

_DIGITS = 280
"""What float64 can sum lies between 10^-280 and 10^280."""


def rows(name: str, values: ArrayLike, minimum: int = 2, power: int = 2) -> np.ndarray:
    """`values` as (n, d), n >= `minimum`, d >= 1, finite; float32 and float64 stay as they are, others are float64.

    What is so large or so small that its `power` would overflow or vanish is refused as well.
    """
    array = real(name, values)
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    if array.ndim != 2 or len(array) < minimum or array.shape[1] < 1:
        raise ValueError(
            f"Argument `{name}` must have shape (n, d) with n of at least {minimum}. Received: shape {array.shape}"
        )
    finite(name, array)
    largest = max(float(array.max()), -float(array.min()))
    most = 10.0 ** (_DIGITS // power)
    if largest and not 1 / most <= largest <= most:
        message = f"Argument `{name}` must have its largest value between {1 / most:g} and {most:g}, or be 0"
        raise ValueError(f"{message}: scale it. Received: {largest:g}")
    return array


def two_sets(
    names: tuple[str, str], first: ArrayLike, second: ArrayLike, minimum: int = 2, power: int = 2
) -> tuple[np.ndarray, ...]:
    """Two arrays as `rows` has them, of one d."""
    first, second = rows(names[0], first, minimum, power), rows(names[1], second, minimum, power)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Arguments `{names[0]}` and `{names[1]}` must have one d. "
            f"Received: shapes {first.shape} and {second.shape}"
        )
    return first, second


def images(name: str, values: ArrayLike, minimum: int = 1) -> np.ndarray:
    """`values` as (n, height, width, channels) float64 in [0, 1], from floating images in [0, 1] or from uint8."""
    array = as_images(name, values, minimum)
    return array / 255 if array.dtype == np.uint8 else array.astype(np.float64)


def image_pairs(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays as `images` has them, of one shape."""
    first, second = images("first", first), images("second", second)
    if first.shape != second.shape:
        raise ValueError(
            f"Arguments `first` and `second` must have one shape. Received: {first.shape} and {second.shape}"
        )
    return first, second


def warn_few(name: str, count: int, dimensions: int, what: str, stacklevel: int = 3) -> None:
    """Warns that `what` is biased if there are not more rows than dimensions."""
    if count <= dimensions:
        warnings.warn(f"`{name}` has {count} rows for {dimensions} dimensions: {what}", stacklevel=stacklevel)
