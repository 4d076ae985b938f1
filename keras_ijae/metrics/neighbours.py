"""Nearest neighbours, for instance of samples in the training set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import flat, real
from keras_ijae.checks import whole
from keras_ijae.metrics import _checks
from keras_ijae.metrics._distances import nearest


@dataclass(frozen=True)
class Neighbours:
    """Of each query, nearest first: `indices` of references and Euclidean `distances`, (n, k) each."""

    indices: np.ndarray
    distances: np.ndarray


def nearest_neighbours(queries: ArrayLike, references: ArrayLike, k: int = 1) -> Neighbours:
    """The k references nearest to each query, in constant memory.

    Args:
        queries, references: (n, ...) and (m, ...), of one shape but for the first axis: features in any range, or
            images (n, height, width, channels) in [0, 1]; uint8 counts as value / 255.
        k: from 1 to m.

    Returns:
        Indices and Euclidean distances over all numbers of a row; ties in the order of the references.

    Raises:
        ValueError: shapes that differ, values that are not finite, images outside [0, 1], or another `k`.

    Example:
        >>> train_images = np.random.default_rng(0).uniform(size=(9, 8, 8, 1))
        >>> samples = train_images[[3, 7]] + 0.001
        >>> found = ki.metrics.nearest_neighbours(samples, train_images)
        >>> found.indices[:, 0].tolist(), (found.distances[:, 0] < 1.0).tolist()
        ([3, 7], [True, True])
    """
    queries, references = real("queries", queries), real("references", references)
    shapes = queries.shape, references.shape
    if min(map(len, shapes)) < 2 or shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            "Arguments `queries` and `references` must have one shape (n, ...) but for n. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )
    rows = flat("queries", queries), flat("references", references)
    queries, references = _checks.two_sets(("queries", "references"), *rows, minimum=1)
    k = whole("k", k, 1, len(references), ", the number of references")
    indices, squares = nearest(queries, references, k)
    return Neighbours(indices, np.sqrt(squares))
