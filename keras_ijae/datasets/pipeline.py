"""From examples to shuffled, batched, prefetched `tf.data`.

The order of a pass depends on the seed and the number of the pass alone. Examples that can be reached by index are
permuted by NumPy's counter-based Philox bits; records that are only read one after the other go through a buffer.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.datasets.source import Stream, Table

Prepare = Callable[[tf.Tensor, Any], Any]
_AHEAD = 2  # batches
_COUNTER, _NAME = "_keras_ijae_passes", "_keras_ijae_name"


class Passes:
    """Counts the passes over a data set, so that pass k is shuffled by (seed, epoch + k).

    Attributes:
        seed: of all passes.
        epoch: number of the next pass.
        done: batches at the beginning of the next pass that nobody will look at.
    """

    def __init__(self, seed: int, epoch: int) -> None:
        self.seed, self.epoch, self.done = seed, epoch, 0

    def _next(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """So many bits of the next pass, and its `done`, int64."""
        number, self.epoch = self.epoch, self.epoch + 1
        done, self.done = self.done, 0
        return np.random.Philox(key=[self.seed, number]).random_raw(count), np.int64(done)

    def order(self, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The next pass's permutation of `size` examples, int64, its key for what is drawn anew, (2,) int32; `done`."""
        bits, done = self._next(int(size) + 1)
        return np.argsort(bits[:-1], kind="stable").astype(np.int64), bits[-1:].view(np.int32), done

    def number(self) -> tuple[np.ndarray, np.ndarray]:
        """The next pass's seed, a non-negative int64; `done`."""
        bits, done = self._next(1)
        return np.int64(bits[0] >> 1), done


@dataclasses.dataclass(frozen=True)
class Batching:
    """How to batch: `passes` None keeps one fixed order, `buffer` is the shuffle buffer of streams in records."""

    batch_size: int
    drop_remainder: bool
    passes: Passes | None
    buffer: int


def set_epoch(dataset: tf.data.Dataset, epoch: int) -> None:
    """Makes the next pass over `dataset` the one of `epoch`: its order is that of the uninterrupted run.

    Args:
        dataset: what `load` returned, itself and not something mapped from it.
        epoch: number of the pass, from 0.

    Raises:
        ValueError: `dataset` was not made by `load` with shuffling, or `epoch` is negative.
    """
    if not has_passes(dataset):
        raise ValueError(
            "Argument `dataset` must be a shuffled data set as `load` returned it, not mapped or batched again. "
            f"Received: dataset={dataset!r}."
        )
    begin_at(dataset, checks.whole("epoch", epoch, 0), 0)


def begin_at(dataset: tf.data.Dataset, epoch: int, done: int) -> None:
    """`set_epoch`, where the first `done` batches of that pass are not looked at: their images need no decoding."""
    passes = getattr(dataset, _COUNTER)
    passes.epoch, passes.done = epoch, done


@contextlib.contextmanager
def peeking(dataset: Any) -> Iterator[None]:
    """Passes over `dataset` in this block do not count, if it is one that `set_epoch` takes."""
    passes = getattr(dataset, _COUNTER, None)
    place = passes and (passes.epoch, passes.done)
    try:
        yield
    finally:
        if passes is not None:
            passes.epoch, passes.done = place


def is_loaded(dataset: Any) -> bool:
    """Whether it is as `load` returned it, so that the order of a pass belongs to its number, or is always the same."""
    return hasattr(dataset, _COUNTER)


def has_passes(dataset: Any) -> bool:
    """Whether `set_epoch` takes it: it is as `load` returned it, and shuffled."""
    return getattr(dataset, _COUNTER, None) is not None


def named(dataset: tf.data.Dataset, name: str) -> tf.data.Dataset:
    """`dataset` itself, which `name_of` knows then."""
    setattr(dataset, _NAME, name)
    return dataset


def name_of(dataset: Any) -> str | None:
    """The name by which `load` returned it; None of all others, what is mapped from it too."""
    return getattr(dataset, _NAME, None)


def batches(examples: Table | Stream, prepare: Prepare, how: Batching) -> tf.data.Dataset:
    """Batches of `prepare(x, y)`; `prepare` takes single examples and batches alike.

    Raises:
        ValueError: there are fewer examples than one whole batch needs, or none.
    """
    whole = isinstance(examples, Table) and examples.decode is None
    dataset = _gathered(examples, prepare, how) if whole else _decoded(examples, prepare, how)
    if examples.size is not None:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(_count(examples.size, how)))
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # TensorFlow 2.21 ends a pass only when its tuner wakes, which sleeps 10 ms, 20 ms, 40 ms, ... up to a minute.
    options.autotune.enabled = False
    dataset = dataset.prefetch(_AHEAD).with_options(options)
    setattr(dataset, _COUNTER, how.passes)
    return dataset


