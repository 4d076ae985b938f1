"""Errors of reconstructions, pixel by pixel."""

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.metrics import _checks


def mean_squared_error(first: ArrayLike, second: ArrayLike) -> float:
    """Mean over images, pixels and channels of (first - second)^2, in [0, 1]; uint8 images count as value / 255.

    Args:
        first, second: images of one shape, (n, height, width, channels), in [0, 1] or uint8.

    Raises:
        ValueError: other shapes, dtypes or values.
    """
    first, second = _checks.image_pairs(first, second)
    return float(np.mean((first - second) ** 2))


def psnr(first: ArrayLike, second: ArrayLike) -> float:
    """Peak signal-to-noise ratio in decibels: -10 log10 of an image's mean squared error, averaged over images.

    Infinite as soon as one pair is equal.

    Args:
        first, second: images of one shape, (n, height, width, channels), in [0, 1] or uint8.

    Raises:
        ValueError: other shapes, dtypes or values.
    """
    first, second = _checks.image_pairs(first, second)
    errors = np.mean((first - second) ** 2, axis=(1, 2, 3))
    return float(np.mean([-10 * np.log10(error) if error else np.inf for error in errors]))
