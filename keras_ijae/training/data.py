"""A recipe's data: what it trains on, what it is validated on meanwhile, and what it is evaluated on at the end."""

import numpy as np
import tensorflow as tf

from keras_ijae import datasets
from keras_ijae.training.recipes import Recipe

_OF_INFO = ("crop", "size", "keys", "data_shape", "data_dir")
_OF_LOAD = (*_OF_INFO, "standardize", "download", "shuffle_buffer")


def splits(recipe: Recipe) -> dict[str, str]:
    """The splits of `keras_ijae.datasets.load` by use: "train", "validation" and "evaluation".

    A set's own "validation" is what training is validated on, else the last tenth of "train", which is then not trained
    on ("validation" names both). "test" is never read while training: it is for evaluation; where a set has none, that
    is by the validation data.
    """
    own = _own(recipe)
    train = "train" if "validation" in own else "train[:90%]"
    return {"train": train, "validation": "validation", "evaluation": "test" if "test" in own else "validation"}


def training_data(recipe: Recipe) -> tf.data.Dataset:
    """Shuffled batches (batch_size, ...) of what is trained on; none of it is in `validation_data`."""
    return _load(recipe, splits(recipe)["train"], recipe.batch_size)


def validation_data(recipe: Recipe, batch_size: int = 256) -> tf.data.Dataset:
    """What training is validated on, in a fixed order, in batches (n <= batch_size, ...)."""
    return in_order(recipe, splits(recipe)["validation"], batch_size)


def held_out_split(recipe: Recipe) -> str:
    """What a trained model is evaluated on: "test" where the set has it, else what training was validated on."""
    return splits(recipe)["evaluation"]


def in_order(recipe: Recipe, split: str | None = None, batch_size: int = 256, labels: bool = False) -> tf.data.Dataset:
    """All of a split (None: `held_out_split`) in a fixed order, in batches (n <= batch_size, ...)."""
    split = split or held_out_split(recipe)
    return _load(recipe, split, batch_size, shuffle=False, drop_remainder=False, labels=labels)


def first_rows(dataset: tf.data.Dataset, count: int) -> np.ndarray:
    """(at most `count`, ...): the first observations of a dataset of batches."""
    return np.concatenate(list(dataset.unbatch().take(count).batch(count).as_numpy_iterator()))


def _own(recipe: Recipe) -> dict[str, int | None]:
    """The set's own splits; it is downloaded where it is missing, for only then are they known."""
    given = {name: value for name, value in recipe.data.items() if name in _OF_INFO}
    return datasets.info(recipe.dataset, **given, prepare=recipe.data.get("download", True)).splits


def _load(recipe: Recipe, split: str, batch_size: int, **arguments: bool) -> tf.data.Dataset:
    unknown = sorted(set(recipe.data) - set(_OF_LOAD))
    if unknown:
        raise ValueError(f"Arguments of the data set (`data`) must be of {sorted(_OF_LOAD)}. Received: {unknown}")
    return datasets.load(
        recipe.dataset, split=split, batch_size=batch_size, seed=recipe.seed, **recipe.data, **arguments
    )
