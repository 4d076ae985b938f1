"""The Frechet distance between Gaussians fitted to features, all at once or from batches."""

import contextlib
import json
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import finite, read_npz, real
from keras_ijae.checks import path as checked_path
from keras_ijae.checks import whole
from keras_ijae.files import replacing
from keras_ijae.metrics import _checks

_BIASED = "the distance is biased upwards"
_WELL_CONDITIONED = 1e-5
"""Least variance that Cholesky may leave to a direction, as a share of the largest: errors stay below 1e-10."""
_ROWS = 8192
"""Summed at a time."""
_POWER = 4
"""Of the features, which the distance takes: products of two covariances."""


def frechet_distance(real: "ArrayLike | FrechetAccumulator", fake: "ArrayLike | FrechetAccumulator") -> float:
    """||m1 - m2||^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), in float64.

    The covariances are unbiased (ddof = 1). With S1 = R R^T, the trace of the root is the sum of the roots of the
    eigenvalues of R^T S2 R, clipped at 0. R is taken from the covariance of lower rank, without the directions that
    have no variance, whose rounding errors would enter by their square roots. The distance of two samples of n rows
    from one Gaussian is not 0 but about a constant over n (0.44 for d = 64, n = 5000): compare at equal n only.

    Args:
        real, fake: features, (n, d) each, at least two rows, or accumulators of such; the numbers of rows may differ.

    Returns:
        The distance, at least 0, symmetric in its arguments.

    Raises:
        ValueError: fewer than two rows, other ranks, different d, or values that are not finite.

    Example:
        >>> real = np.random.default_rng(0).normal(size=(1000, 4))
        >>> round(ki.metrics.frechet_distance(real, real + 1.0), 6)  # a shift by 1 in four dimensions
        4.0

    References:
        Dowson & Landau 1982; Heusel et al. 2017, eq. 6.
    """
    if not isinstance(real, FrechetAccumulator) and not isinstance(fake, FrechetAccumulator):
        real, fake = _checks.two_sets(("real", "fake"), real, fake, power=_POWER)
    return _checked_distance(("real", "fake"), _accumulated("real", real), _accumulated("fake", fake))


def _accumulated(name: str, features: "ArrayLike | FrechetAccumulator") -> "FrechetAccumulator":
    if isinstance(features, FrechetAccumulator):
        return features
    features = _checks.rows(name, features, 2, _POWER)
    accumulator = FrechetAccumulator(features.shape[1])
    accumulator.update(features)
    return accumulator


class _Load:
    """`FrechetAccumulator.load`: of the class it makes an accumulator, of an instance it fills that one."""

    def __get__(self, instance: "FrechetAccumulator | None", owner: type) -> Callable[..., "FrechetAccumulator"]:
        def load(path: str | os.PathLike) -> "FrechetAccumulator":
            """The accumulator that was saved to `path`; called on an instance, it replaces what that one has seen.

            Raises:
                ValueError: the file holds none, or the instance has another d.
            """
            loaded = _read(owner, checked_path("path", path))
            if instance is None:
                return loaded
            instance._of_dim("path", loaded.dim)
            vars(instance).update(vars(loaded))
            return instance

        return load


def _read(kind: type, path: str | os.PathLike) -> "FrechetAccumulator":
    try:
        file = read_npz(path)
        sums = [file["origin"], file["offset"], file["scatter"]]
        dim = len(sums[0])
        if [array.shape for array in sums] != [(dim,), (dim,), (dim, dim)]:
            raise ValueError([array.shape for array in sums])
        loaded = kind.from_array(np.concatenate([[file["count"]], *map(np.ravel, sums)]))
        loaded.metadata = dict(json.loads(str(file["metadata"])))
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever NumPy, zipfile, zlib or json make of a broken file
        raise ValueError(f"Argument `path` must be a file written by `FrechetAccumulator.save`: {path}") from error
    return loaded


