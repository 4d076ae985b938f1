"""The only source of noise: counter-based bits, a pure function of a key.

Row i of a draw depends on the key and on i alone, so that the first rows of a larger draw are those of a smaller
one, a run is repeatable from its step number, and replicas that cut their rows out of the global batch see what one
replica with the whole batch sees. Normals are the inverse CDF of the bits, computed in float64 and rounded to
float32: equal bit for bit in eager mode, in graphs and under XLA, which `tf.random.stateless_normal` is not.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

_MASK = 0xFFFFFFFF
_SCRAMBLER, _SECOND = np.array([0x02461E293EC8F720], np.uint64), np.array([0, 2**64 - 1], np.uint64)
"""TensorFlow's key by which a seed is mixed, and what keeps the second of two words."""
Seed = int | tf.Tensor
"""What every draw takes: an integer, a scalar integer tensor, or a (2,) int32 key made by `fold`."""


def normal(shape: Sequence, seed: Seed) -> tf.Tensor:
    """Standard normal numbers, float32.

    Args:
        shape: sizes, Python integers or scalar tensors; the first k rows do not depend on the number of rows.
        seed: an integer, a scalar integer tensor, or a (2,) int32 key made by `fold`.
    """
    return tf.cast(tf.math.ndtri(_uniform64(shape, seed)), tf.float32)


def uniform(shape: Sequence, seed: Seed) -> tf.Tensor:
    """Uniform numbers in the open interval (0, 1), float32; arguments as in `normal`."""
    return tf.cast(_uniform64(shape, seed), tf.float32)


def choices(shares: tf.Tensor, n: int | tf.Tensor, seed: Seed) -> tf.Tensor:
    """n indices of `shares`, (n,) int32, as often as these say, which are float64 and need not add up to 1.

    The first k do not depend on n; `seed` as in `normal`.
    """
    bounds = tf.cumsum(shares)[:-1] / tf.reduce_sum(shares)
    return tf.reduce_sum(tf.cast(tf.cast(uniform((n, 1), seed), tf.float64) > bounds, tf.int32), axis=1)


def fold(seed: Seed, *data: int | str | tf.Tensor) -> tf.Tensor:
    """The (2,) int32 key of `seed` and `data` (integers, strings or scalar integer tensors), in their order."""
    key = _key(seed)
    if key is not seed:  # a number is not yet bits: without this, fold(0, 1) would be fold(1, 0)
        key = tf.bitcast(_bits([2], key), tf.int32)
    for item in data:
        word = _words(zlib.crc32(item.encode()) if isinstance(item, str) else item)
        key = tf.bitcast(_bits([2], tf.bitwise.bitwise_xor(key, word)), tf.int32)
    return key


class Draws:
    """The noise of one pass: named draws, one row per row of the global batch, of which a replica takes its own.

    Args:
        key: a seed; each draw's is made of it and the draw's name.
        rows: how many this replica has, an integer or a scalar tensor.
        start: its first row among those of the global batch.
        total: rows of the global batch; None: `rows`.
        dtype: of what is drawn.
    """

    def __init__(
        self,
        key: Seed,
        rows: int | tf.Tensor,
        start: int | tf.Tensor = 0,
        total: int | tf.Tensor | None = None,
        dtype: str = "float32",
    ):
        self._key, self._rows, self._start, self._dtype = key, rows, start, dtype
        self._total = rows if total is None else total

    def normal(self, name: str, *shape: int) -> tf.Tensor:
        """(rows, *shape) standard normal numbers."""
        return self.rows(name, lambda n, seed: normal([n, *shape], seed))

    def uniform(self, name: str, *shape: int) -> tf.Tensor:
        """(rows, *shape) uniform numbers in (0, 1)."""
        return self.rows(name, lambda n, seed: uniform([n, *shape], seed))

    def shared(self, name: str, *shape: int) -> tf.Tensor:
        """Standard normal numbers of this shape, on all replicas the same."""
        return tf.cast(normal(shape, fold(self._key, name)), self._dtype)

    def rows(self, name: str, sampler: Callable) -> tf.Tensor:
        """The replica's rows of `sampler(n, seed)`, e.g. of a prior's `sample`."""
        everything = sampler(self._total, fold(self._key, name))
        mine = everything if self._total is self._rows else everything[self._start : self._start + self._rows]
        return tf.cast(mine, self._dtype)


def _uniform64(shape, seed):
    bits = tf.bitwise.right_shift(_bits(shape, _key(seed)), tf.constant(9, tf.uint32))
    return (tf.cast(bits, tf.float64) + 0.5) * 2.0**-23


def _bits(shape, key):
    """Those of `tf.random.stateless_uniform(..., alg="philox")`, by a third of its operations."""
    mixed = _philox([2], _SCRAMBLER, tf.cast(key, tf.uint64), tf.uint64)
    if not all(isinstance(size, int) for size in shape):
        shape = tf.stack([tf.cast(size, tf.int32) for size in shape])
    return _philox(shape, mixed[:1], tf.bitwise.bitwise_and(mixed, _SECOND), tf.uint32)


def _philox(shape, key, counter, dtype):
    return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, dtype=dtype, alg=1)


def _key(seed):
    if isinstance(seed, tf.Tensor) and seed.shape.rank == 1:
        return seed
    return _words(seed)


def _words(number):
    """An integer as two int32 words, low and high: the same for a Python integer and for a tensor."""
    if isinstance(number, tf.Tensor):
        return tf.bitcast(tf.cast(number, tf.int64), tf.int32)
    number = int(number)
    low, high = number & _MASK, (number >> 32) & _MASK
    return tf.constant([word - (1 << 32) if word >> 31 else word for word in (low, high)], tf.int32)
