"""The ways of resizing images that published scores used; they differ by whole points of FID."""

from collections.abc import Callable

import tensorflow as tf

from keras_ijae.checks import choice


def _legacy_tensorflow(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """TensorFlow 1: bilinear between two neighbours, pixel i at i * scale, no antialiasing."""
    return tf.raw_ops.ResizeBilinear(images=images, size=size, align_corners=False, half_pixel_centers=False)


def _legacy_pytorch(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """PyTorch's interpolate(align_corners=False): bilinear, pixel centres at halves, no antialiasing."""
    return tf.raw_ops.ResizeBilinear(images=images, size=size, align_corners=False, half_pixel_centers=True)


def _clean(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Pillow's bicubic (a = -1/2) on float channels, antialiased, clipped to 0..255."""
    return tf.clip_by_value(tf.image.resize(images, size, "bicubic", antialias=True), 0.0, 255.0)


CONVENTIONS: dict[str, Callable[[tf.Tensor, tuple[int, int]], tf.Tensor]] = {
    "legacy_tensorflow": _legacy_tensorflow,
    "legacy_pytorch": _legacy_pytorch,
    "clean": _clean,
}
"""Name -> function of images (b, h, w, c) and (height, width)."""


def check_convention(name: str) -> None:
    """ValueError if there is no such convention."""
    choice("resize", name, CONVENTIONS)


def resize_images(images: tf.Tensor, size: tuple[int, int], convention: str) -> tf.Tensor:
    """Images (b, h, w, c) of values 0..255 as (b, *size, c) of such values.

    Args:
        images: float32.
        size: (height, width).
        convention: "legacy_tensorflow" (what the 2015 graph does itself, so what most published FIDs use),
            "legacy_pytorch", or "clean" (antialiased).

    References:
        Parmar, Zhang, Zhu: On aliased resizing and surprising subtleties in GAN evaluation (2022).
    """
    check_convention(convention)
    return CONVENTIONS[convention](images, size)