class FrechetAccumulator:
    """Mean and covariance of features that come in batches, in float64 and memory d^2.

    Sums are taken around the first row, so that neither the sizes of the batches, nor their order, nor a mean far from
    0 change the result by more than rounding (1e-9 and less). Save one to keep the statistics of a reference set.

    Args:
        dim: d, the number of features.
        metadata: what the features are and how they were made, anything JSON can hold; saved with the numbers.

    Example:
        >>> reference = ki.metrics.FrechetAccumulator(4, metadata={"dataset": "cifar10", "split": "train"})
        >>> for seed in range(3):
        ...     reference.update(np.random.default_rng(seed).normal(size=(100, 4)))  # features of a batch
        >>> reference.save("cifar10.npz")
        >>> round(ki.metrics.FrechetAccumulator.load("cifar10.npz").result(reference), 6)
        0.0

    References:
        Chan, Golub & LeVeque 1983, eq. 2.1 (merging of sums).
    """

    def __init__(self, dim: int, metadata: dict[str, Any] | None = None) -> None:
        self.dim, self.metadata = whole("dim", dim, 1), dict(metadata or {})
        self.count = 0
        self._origin, self._offset = np.zeros(dim), np.zeros(dim)
        self._scatter = np.zeros((dim, dim))

    @property
    def mean(self) -> np.ndarray:
        """(d,)."""
        return self._origin + self._offset

    @property
    def covariance(self) -> np.ndarray:
        """(d, d), unbiased; ValueError before the second row."""
        if self.count < 2:
            raise ValueError(f"A covariance needs at least two rows. Received: {self.count}")
        return self._scatter / (self.count - 1)

    def update(self, features: ArrayLike) -> None:
        """Takes in features, (n, d), n >= 1; ValueError for another shape or values that are not finite."""
        features = _checks.rows("features", features, 1, _POWER)
        self._of_dim("features", features.shape[1])
        for start in range(0, len(features), _ROWS):
            self.merge(self._summed(features[start : start + _ROWS]))

    def merge(self, other: "FrechetAccumulator") -> "FrechetAccumulator":
        """Takes in all that `other` has seen, and returns itself; its own metadata stay."""
        self._comparable(other)
        if not self.count:
            self._origin = other._origin.copy()
        total = self.count + other.count
        gap = other._origin - self._origin + other._offset - self._offset
        if other.count:
            self._scatter += other._scatter + np.outer(gap, gap) * (self.count * other.count / total)
            self._offset += gap * (other.count / total)
        self.count = total
        return self

    def result(self, other: "FrechetAccumulator") -> float:
        """The `frechet_distance` between what this one has seen and what `other` has; warns and raises as it does."""
        self._comparable(other)
        return _checked_distance(("self", "other"), self, other)

    def save(self, path: str | os.PathLike) -> None:
        """Writes the sums and the metadata to `path` as NumPy arrays (.npz), whole or not at all."""
        sums = {"origin": self._origin, "offset": self._offset, "scatter": self._scatter}
        with replacing(checked_path("path", path)) as temporary, temporary.open("wb") as file:
            np.savez(file, count=self.count, metadata=json.dumps(self.metadata), **sums)

    load = _Load()

    def to_array(self) -> np.ndarray:
        """The sums as one vector, (d^2 + 2 d + 1,), without the metadata: to be sent to another machine."""
        return np.concatenate([[self.count], self._origin, self._offset, self._scatter.ravel()])

    @classmethod
    def from_array(cls, numbers: np.ndarray) -> "FrechetAccumulator":
        """The accumulator whose `to_array` this is, with numbers of its own; ValueError if it is none's."""
        array = finite("numbers", real("numbers", numbers)).astype(np.float64)  # a copy
        dim = math.isqrt(array.size) - 1  # (d + 1)^2 numbers
        if dim < 1 or array.shape != ((dim + 1) ** 2,):
            raise ValueError(f"Argument `numbers` must have shape ((d + 1)^2,). Received: shape {array.shape}")
        if array[0] < 0 or array[0] != int(array[0]):
            raise ValueError(f"Argument `numbers` must begin with a number of rows. Received: {array[0]}")
        made = cls(dim)
        made.count, made._origin, made._offset = int(array[0]), array[1 : dim + 1], array[dim + 1 : 2 * dim + 1]
        made._scatter = array[2 * dim + 1 :].reshape(dim, dim)
        return made

    def _summed(self, features: np.ndarray) -> "FrechetAccumulator":
        batch = FrechetAccumulator(self.dim)
        batch.count, batch._origin = len(features), features[0].astype(np.float64)
        centred = features - batch._origin
        batch._offset = centred.mean(axis=0)
        centred -= batch._offset
        batch._scatter = centred.T @ centred
        return batch

    def _comparable(self, other: Any) -> None:
        if not isinstance(other, FrechetAccumulator):
            raise ValueError(f"Argument `other` must be a FrechetAccumulator. Received: {type(other).__name__}")
        self._of_dim("other", other.dim)

    def _of_dim(self, name: str, dim: int) -> None:
        if dim != self.dim:
            raise ValueError(f"Argument `{name}` must have d = {self.dim}. Received: d = {dim}")


def _checked_distance(names: tuple[str, str], first: FrechetAccumulator, second: FrechetAccumulator) -> float:
    """The distance, after what is missing for it is said of these names."""
    first._of_dim(names[1], second.dim)
    for name, accumulator in zip(names, (first, second), strict=True):
        if accumulator.count < 2:
            raise ValueError(f"`{name}` must have seen at least two rows. Received: {accumulator.count}")
        _checks.warn_few(name, accumulator.count, accumulator.dim, _BIASED, stacklevel=4)
    return _distance(first, second)


def _distance(first: FrechetAccumulator, second: FrechetAccumulator) -> float:
    from scipy import linalg

    means = np.sum((first._origin - second._origin + first._offset - second._offset) ** 2)
    one, other = first.covariance, second.covariance
    root, matrix = min((_root(one), other), (_root(other), one), key=lambda pair: pair[0].shape[1])
    squares = linalg.eigh(root.T @ matrix @ root, eigvals_only=True, driver="evd", check_finite=False)
    return float(max(means + np.trace(one) + np.trace(other) - 2 * np.sqrt(np.clip(squares, 0, None)).sum(), 0.0))


def _root(matrix: np.ndarray) -> np.ndarray:
    """R, (d, rank), with R R^T = `matrix`, positive semidefinite.

    By Cholesky where every direction has variance, at a third of the time; else by eigenvalues, without those that are
    rounding errors, and with the longest column first, on which the accuracy of small ones rests.
    """
    from scipy import linalg

    with contextlib.suppress(np.linalg.LinAlgError):
        root = np.linalg.cholesky(matrix)
        if root.diagonal().min() ** 2 > _WELL_CONDITIONED * matrix.diagonal().max():
            return root
    values, vectors = linalg.eigh(matrix, driver="evd", check_finite=False)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > values[0] * len(values) * 2e-16
    return vectors[:, kept] * np.sqrt(values[kept])
