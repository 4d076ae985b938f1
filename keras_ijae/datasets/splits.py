"""Splits and slices of splits, with one meaning for every source."""

import dataclasses
import re

import numpy as np
import tensorflow as tf

from keras_ijae.checks import did_you_mean
from keras_ijae.datasets.order import mixed
from keras_ijae.datasets.source import Source, Stream, Table

_PATTERN = re.compile(r"([\w\-.]+)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?")


def resolve(split: str, source: Source) -> tuple[str, int, int | None]:
    """Turns `split` into (name, start, stop); stop None is the end of a split that was not counted.

    "validation" of a set that has none is the last tenth of "train", that is "train[90%:]".

    Raises:
        ValueError: the split is unknown, malformed or empty.
    """
    match = _PATTERN.fullmatch(split) if isinstance(split, str) else None
    if not match:
        raise ValueError(_message(split, source))
    name, start, stop = match.groups()
    if name == "validation" and name not in source.splits and "train" in source.splits:
        if start or stop:
            raise ValueError(f"{_message(split, source)} This set's 'validation' is 'train[90%:]': slice 'train'.")
        name, start = "train", "90%"
    if name not in source.splits:
        raise ValueError(_message(split, source) + did_you_mean(name, source.splits))
    if not (start or stop) and source.splits[name] is None:
        return name, 0, None
    size = source.size(name)
    first, last = _boundary(start, size, 0), _boundary(stop, size, size)
    if first >= last:
        raise ValueError(f"Argument `split` selects none of the {size} examples. Received: split={split!r}.")
    return name, first, last


def parted(split: str, source: Source) -> tuple[str, str]:
    """`split` less its last tenth, and that tenth, of at least one example: slices that share none.

    Raises:
        ValueError: as `resolve`, or if there are fewer than two examples.
    """
    name, start, stop = resolve(split, source)
    stop = source.size(name) if stop is None else stop
    middle = stop - max(1, round((stop - start) / 10))
    if middle <= start:
        raise ValueError(f"Argument `split` must select at least two examples. Received: split={split!r}.")
    return f"{name}[{start}:{middle}]", f"{name}[{middle}:{stop}]"


def read_slice(source: Source, split: str, start: int, stop: int | None) -> Table | Stream:
    """The examples of `split` from `start` to before `stop`, which are as `resolve` gave them.

    A whole split is in stored order, and so are slices where that order is random. Other slices are taken of the
    permutation `mixed`: by labels where the examples can be reached by index, and else (records) in stored order.
    """
    if source.shuffled or stop is None or (start, stop) == (0, source.size(split)):
        return source.read(split, start, stop)
    whole = source.read(split, 0, None)
    if isinstance(whole, Table):
        chosen = mixed(whole.size, whole.y if isinstance(whole.y, np.ndarray) else None)[start:stop]
        y = None if whole.y is None else tf.nest.map_structure(lambda labels: labels[chosen], whole.y)
        return dataclasses.replace(whole, x=whole.x[chosen], y=y)
    kept = np.zeros(source.size(split), bool)
    kept[mixed(len(kept))[start:stop]] = True

    def records(_: tf.Tensor | None) -> tf.data.Dataset:
        numbered = whole.records(None).enumerate()
        return numbered.filter(lambda i, _: tf.gather(kept, i)).map(lambda _, record: record)

    return Stream(records, whole.decode, stop - start)


def _boundary(text: str | None, size: int, default: int) -> int:
    if not text:
        return default
    if text.endswith("%"):
        percent = int(text[:-1])
        place = round((100 + percent if text.startswith("-") else percent) * size / 100)
    else:
        place = int(text) + (size if text.startswith("-") else 0)
    return min(max(place, 0), size)


def _message(split: object, source: Source) -> str:
    sizes = ", ".join(f"'{name}'" + (f" ({n} examples)" if n else "") for name, n in source.splits.items())
    return (
        f"Argument `split` must be one of {sizes}, or a slice of one such as 'train[:90%]' or 'train[-1000:]'. "
        f"Received: split={split!r}."
    )
