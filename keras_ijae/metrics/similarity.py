"""Structural similarity, on one scale and on five, and the diversity of generated images by it."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import whole
from keras_ijae.metrics import _checks

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first (Wang et al. 2003)."""
_TAPS, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
_NUMBERS = 2**22


def ssim(first: ArrayLike, second: ArrayLike) -> float:
    """Structural similarity, a mean over images, windows and channels.

    The window is a Gaussian of 11 taps and standard deviation 1.5, cropped to the image where that is smaller, and
    stays inside the image; the constants are 0.01 and 0.03 of the range.

    Args:
        first, second: images of one shape, (n, height, width, channels), in [0, 1] or uint8.

    Returns:
        From -1 to 1; 1 for equal images.

    Raises:
        ValueError: other shapes, dtypes or values.

    References:
        Wang et al. 2004, eq. 13.
    """
    first, second = (_planes(values) for values in _checks.image_pairs(first, second))
    parts = _parts(len(first), first[0].size)
    return float(np.mean(np.concatenate([_compare(_filtered(first[i]), _filtered(second[i]))[0] for i in parts])))


def ms_ssim(first: ArrayLike, second: ArrayLike) -> float:
    """Structural similarity over five scales, a mean over images and channels.

    Between scales 2 x 2 pixels are averaged (an odd side repeats its last row). On each scale the window has
    min(11, height, width) taps: as in compare_gan, and equal to `tf.image.ssim_multiscale` where that one accepts the
    images, from 176 pixels. Images of 64 pixels have windows of 11, 11, 11, 8 and 4 taps, those of 28 pixels 11, 11, 7,
    4 and 2, and below 16 pixels the last scales are single pixels that only compare brightness. Values of images of
    different size are therefore not comparable.

    Args:
        first, second: images of one shape, (n, height, width, channels), in [0, 1] or uint8.

    Returns:
        From 0 to 1; 1 for equal images. Negative structure counts as 0.

    Raises:
        ValueError: other shapes, dtypes or values.

    References:
        Wang, Simoncelli & Bovik 2003, eq. 7.
    """
    first, second = (_planes(values) for values in _checks.image_pairs(first, second))
    parts = _parts(len(first), first[0].size)
    similarities = [_compare_pyramids(_pyramid(first[some]), _pyramid(second[some])) for some in parts]
    return float(np.concatenate(similarities).mean())


def ms_ssim_diversity(images: ArrayLike, batches: int = 5, batch_size: int = 64) -> float:
    """1 - mean `ms_ssim` over all pairs of different images inside a batch, a mean over batches.

    Meaningful for images of one class, faces say, and to be read beside the value of the data: noise is diverse.

    Args:
        images: generated, (n, height, width, channels), in [0, 1] or uint8; n >= 2. Of the order given, the first
            batches * batch_size are used; fewer make fewer batches, and at least one of what there is.
        batches: how many.
        batch_size: images of a batch, at least 2.

    Returns:
        From 0 (all equal) to 1.

    Raises:
        ValueError: other shapes, dtypes, values or numbers.

    References:
        Odena et al. 2017, section 4.2; Rosca et al. 2017, section 5 (1 - the mean, 5 batches of 64).
    """
    planes = _planes(_checks.images("images", images, minimum=2))
    size = min(whole("batch_size", batch_size, 2), len(planes))
    count = min(whole("batches", batches, 1), len(planes) // size)
    return float(np.mean([1 - _mean_similarity(planes[i * size : (i + 1) * size]) for i in range(count)]))


@dataclass(frozen=True)
class _Filtered:
    """Images, (n, channels, height, width), and their windows' means and variances."""

    planes: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "_Filtered":
        return _Filtered(self.planes[rows], self.mean[rows], self.variance[rows])


def _filtered(planes: np.ndarray) -> _Filtered:
    mean = _blur(planes)
    return _Filtered(planes, mean, _blur(planes**2) - mean**2)


def _pyramid(planes: np.ndarray) -> list[_Filtered]:
    """The images on each scale, finest first."""
    scales = [_filtered(planes)]
    while len(scales) < len(SCALE_WEIGHTS):
        scales.append(_filtered(_halved(scales[-1].planes)))
    return scales


def _compare(first: _Filtered, second: _Filtered) -> tuple[np.ndarray, np.ndarray]:
    """Mean similarity over windows, and that of contrast and structure alone: (n, channels) each."""
    product = first.mean * second.mean
    covariance = _blur(first.planes * second.planes) - product
    structure = (2 * covariance + _C2) / (first.variance + second.variance + _C2)
    luminance = (2 * product + _C1) / (first.mean**2 + second.mean**2 + _C1)
    return (luminance * structure).mean(axis=(2, 3)), structure.mean(axis=(2, 3))


def _compare_pyramids(first: list[_Filtered], second: list[_Filtered]) -> np.ndarray:
    """(n,): similarity over all scales; luminance counts on the coarsest only."""
    pairs = [_compare(*scale) for scale in zip(first, second, strict=True)]
    factors = [structure for _, structure in pairs[:-1]] + [pairs[-1][0]]
    powers = [np.maximum(factor, 0) ** weight for factor, weight in zip(factors, SCALE_WEIGHTS, strict=True)]
    return np.prod(powers, axis=0).mean(axis=1)


def _mean_similarity(planes: np.ndarray) -> float:
    """Over all pairs of different images."""
    pyramid, pairs = _pyramid(planes), np.transpose(np.triu_indices(len(planes), 1))
    similarities = []
    for some in _parts(len(pairs), planes[0].size):
        first, second = ([scale[pairs[some, side]] for scale in pyramid] for side in (0, 1))
        similarities.append(_compare_pyramids(first, second))
    return float(np.concatenate(similarities).mean())


def _parts(count: int, size: int) -> Iterator[slice]:
    """Slices of `count` images of `size` numbers that share the memory at hand."""
    step = max(1, _NUMBERS // size)
    return (slice(start, start + step) for start in range(0, count, step))


def _planes(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(images, 3, 1))


def _halved(planes: np.ndarray) -> np.ndarray:
    height, width = planes.shape[2:]
    planes = np.pad(planes, [(0, 0), (0, 0), (0, height % 2), (0, width % 2)], mode="symmetric")
    return planes.reshape(*planes.shape[:2], (height + 1) // 2, 2, (width + 1) // 2, 2).mean(axis=(3, 5))


def _blur(planes: np.ndarray) -> np.ndarray:
    """Weighted means over the windows that lie inside the images."""
    height, width = planes.shape[2:]
    taps = min(_TAPS, height, width)
    return _windows(height, taps) @ planes @ _windows(width, taps).T


@functools.lru_cache(32)
def _windows(size: int, taps: int) -> np.ndarray:
    """(size - taps + 1, size): in each row a Gaussian that sums to 1, one step further."""
    weights = np.exp(-0.5 * ((np.arange(taps) - (taps - 1) / 2) / _SIGMA) ** 2)
    matrix = np.zeros((size - taps + 1, size))
    for i in range(len(matrix)):
        matrix[i, i : i + taps] = weights / weights.sum()
    return matrix
