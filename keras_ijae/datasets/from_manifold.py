"""A curved n-dimensional manifold in 128 dimensions: how many dimensions does a model find?

x = W2 lrelu(W1 z), z ~ N(0, I_n), with fixed random W1 (128, n) and W2 (128, 128) of orthonormal columns and slope
0.2 of the leaky rectifier for negative numbers. The map is injective and its singular values lie in [0.2, 1].
"""

import functools

import numpy as np

from keras_ijae import random
from keras_ijae.datasets.source import Options, Source, Table
from keras_ijae.datasets.synthetic import drawn_source

FEATURES, SLOPE = 128, 0.2


def open_source(argument: str, options: Options) -> Source:
    """Opens `manifold:N`, N from 1 to 128 dimensions: 60,000 examples for training, 10,000 for test.

    Raises:
        ValueError: N is no such number.
    """
    options.refuse("'manifold:'", "keys", "data_shape")
    if not argument.isdecimal() or not 1 <= int(argument) <= FEATURES:
        raise ValueError(
            f"Argument `name` must be 'manifold:N' with N from 1 to {FEATURES}. Received: name='manifold:{argument}'."
        )
    dimensions = int(argument)

    def draw(split: str, size: int) -> Table:
        z = random.normal((size, dimensions), random.fold(0, "manifold", split)).numpy()
        return Table(embed(z).astype(np.float32))

    return drawn_source(draw, FEATURES, {"train": 60_000, "test": 10_000})


def embed(z: np.ndarray) -> np.ndarray:
    """The map from (n, dimensions) to points of the manifold (n, 128), float64."""
    first, second = _weights(z.shape[1])
    h = z @ first.T
    return np.where(h > 0, h, SLOPE * h) @ second.T


@functools.cache
def _weights(dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(_orthonormal(columns, name) for columns, name in ((dimensions, "first"), (FEATURES, "second")))


def _orthonormal(columns: int, name: str) -> np.ndarray:
    """(128, columns) with orthonormal columns: the Q of a Gaussian matrix, signs fixed so that it is unique."""
    gaussian = random.normal((FEATURES, columns), random.fold(0, "manifold", name)).numpy().astype(np.float64)
    q, r = np.linalg.qr(gaussian)
    return q * np.sign(np.diag(r))
