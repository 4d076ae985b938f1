"""The convolutional networks that LPIPS compares images by, built from tables, weights from torchvision's files."""

import os

import keras
import numpy as np

from keras_ijae.arrays import read_npz
from keras_ijae.metrics.features.download import Source
from keras_ijae.metrics.features.torch_weights import read_torch_weights

# conv: index in torchvision's `features`, filters, kernel, stride, padding, then ReLU; fire: index, filters of the
# squeeze and of each expansion; pool: kernel; tap: an output.
_TABLES = {
    "alex": """
conv 0 64 11 4 2
tap
pool 3
conv 3 192 5 1 2
tap
pool 3
conv 6 384 3 1 1
tap
conv 8 256 3 1 1
tap
conv 10 256 3 1 1
tap""",
    "vgg": """
conv 0 64 3 1 1
conv 2 64 3 1 1
tap
pool 2
conv 5 128 3 1 1
conv 7 128 3 1 1
tap
pool 2
conv 10 256 3 1 1
conv 12 256 3 1 1
conv 14 256 3 1 1
tap
pool 2
conv 17 512 3 1 1
conv 19 512 3 1 1
conv 21 512 3 1 1
tap
pool 2
conv 24 512 3 1 1
conv 26 512 3 1 1
conv 28 512 3 1 1
tap""",
    "squeeze": """
conv 0 64 3 2 0
tap
pool 3 ceil
fire 3 16 64
fire 4 16 64
tap
pool 3 ceil
fire 6 32 128
fire 7 32 128
tap
pool 3 ceil
fire 9 48 192
tap
fire 10 48 192
tap
fire 11 64 256
tap
fire 12 64 256
tap""",
}
SMALLEST = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Sides of the smallest images that leave something after the last pooling."""
_MODELS = "https://download.pytorch.org/models/"
_OTHERWISE = "copy that file from another machine and name it (LPIPS(backbone='FILE.pth'), --lpips-backbone FILE.pth)"
SOURCES = {
    "alex": Source(f"{_MODELS}alexnet-owt-7be5be79.pth", "7be5be79", _OTHERWISE),
    "vgg": Source(f"{_MODELS}vgg16-397923af.pth", "397923af", _OTHERWISE),
    "squeeze": Source(f"{_MODELS}squeezenet1_1-b8a52dc0.pth", "b8a52dc0", _OTHERWISE),
}
"""Where torchvision's ImageNet weights are; the names hold the start of their checksums."""


def build_backbone(net: str) -> keras.Model:
    """Scaled images (b, height, width, 3) to the list of feature maps that LPIPS takes of "alex", "vgg" or "squeeze".

    References:
        Krizhevsky 2014 (AlexNet); Simonyan & Zisserman 2015 (VGG-16); Iandola et al. 2016 (SqueezeNet 1.1).
    """
    image = x = keras.Input((None, None, 3), dtype="float32")
    taps = []
    for kind, *row in (line.split() for line in _TABLES[net].split("\n")[1:]):
        if kind == "tap":
            taps.append(x)
        elif kind == "pool":
            x = _pool(x, *row)
        elif kind == "fire":
            x = _fire(x, *row)
        else:
            x = _convolution(x, f"features.{row[0]}", *map(int, row[1:]))
    return keras.Model(image, taps, name=f"lpips_{net}")


def assign_backbone(network: keras.Model, path: str | os.PathLike) -> None:
    """Sets the weights of `build_backbone` from a file of torchvision, or from an .npz archive with its names.

    Raises:
        ValueError: the file is broken, or another network's.
        FileNotFoundError: it is not there.
    """
    state = read_npz(path) if str(path).endswith(".npz") else read_torch_weights(path)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            try:
                kernel, bias = (np.asarray(state[f"{layer.name}.{part}"]) for part in ("weight", "bias"))
                layer.set_weights([kernel.transpose(2, 3, 1, 0), bias])
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path} does not hold the weights of {network.name}: {error}") from error


def _convolution(x, name, filters, kernel, stride=1, padding=0):
    if padding:
        x = keras.layers.ZeroPadding2D(padding, dtype="float32")(x)
    return keras.layers.Conv2D(filters, kernel, stride, activation="relu", dtype="float32", name=name)(x)


def _fire(x, index, squeeze, expand):
    x = _convolution(x, f"features.{index}.squeeze", int(squeeze), 1)
    narrow = _convolution(x, f"features.{index}.expand1x1", int(expand), 1)
    wide = _convolution(x, f"features.{index}.expand3x3", int(expand), 3, 1, 1)
    return keras.layers.Concatenate(dtype="float32")([narrow, wide])


def _pool(x, kernel, rounding="floor"):
    if rounding == "ceil":  # windows that reach over the edge count; after a ReLU zeros do not change a maximum
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), dtype="float32")(x)
    return keras.layers.MaxPooling2D(int(kernel), 2, dtype="float32")(x)
