"""What is checked of what a system's `losses` gives, while a step is traced."""

import numbers
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_ijae.checks import did_you_mean
from keras_ijae.game.moves import Phase, Played


def check_played(system: str, phase: Phase, given: Any) -> None:
    """ValueError unless `losses` gave a `Played` with a scalar for each move of the phase, and scalars else.

    Args:
        system: its name, for the message.
        phase: whose losses they are.
        given: what came back.
    """
    if problem := _problem(list(phase.moves), given):
        raise ValueError(
            f"`losses` of {system} must return a `Played` with a scalar tensor for each of the moves "
            f"{list(phase.moves)} of phase {phase.name!r}. Received: {problem}"
        )


def _problem(moves, given):
    """What is wrong, in words; None where nothing is."""
    if not isinstance(given, Played):
        return f"{given!r:.200}"
    for part in ("losses", "penalties", "logs"):
        if not isinstance(values := getattr(given, part), Mapping):
            return f"{part}={values!r:.200}"
    if unknown := [name for name in (*given.losses, *given.penalties) if name not in moves]:
        return f"a loss or penalty of {unknown[0]!r}.{did_you_mean(str(unknown[0]), moves)}"
    if missing := [name for name in moves if name not in given.losses]:
        return f"no loss of {missing[0]!r}"
    for what, values in (("loss", given.losses), ("penalty", given.penalties)):
        for name, value in values.items():
            if not (tf.is_tensor(value) and value.dtype.is_floating and _is_scalar(value)):
                return f"the {what} of {name!r} as {value!r:.200}"
    wrong = [name for name, value in given.logs.items() if not _is_scalar(value)]
    return f"the log {wrong[0]!r}, which must be a scalar too, as {given.logs[wrong[0]]!r:.200}" if wrong else None


def _is_scalar(value):
    if not hasattr(value, "shape"):
        return isinstance(value, numbers.Real)
    return tf.TensorShape(value.shape).rank in (None, 0)
