"""Checks of arguments that the experiments share."""

from typing import Any

import numpy as np

from keras_ijae import arrays
from keras_ijae.checks import instance
from keras_ijae.distributions.tfp import tfp

ENOUGH = 1e-6
"""Weights may miss a sum of 1 by this much (they come in float32 too); they are then made to sum to 1."""


def of_vectors(name: str, value: Any) -> int:
    """The d of one distribution of TFP with event shape (d,); ValueError for a batch of them, or anything else."""
    distribution = instance(name, value, tfp().distributions.Distribution)
    if distribution.batch_shape != [] or distribution.event_shape.rank != 1:
        raise ValueError(
            f"Argument `{name}` must be one distribution, not a batch, with one event shape (d,). "
            f"Received: {distribution!r}"
        )
    return distribution.event_shape[0]


def doubles(name: str, values: Any) -> np.ndarray:
    """`values` as a float64 array; ValueError unless they are real numbers in rows of one length."""
    return arrays.real(name, values).astype(np.float64, copy=False)


def of_rank(name: str, values: Any, ndim: int) -> np.ndarray:
    """`values` as a float64 array of rank `ndim`, not empty; ValueError unless all are finite."""
    array = doubles(name, values)
    if array.ndim != ndim or not array.size:
        raise ValueError(f"Argument `{name}` must have rank {ndim} and not be empty. Received: shape {array.shape}")
    return arrays.finite(name, array)


def sized(name: str, values: Any, *shape: int) -> np.ndarray:
    """`values` as a finite float64 array of this shape."""
    array = of_rank(name, values, len(shape))
    if array.shape != shape:
        raise ValueError(f"Argument `{name}` must have shape {shape}. Received: shape {array.shape}")
    return array


def probabilities(name: str, values: Any) -> np.ndarray:
    """`values` as a float64 vector that sums to 1; ValueError unless none is negative and the sum is 1 to 1e-6."""
    array = of_rank(name, values, 1)
    if array.min() < 0 or abs(array.sum() - 1) > ENOUGH:
        raise ValueError(
            f"Argument `{name}` must be weights >= 0 that sum to 1. "
            f"Received: smallest {array.min():.6g}, sum {array.sum():.9g}"
        )
    return array / array.sum()


def covariance(name: str, values: Any, size: int) -> np.ndarray:
    """`values` as a (size, size) float64 matrix; ValueError unless it is symmetric and positive definite."""
    matrix = sized(name, values, size, size)
    gap = np.abs(matrix - matrix.T).max()
    if gap > 1e-6 * np.abs(matrix).max():
        raise ValueError(f"Argument `{name}` must be symmetric. Received: entries that differ by {gap:.6g}")
    matrix = (matrix + matrix.T) / 2
    eigenvalues = np.linalg.eigvalsh(matrix)
    if eigenvalues[0] <= size * np.finfo(float).eps * np.abs(eigenvalues[-1]):
        raise ValueError(
            f"Argument `{name}` must be positive definite. Received: smallest eigenvalue {eigenvalues[0]:.6g}"
        )
    return matrix
