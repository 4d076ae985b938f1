"""MNIST's digits, each in one of twelve colours on black: 120 modes that can be counted.

Hues are evenly spaced, fully saturated, drawn evenly and once for all. Labels are the digit and the colour.
"""

import colorsys

import numpy as np

from keras_ijae import random
from keras_ijae.datasets import from_tfds
from keras_ijae.datasets.source import Options, Source, Table

COLORS = 12
PALETTE = np.array([colorsys.hsv_to_rgb(k / COLORS, 1.0, 1.0) for k in range(COLORS)])


def open_source(argument: str, options: Options) -> Source:
    """Opens `color_mnist`: 28x28x3, the splits of MNIST, labels {"digit": 0 to 9, "color": 0 to 11}."""
    options.refuse("'color_mnist'", "keys", "data_shape")
    mnist = from_tfds.open_source("mnist", options)

    def read(split: str, start: int, stop: int | None) -> Table:
        table = mnist.read(split, start, stop)
        stop = start + table.size
        uniforms = random.uniform((stop,), random.fold(0, "color_mnist", split)).numpy()[start:]
        colors = np.floor(uniforms * COLORS).astype(np.int64)
        x = np.rint(table.x * PALETTE[colors][:, None, None]).astype(np.uint8)
        return Table(x, {"digit": table.y, "color": colors})

    return Source(mnist.splits, (28, 28, 3), read, 255.0, mnist.labelled, attributes=("digit", "color"))