def _count(size: int, how: Batching) -> int:
    if size == 0:
        raise ValueError("The data set is empty.")
    if how.drop_remainder and size < how.batch_size:
        raise ValueError(
            f"Argument `batch_size` must be at most the {size} examples there are, or `drop_remainder` False. "
            f"Received: batch_size={how.batch_size}."
        )
    return size // how.batch_size if how.drop_remainder else -(-size // how.batch_size)


def _orders(size: int, passes: Passes | None) -> tf.data.Dataset:
    """A data set of one element: the order of this pass, its key, and its batches that nobody will look at."""
    if passes is None:
        fixed = lambda n: (tf.range(tf.cast(n, tf.int64)), tf.zeros(2, tf.int32), tf.zeros([], tf.int64))  # noqa: E731
        return tf.data.Dataset.from_tensors(size).map(fixed)

    def order(n: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        order, key, done = tf.numpy_function(passes.order, [n], (tf.int64, tf.int32, tf.int64))
        return tf.ensure_shape(order, (None,)), tf.ensure_shape(key, (2,)), tf.ensure_shape(done, ())

    return tf.data.Dataset.from_tensors(size).map(order)


def _constant(values: Any) -> Any:
    with tf.device("CPU:0"):
        return tf.nest.map_structure(tf.constant, values)


def _pick(values: Any, indices: tf.Tensor) -> Any:
    return tf.nest.map_structure(lambda v: tf.gather(v, indices), values)


def _gathered(table: Table, prepare: Prepare, how: Batching) -> tf.data.Dataset:
    """One gather a batch from arrays in memory."""
    count, step = _count(table.size, how), how.batch_size
    x, y = _constant(table.x), _constant(table.y) if table.y is not None else None

    anew = how.passes is not None and table.redraw is not None

    def batch(order: tf.Tensor, key: tf.Tensor, start: tf.Tensor) -> Any:
        indices = order[start : start + step]
        if how.drop_remainder:
            indices = tf.ensure_shape(indices, (step,))
        examples = table.redraw(indices, random.fold(key, start)) if anew else _pick(x, indices)
        return prepare(examples, _pick(y, indices) if y is not None else None)

    def one_pass(order: tf.Tensor, key: tf.Tensor, _: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.range(0, count * step, step).map(lambda start: batch(order, key, start))

    return _orders(table.size, how.passes).flat_map(one_pass)


def _decoded(examples: Table | Stream, prepare: Prepare, how: Batching) -> tf.data.Dataset:
    """Examples decoded one by one, in parallel; those that nobody will look at are zeros."""
    if isinstance(examples, Table):
        x, y = _constant(examples.x), _constant(examples.y) if examples.y is not None else None
        records = _orders(examples.size, how.passes).flat_map(
            lambda order, _, done: _numbered(tf.data.Dataset.from_tensor_slices(order), done, how)
        )

        def decode(i: tf.Tensor) -> tuple:
            return examples.decode(x[i]), _pick(y, i) if y is not None else None
    else:
        records, decode = _streamed(examples, how), examples.decode

    def decoded(unseen: tf.Tensor, record: Any) -> Any:
        return prepare(*decode(record))

    def drawn(unseen: tf.Tensor, record: Any) -> Any:
        return tf.cond(unseen, blank, functools.partial(decoded, unseen, record))

    def blank() -> Any:
        return tf.nest.map_structure(lambda part: tf.zeros(part.shape, part.dtype), spec)

    spec = records.map(decoded).element_spec
    dataset = records.map(drawn, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(how.batch_size, drop_remainder=how.drop_remainder)


def _numbered(records: tf.data.Dataset, done: tf.Tensor, how: Batching) -> tf.data.Dataset:
    """Each record with whether it is of the first `done` batches."""
    return records.enumerate().map(lambda number, record: (number < done * how.batch_size, record))


def _streamed(stream: Stream, how: Batching) -> tf.data.Dataset:
    if how.passes is None:
        return _numbered(stream.records(None), tf.zeros([], tf.int64), how)

    def one_pass(_: tf.Tensor) -> tf.data.Dataset:
        # This function's own graph gets a fixed seed, so that the order does not depend on tf.random.set_seed.
        tf.compat.v1.set_random_seed(1)
        seed, done = tf.numpy_function(how.passes.number, [], (tf.int64, tf.int64))
        seed = tf.ensure_shape(seed, ())
        records = stream.records(seed).shuffle(how.buffer, seed=seed, reshuffle_each_iteration=False)
        return _numbered(records, tf.ensure_shape(done, ()), how)

    return tf.data.Dataset.from_tensors(0).flat_map(one_pass)
