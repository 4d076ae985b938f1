"""The look at the first batch, before the first step."""

import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.game import data
from keras_ijae.game.networks import check_batch
from keras_ijae.machines import of_all_machines
from keras_ijae.replicas import goes_whole

ROWS = 32  # of a batch that cannot be seen, as Keras cuts them
_ALL = sys.maxsize  # rows: a batch that is not cut
_UNSEEDED = 87654321  # what TensorFlow gives for the seed of a process that has set none


def first_look(game: Any, x: Any, y: Any, batch_size: int | None) -> tuple[int, Any]:
    """The number of rows of the first batch, or of many where it cannot be seen; and `x`, all still in it.

    Raises:
        ValueError: data or labels that do not fit.
    """
    data.check_form("x", x, game.classes)
    labels = data.labels_in(x) if y is None and isinstance(x, (tuple, list, dict)) else y
    if game.classes is not None and isinstance(labels, (np.ndarray, tf.Tensor)):
        data.checked_labels(labels, game.classes)  # all of them, since they are at hand
    first, x = data.first_batch(x, batch_size)
    if first is None:
        return batch_size or ROWS, x
    if y is not None:
        first = (first, y[: batch_size or ROWS])
    batch = game.batch_of(first)
    if game.observation_model is not None:
        game.observation_model.check_range(batch.x)
    return batch.x.shape[0], x


def look_at_fit(game: Any, x: Any, y: Any, batch_size: int | None) -> Any:
    """`first_look` at what `fit` trains on, whose batches must be large enough too; `x`, all still in it."""
    rows, x = first_look(game, x, y, batch_size)
    _check_rows(game, rows)
    return x


def look_at_batch(game: Any, x: Any, y: Any, begins: bool = False) -> tuple[Any, Any]:
    """`first_look` at all of one batch, which must be large enough too where training `begins` with it; its x and y."""
    if isinstance(x, (Iterator, tf.data.Dataset, keras.utils.PyDataset)):
        raise ValueError(f"Argument `x` must be one batch; `fit` and `evaluate` take data sets. Received: {x!r:.200}")
    rows, _ = first_look(game, x, y, _ALL)
    if begins:
        _check_rows(game, rows)
    return (*x, None)[:2] if isinstance(x, (tuple, list)) and y is None else (x, y)


def _check_rows(game, rows):
    replicas, slices = game.distribute_strategy.num_replicas_in_sync, max(p.slices for p in game.phases)
    if game.LEAST_ROWS > 1 and rows < game.LEAST_ROWS * slices:
        raise ValueError(
            f"Batches must have at least {game.LEAST_ROWS * slices} rows: the losses of {type(game).__name__} compare "
            f"those of a batch. Received: {rows}, by the argument `batch_size` or the batches of the data"
        )
    if rows < slices:
        raise ValueError(f"A batch is cut into {slices} slices, so it needs as many rows. Received: {rows}")
    of_each = rows if goes_whole(rows, replicas, slices) else rows // replicas
    check_batch(game.networks, of_each // slices)


def check_shuffled_alike(strategy: tf.distribute.Strategy) -> None:
    """ValueError where the machines of a strategy would shuffle arrays each in its own way."""
    seeds = of_all_machines(strategy, tf.compat.v1.get_seed(0)[0])
    if _UNSEEDED in seeds or len(set(seeds)) > 1:
        raise ValueError(
            "Argument `shuffle` must be False for arrays on several machines, which would each shuffle in its own way, "
            "unless all have called keras.utils.set_random_seed with one number; or pass a data set of "
            f"ki.datasets.load. Received: the seeds {['none' if seed == _UNSEEDED else seed for seed in seeds]}"
        )
