"""A recipe's data: what it trains on, what it is validated on meanwhile, and what it is evaluated on at the end."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import datasets
from keras_ijae.checks import instance
from keras_ijae.datasets.loading import hold_out
from keras_ijae.training.recipes import Recipe

_OF_SOURCE = ("keys", "data_shape", "data_dir", "download")
_OF_INFO = ("crop", "size", "keys", "data_shape", "data_dir")
_OF_LOAD = (*_OF_INFO, "standardize", "download", "shuffle_buffer")


def splits(recipe: Recipe) -> dict[str, str]:
    """The splits of `keras_ijae.datasets.load` by use: "train", "validation" and "evaluation".

    A set's own "validation" is what training is validated on, else the last tenth of "train", which is then not trained
    on ("validation" names both). "test" is never read while training: it is for evaluation; where a set has none, that
    is by the validation data; so also where a conditional model needs labels and "test" has none. A recipe's own
    `split` takes the place of "train"; what it is a part of neither validates nor evaluates it: its last tenth does.
    """
    own, split = _own(recipe), "train" if recipe.split is None else recipe.split
    part = split.partition("[")[0]
    if "validation" in own - {part}:
        train, validation = split, "validation"
    elif split == "train":
        train, validation = "train[:90%]", "validation"
    else:
        given = {name: value for name, value in recipe.data.items() if name in _OF_SOURCE}
        train, validation = hold_out(recipe.dataset, split, **given)
    return {"train": train, "validation": validation, "evaluation": "test" if "test" in own - {part} else validation}


def training_data(recipe: Recipe) -> tf.data.Dataset:
    """Shuffled batches (batch_size, ...) of what is trained on; none of it is in `validation_data`.

    If the recipe has `classes`, batches here and below are pairs with labels.
    """
    return _load(recipe, splits(recipe)["train"], recipe.batch_size, shuffle=True, drop_remainder=True)


def validation_data(recipe: Recipe, batch_size: int = 256) -> tf.data.Dataset:
    """What training is validated on, in a fixed order, in batches (n <= batch_size, ...)."""
    return in_order(recipe, splits(recipe)["validation"], batch_size)


def held_out_split(recipe: Recipe) -> str:
    """What a trained model is evaluated on: "test" where the set has it, else what training was validated on."""
    return splits(recipe)["evaluation"]


def in_order(recipe: Recipe, split: str | None = None, batch_size: int = 256, labels: bool = False) -> tf.data.Dataset:
    """All of a split (None: `held_out_split`) in a fixed order, in batches (n <= batch_size, ...).

    They are pairs if `labels` are asked for, or the recipe has `classes`.
    """
    split = split or held_out_split(recipe)
    return _load(recipe, split, batch_size, shuffle=False, drop_remainder=False, labels=labels)


def has_labels(recipe: Recipe, split: str) -> bool:
    """Whether each example of a split, as `splits` names it, has one label."""
    about = _info(recipe)
    return about.has_labels and not about.attributes and split.partition("[")[0] not in about.unlabelled


def class_names(recipe: Recipe) -> list[str]:
    """The names of the classes of a conditional model, as its data have them; none where they have no names."""
    return list(_info(recipe).class_names) if recipe.classes is not None else []


def part_of(recipe: Recipe, split: str, count: int) -> str:
    """The split, or a part of it with `count` examples: from everywhere, where the whole is stored by class."""
    size = _info(recipe).splits.get(split)  # slices, which have no size here, are taken from everywhere already
    return split if size is None or size <= count else f"{split}[:{count}]"


def some_rows(recipe: Recipe, split: str | None, count: int, labels: bool = False) -> Any:
    """Observations of a split (None: `held_out_split`), (at most `count`, ...), always those that `part_of` takes.

    They are a pair with their labels if these are asked for, or the recipe has `classes`.
    """
    part = part_of(recipe, split or held_out_split(recipe), count)
    return next(in_order(recipe, part, count, labels).unbatch().batch(count).as_numpy_iterator())


def labelled_rows(recipe: Recipe, split: str | None, count: int) -> tuple[np.ndarray, Any]:
    """What `some_rows` takes of a split, (at most `count`, ...), and the labels: None where the split has none.

    Labels are integers (n,), or name -> (n,) where an example has several.
    """
    split, about = split or held_out_split(recipe), _info(recipe)
    has = about.has_labels and split.partition("[")[0] not in about.unlabelled
    found = some_rows(recipe, split, count, has)
    return found if has else (found, None)


def data_shape(dataset: tf.data.Dataset) -> tuple[int, ...]:
    """The shape of an observation in a dataset of batches, with labels or without."""
    return tuple(tf.nest.flatten(dataset.element_spec)[0].shape[1:])


def _own(recipe: Recipe) -> set[str]:
    """The set's own splits, where labels are needed those that have some."""
    about = _info(recipe)
    return set(about.splits) - set(about.unlabelled if recipe.classes else ())


def check_names(data: dict[str, Any]) -> None:
    """ValueError unless `data` is a dictionary of arguments with which data are loaded, by their names."""
    unknown = sorted(set(instance("data", data, dict)) - set(_OF_LOAD))
    if unknown:
        raise ValueError(f"Argument `data` must have names of {sorted(_OF_LOAD)}. Received: {unknown}")


def described(dataset: str, data: dict[str, Any]) -> datasets.DatasetInfo:
    """What a set is that is loaded with the arguments `data`, which are a recipe's.

    It is downloaded where it is missing, for only then are its splits known.

    Raises:
        ValueError: `data` is no dictionary, or has a name that is none of those arguments.
    """
    check_names(data)
    given = {name: value for name, value in data.items() if name in _OF_INFO}
    return datasets.info(dataset, **given, prepare=data.get("download", True))


def _info(recipe: Recipe) -> datasets.DatasetInfo:
    return described(recipe.dataset, recipe.data)


def _check_labels(recipe: Recipe, about: datasets.DatasetInfo) -> None:
    if not about.has_labels or about.attributes:
        has = f"several, {list(about.attributes)}: in Python, `map` the data to one" if about.has_labels else "none"
        raise ValueError(
            f"Argument `dataset` must have one label to an example for a model with classes={recipe.classes}. "
            f"Received: {recipe.dataset!r}, which has {has}"
        )


def _load(recipe: Recipe, split: str, batch_size: int, labels: bool = False, **arguments: bool) -> tf.data.Dataset:
    about = _info(recipe)
    if recipe.classes is not None:
        _check_labels(recipe, about)
        labels = True
    how = {"batch_size": batch_size, "seed": recipe.seed, "labels": labels, **arguments}
    return datasets.load(recipe.dataset, split=split, **how, **recipe.data)
