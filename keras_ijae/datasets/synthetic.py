"""Vectors drawn from a known distribution: the same numbers on every machine."""

from collections.abc import Callable

import numpy as np

from keras_ijae import random
from keras_ijae.datasets.source import Source, Table


def mixture_source(name: str, means: np.ndarray, stddev: float, sizes: dict[str, int]) -> Source:
    """An even mixture of isotropic Gaussians; the label is the component.

    Args:
        name: keys the numbers.
        means: (components, features).
        stddev: of every component in every direction.
        sizes: examples of each split.
    """

    def draw(split: str, size: int) -> Table:
        which = _uniform((size,), name, split, "component")
        labels = np.floor(which * len(means)).astype(np.int64)
        x = means[labels] + stddev * _normal((size, means.shape[1]), name, split, "x")
        return Table(x.astype(np.float32), labels)

    return drawn_source(draw, means.shape[1], sizes, len(means))


def drawn_source(draw: Callable[[str, int], Table], features: int, sizes: dict[str, int], classes: int = 0) -> Source:
    """A source whose splits are drawn whole when they are read; `draw(split, size)`, labelled if there are classes."""

    def read(split: str, start: int, stop: int | None) -> Table:
        table = draw(split, sizes[split])
        return Table(table.x[start:stop], None if table.y is None else table.y[start:stop])

    labelled = frozenset(sizes if classes else ())
    return Source(dict(sizes), (features,), read, labelled=labelled, classes=classes or None)


def _normal(shape: tuple[int, ...], *key: str) -> np.ndarray:
    return random.normal(shape, random.fold(0, *key)).numpy()


def _uniform(shape: tuple[int, ...], *key: str) -> np.ndarray:
    return random.uniform(shape, random.fold(0, *key)).numpy()
