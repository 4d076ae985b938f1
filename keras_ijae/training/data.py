"""A recipe's data: what it trains on, and what is held out."""

import numpy as np
import tensorflow as tf

from keras_ijae import datasets
from keras_ijae.training.recipes import Recipe

_OF_INFO = ("crop", "size", "keys", "data_shape", "data_dir")


def training_data(recipe: Recipe) -> tf.data.Dataset:
    """Shuffled batches (batch_size, ...); without the last tenth where the set has nothing else to hold out."""
    whole = _load(recipe, "train", recipe.batch_size)  # first: this prepares what has never been used
    return whole if _splits(recipe) & {"test", "validation"} else _load(recipe, "train[:90%]", recipe.batch_size)


def held_out_split(recipe: Recipe) -> str:
    """`test` where the set has it, else `validation`: its own, or the last tenth of `train`."""
    return "test" if "test" in _splits(recipe) else "validation"


def in_order(recipe: Recipe, split: str | None = None, batch_size: int = 256, labels: bool = False) -> tf.data.Dataset:
    """All of a split (None: the one held out) in stored order, in batches (n <= batch_size, ...)."""
    split = split or held_out_split(recipe)
    return _load(recipe, split, batch_size, shuffle=False, drop_remainder=False, labels=labels)


def first_rows(dataset: tf.data.Dataset, count: int) -> np.ndarray:
    """(at most `count`, ...): the first observations of a dataset of batches."""
    return np.concatenate(list(dataset.unbatch().take(count).batch(count).as_numpy_iterator()))


def _splits(recipe: Recipe) -> set[str]:
    given = {name: value for name, value in recipe.data.items() if name in _OF_INFO}
    return set(datasets.info(recipe.dataset, **given).splits)


def _load(recipe: Recipe, split: str, batch_size: int, **arguments: bool) -> tf.data.Dataset:
    return datasets.load(
        recipe.dataset, split=split, batch_size=batch_size, seed=recipe.seed, **recipe.data, **arguments
    )
