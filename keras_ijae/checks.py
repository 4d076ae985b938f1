"""Checks of arguments, for all rooms: what passes comes back, anything else is a ValueError that names it."""

import difflib
import math
import numbers
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

LARGEST_WHOLE, LARGEST, LARGEST_SIZE, LARGEST_SIDE, MOST_REPEATS = 2**31 - 1, 1e12, 2**16, 4096, 1000
"""What is largest where nothing else says it: whole numbers (TensorFlow's have 32 bits), numbers, sizes of layers,
sides of images (a vector has at most the square of one), repeats in a step."""


def is_whole(value: Any, least: int = 1, most: float = LARGEST_WHOLE) -> bool:
    """Whether `value` is a whole number from `least` to `most`; bools and floats are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and least <= value <= most


def whole(
    name: str, value: Any, least: int = 1, most: int | None = None, why: str = "", largest: int = LARGEST_WHOLE
) -> int:
    """`value` as an int, if it is a whole number from `least` to `most`; bools and floats are none.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least: smallest allowed value.
        most: largest allowed value; None: `largest`, which is only spoken of where a number is larger.
        why: what stands after the bounds in the message, such as ", the number of rows".
        largest: in the place of `most` where that is None.

    Raises:
        ValueError: anything else.

    Example:
        >>> whole("steps", 1.5)
        Traceback (most recent call last):
        ValueError: Argument `steps` must be an integer >= 1. Received: steps=1.5
    """
    if is_whole(value, least, largest if most is None else most):
        return int(value)
    bounds = f">= {least}" if most is None else f"from {least} to {most}"
    too_large = f", and at most {largest}" if most is None and is_whole(value, least, math.inf) else ""
    raise _wrong(name, f"an integer {bounds}{why}{too_large}", value)


def size(name: str, value: Any, least: int = 1) -> int:
    """`value`, if it is a whole number from `least` to 65,536: larger layers than anybody has exhaust the memory."""
    return whole(name, value, least, largest=LARGEST_SIZE)


def repeats(name: str, value: Any) -> int:
    """`value`, if it is a whole number from 1 to 1,000: each repeat is a part of a step's graph."""
    return whole(name, value, largest=MOST_REPEATS)


def seed(value: Any) -> int:
    """`value`, if it is a whole number of 32 bits."""
    return whole("seed", value, -(2**31), 2**31 - 1)


def number(
    name: str,
    value: Any,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    other: str = "",
) -> float:
    """`value` as a float, if it is a finite real number in the range; NaN, bools, strings and None are none.

    Where the range is open to infinity, 1e12 is the largest number, and -1e12 the least.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least, above: the lower bound, included or not; None: there is none.
        most, below: the upper bound, included or not; None: there is none.
        other: what else the caller takes, for the message, such as "'learned'".

    Raises:
        ValueError: anything else.

    Example:
        >>> number("decay", 1.0, above=0, below=1)
        Traceback (most recent call last):
        ValueError: Argument `decay` must be in (0, 1). Received: decay=1.0
    """
    fits = (
        _finite(value)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    )
    expected = _interval(least, above, most, below) + (f", or {other}" if other else "")
    if not fits:
        raise _wrong(name, expected, value)
    if (most is below is None and value > LARGEST) or (least is above is None and value < -LARGEST):
        raise _wrong(name, f"{expected}, at most {LARGEST:g} in size", value)
    return float(value)


def flag(name: str, value: Any) -> bool:
    """`value`, if it is True or False; ValueError otherwise (1, 0 and "yes" are neither)."""
    if not isinstance(value, bool):
        raise _wrong(name, "True or False", value)
    return value


def data_shape(value: Any) -> tuple[int, ...]:
    """`value` as a tuple, if it is (height, width, channels), at most 4,096 each, or (features,), at most 4,096^2."""
    shape = tuple(value) if isinstance(value, tuple | list) else ()
    if len(shape) not in (1, 3) or not all(is_whole(side, most=math.inf) for side in shape):
        raise ValueError(f"Argument `data_shape` must be (height, width, channels) or (features,). Received: {value!r}")
    if max(shape) > LARGEST_SIDE ** (2 if len(shape) == 1 else 1):
        raise ValueError(f"Argument `data_shape` must have sides of at most {LARGEST_SIDE}. Received: {value!r}")
    return tuple(int(side) for side in shape)


def path(name: str, value: Any) -> Path:
    """`value` as a path, if it is one: text, or what stands for it (`os.PathLike`), and neither empty nor with NUL."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise _wrong(name, "a path", value)
    return Path(text)


def choice(name: str, value: Any, known: Collection[str], other: str = "") -> str:
    """`value`, if it is one of `known`.

    Args:
        name: of the argument, for the message.
        value: what was given.
        known: the allowed values.
        other: what else the caller takes, for the message, such as "a `Prior`".

    Raises:
        ValueError: it is not; the known ones are listed, and the closest is offered.

    Example:
        >>> choice("kernel", "rbff", ("imq", "rbf"))
        Traceback (most recent call last):
        ValueError: Argument `kernel` must be one of 'imq', 'rbf'. Received: kernel='rbff'. Did you mean 'rbf'?
    """
    if not isinstance(value, str) or value not in known:
        listed = f"one of {', '.join(map(repr, known))}" + (f", or {other}" if other else "")
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{_wrong(name, listed, value)}{'.' * bool(hint)}{hint}")
    return value


def instance(name: str, value: Any, kind: type) -> Any:
    """`value`, if it is a `kind`; ValueError otherwise."""
    if not isinstance(value, kind):
        raise ValueError(f"Argument `{name}` must be of type {kind.__name__}. Received: {name}={value!r:.200}")
    return value


def did_you_mean(word: str, known: Collection[str]) -> str:
    """The hint " Did you mean 'x'?", with the up to three of `known` that are most like `word`; "" if none is.

    Capitals do not matter: what differs in them alone is the only hint.
    """
    lower = {name.lower(): name for name in known}
    alone = [name for name in known if name.lower() == word.lower()]
    close = alone or [lower[name] for name in difflib.get_close_matches(word.lower(), lower)]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def _finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def _interval(least: float | None, above: float | None, most: float | None, below: float | None) -> str:
    """The range in words: "a finite number > 0", or "in (0, 1]" where both ends are bounded."""
    low = f">= {least:g}" if least is not None else f"> {above:g}" if above is not None else ""
    high = f"<= {most:g}" if most is not None else f"< {below:g}" if below is not None else ""
    if low and high:
        left, right = "[" if least is not None else "(", "]" if most is not None else ")"
        return f"in {left}{low.split()[1]}, {high.split()[1]}{right}"
    return f"a finite number {low}{high}".rstrip()


def _wrong(name: str, expected: str, value: Any) -> ValueError:
    return ValueError(f"Argument `{name}` must be {expected}. Received: {name}={value!r:.200}")
