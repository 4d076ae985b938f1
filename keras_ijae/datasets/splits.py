"""Splits and slices of splits, with one meaning for every source."""

import re

from keras_ijae.checks import did_you_mean
from keras_ijae.datasets.source import Source

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
