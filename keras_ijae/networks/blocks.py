"""What the families share: layers made to one style, sizes of feature maps, heads."""

from __future__ import annotations

import dataclasses
import math

import keras

from keras_ijae.checks import choice
from keras_ijae.layers.group_norm import GroupNorm
from keras_ijae.layers.spectral import SpectralConv2D, SpectralConv2DTranspose, SpectralDense

NORMS = ("none", "group", "batch", "layer")
SLOPE = 0.2


def head_dtype() -> str:
    """The type of a network's inputs and of its last layer: float32, mixed precision or not; float64 under float64."""
    return "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"


def inputs_of(shape: tuple[int, ...], name: str) -> keras.KerasTensor:
    """A network's input, batch not counted."""
    return keras.Input(shape, dtype=head_dtype(), name=name)


@dataclasses.dataclass(frozen=True)
class Style:
    """Which normalisation, which kind of kernels, which activation; makes layers accordingly.

    Args:
        norm: "none", "group", "batch" or "layer".
        spectral: whether dense layers and convolutions are spectrally normalised.
        activation: "leaky_relu" (slope 0.2) or the name of a Keras activation.
    """

    norm: str
    spectral: bool
    activation: str

    def __post_init__(self) -> None:
        choice("norm", self.norm, NORMS)

    def dense(self, h: keras.KerasTensor, units: int, **kwargs) -> keras.KerasTensor:
        """A dense layer."""
        layer = SpectralDense if self.spectral else keras.layers.Dense
        return layer(units, kernel_initializer=self._initializer(), **kwargs)(h)

    def conv(self, h: keras.KerasTensor, filters: int, size: int, strides=1, **kwargs) -> keras.KerasTensor:
        """A convolution, padded to the same size (over the stride, rounded up)."""
        layer = SpectralConv2D if self.spectral else keras.layers.Conv2D
        options = {"padding": "same", "kernel_initializer": self._initializer(), **kwargs}
        return layer(filters, size, strides=strides, **options)(h)

    def transpose(self, h: keras.KerasTensor, filters: int, size: int, strides=2, **kwargs) -> keras.KerasTensor:
        """A transposed convolution; the map grows by the stride."""
        layer = SpectralConv2DTranspose if self.spectral else keras.layers.Conv2DTranspose
        options = {"padding": "same", "kernel_initializer": self._initializer(), **kwargs}
        return layer(filters, size, strides=strides, **options)(h)

    def normalise(self, h: keras.KerasTensor) -> keras.KerasTensor:
        """The normalisation; group normalisation is of feature maps and leaves vectors alone."""
        image = len(h.shape) == 4
        if self.norm == "batch":
            return keras.layers.BatchNormalization(momentum=0.9, synchronized=True)(h)
        if self.norm == "layer":
            return GroupNorm(groups=1)(h) if image else keras.layers.LayerNormalization()(h)
        return GroupNorm()(h) if self.norm == "group" and image else h

    def activate(self, h: keras.KerasTensor) -> keras.KerasTensor:
        """The activation."""
        if self.activation == "leaky_relu":
            return keras.layers.LeakyReLU(negative_slope=SLOPE)(h)
        return keras.layers.Activation(self.activation)(h)

    def _initializer(self) -> str:
        return "orthogonal" if self.spectral else "glorot_uniform"


def pyramid(height: int, width: int, smallest: int) -> list[tuple[int, int]]:
    """Sizes from the image's down: each axis halves, rounding up, while it is larger than `smallest`."""
    sizes = [(height, width)]
    while max(sizes[-1]) > smallest:
        sizes.append(tuple(math.ceil(s / 2) if s > smallest else s for s in sizes[-1]))
    return sizes


def strides_between(large: tuple[int, int], small: tuple[int, int]) -> tuple[int, int]:
    """The stride of each axis between two neighbouring sizes of a pyramid."""
    return tuple(2 if a > b else 1 for a, b in zip(large, small, strict=True))


def crop_to(h: keras.KerasTensor, size: tuple[int, int]) -> keras.KerasTensor:
    """Cuts rows and columns off the end, down to `size`."""
    extra = [h.shape[1] - size[0], h.shape[2] - size[1]]
    return keras.layers.Cropping2D([(0, extra[0]), (0, extra[1])], dtype=h.dtype)(h) if any(extra) else h


def join(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Concatenation on the last axis, nothing to do for one tensor."""
    return tensors[0] if len(tensors) == 1 else keras.layers.Concatenate()(tensors)
