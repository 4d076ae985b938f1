"""What the families share: layers made to one style, sizes of feature maps, heads."""

from __future__ import annotations

import dataclasses
import math

import keras

from keras_ijae.checks import choice, flag, number, size, whole
from keras_ijae.layers.dropout import Dropout
from keras_ijae.layers.group_norm import GroupNorm
from keras_ijae.layers.maxout import Maxout
from keras_ijae.layers.spectral import SpectralConv2D, SpectralConv2DTranspose, SpectralDense

NORMS = ("none", "group", "batch", "layer")
ACTIVATIONS = ("leaky_relu", "relu", "elu", "gelu", "silu", "softplus", "tanh", "glu")
SLOPE = 0.2


def head_dtype() -> str:
    """The type of a network's inputs and of its last layer: float32, mixed precision or not; float64 under float64."""
    return "float64" if keras.config.dtype_policy().compute_dtype == "float64" else "float32"


def inputs_of(shape: tuple[int, ...], name: str) -> keras.KerasTensor:
    """A network's input, batch not counted."""
    return keras.Input(shape, dtype=head_dtype(), name=name)


@dataclasses.dataclass(frozen=True)
class Style:
    """Size, normalisation, kind of kernels, activation of the hidden layers; makes layers accordingly.

    Args:
        norm: "none", "group", "batch" or "layer".
        spectral: whether dense layers and convolutions are spectrally normalised.
        activation: one of `ACTIVATIONS`; "leaky_relu" has slope 0.2; "glu" is a linear map times the sigmoid of one.
        width: base number of channels or units; None: the family's own.
        depth: number of dense hidden layers, >= 0; None: the family's own.
        dropout: rate of dropout after each activation, in [0, 1).
        maxout: 0, or the number of pieces (>= 2) of maxout units, which then take the activation's place.
        kernel_size: of the strided convolutions of dcgan, >= 2; None: the family's own.
        kernel_stddev: s > 0 of kernels that begin as draws of N(0, s^2); None: Glorot's uniform ones, orthogonal where
            they are spectrally normalised.

    Raises:
        ValueError: a value out of range.
    """

    norm: str
    spectral: bool
    activation: str
    width: int | None = None
    depth: int | None = None
    dropout: float = 0.0
    maxout: int = 0
    kernel_size: int | None = None
    kernel_stddev: float | None = None

    def __post_init__(self) -> None:
        choice("norm", self.norm, NORMS)
        flag("spectral", self.spectral)
        choice("hidden_activation", self.activation, ACTIVATIONS)
        if self.width is not None:
            size("width", self.width)
        if self.depth is not None:
            whole("depth", self.depth, 0)
        number("dropout", self.dropout, least=0, below=1)
        if self.maxout != 0:
            whole("maxout", self.maxout, 2)
        if self.kernel_size is not None:
            whole("kernel_size", self.kernel_size, 2)
        if self.kernel_stddev is not None:
            number("kernel_stddev", self.kernel_stddev, above=0)

    @property
    def pieces(self) -> int:
        """Outputs of a kernel for each hidden unit."""
        return self.maxout or (2 if self.activation == "glu" else 1)

    def hidden(self, h: keras.KerasTensor, units: int, layers: int) -> keras.KerasTensor:
        """`depth` dense hidden layers, or `layers` where `depth` is None.

        The first is not normalised, since that would erase the scale of its few inputs.
        """
        for layer in range(layers if self.depth is None else self.depth):
            h = self.dense(h, units * self.pieces)
            h = self.activate(self.normalise(h) if layer else h)
        return h

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
        """The activation, or the maximum of each `pieces` features; then dropout."""
        if self.maxout:
            h = Maxout(self.maxout)(h)
        elif self.activation == "glu":
            h = keras.ops.glu(h)  # a layer of this activation would be said to keep the number of features
        elif self.activation == "leaky_relu":
            h = keras.layers.LeakyReLU(negative_slope=SLOPE)(h)
        else:
            h = keras.layers.Activation(self.activation)(h)
        return Dropout(self.dropout)(h) if self.dropout else h

    def _initializer(self) -> str | keras.initializers.Initializer:
        if self.kernel_stddev is not None:
            return keras.initializers.RandomNormal(stddev=self.kernel_stddev)
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


def as_channels(style: Style, noise: keras.KerasTensor, size: tuple[int, int]) -> keras.KerasTensor:
    """Noise vectors as channels of an image: reshaped where they fill whole channels, else one linear image of them."""
    pixels = size[0] * size[1]
    if noise.shape[-1] % pixels:
        noise = style.dense(noise, pixels)
    return keras.layers.Reshape((*size, -1))(noise)


def join(tensors: list[keras.KerasTensor]) -> keras.KerasTensor:
    """Concatenation on the last axis, nothing to do for one tensor."""
    return tensors[0] if len(tensors) == 1 else keras.layers.Concatenate()(tensors)
