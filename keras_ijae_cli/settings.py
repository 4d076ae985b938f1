"""`--set key=value`, and options that override a recipe."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_ijae.training import Recipe

_WORDS = {"true": True, "false": False, "none": None}


def parse(option: str, settings: Sequence[str], options: Sequence[str] | None = None) -> dict[str, Any]:
    """`["lam=0.3", "prior=uniform"]` -> `{"lam": 0.3, "prior": "uniform"}`.

    A value is read as JSON (numbers, lists, true, null), also True, False and None; anything else is text.

    Args:
        option: `--set` or `--data`, for the messages.
        settings: what was given to it.
        options: what the command has options of its own for; None: the fields of a recipe.

    Raises:
        ValueError: for a setting without a key or "=", a key given twice, or one that is an option of its own.
    """
    from keras_ijae.training.recorded import FIELDS

    arguments: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"Option {option} takes KEY=VALUE. Received: {option} {setting}")
        if key in arguments:
            raise ValueError(f"Option {option} gives {key!r} twice.")
        if key in (FIELDS if options is None else options):
            raise ValueError(f"Option {option} cannot set {key!r}. Use --{key.replace('_', '-')} instead.")
        arguments[key] = _value(text)
    return arguments


def new_recipe(name: str | None, system: str | None, dataset: str | None, **given: Any) -> Recipe:
    """The recipe of that name, or one for a system and a dataset, with whatever else was given (not None).

    Raises:
        ValueError: unless there is either a name or both a system and a dataset.
    """
    from keras_ijae.checks import did_you_mean
    from keras_ijae.training import RECIPES, Recipe, get_recipe

    if name is not None:
        if system is not None:
            raise ValueError(f"Give SYSTEM or --recipe, not both. Received: {system} and --recipe {name}")
        if name not in RECIPES:
            hint = did_you_mean(name, RECIPES)
            raise ValueError(f"There is no --recipe {name}.{hint} `keras-ijae recipes` lists those there are.")
        return get_recipe(name).but(dataset=dataset, **given)
    if system is None or dataset is None:
        raise ValueError("What to train? Give SYSTEM and --dataset NAME, or --recipe NAME, or --resume.")
    return Recipe(system=system, dataset=dataset).but(**given)


def resumed_recipe(recorded: Recipe, **given: Any) -> Recipe:
    """The recipe of a run that is continued: only what its numbers do not depend on may differ from the recorded one.

    Raises:
        ValueError: if anything else that was given (not None) differs: all of it is named.
    """
    from keras_ijae.training.recorded import CHANGEABLE, FIELDS

    wanted = recorded.but(**given)
    names = [name for name in FIELDS if name not in CHANGEABLE]
    pairs = {name: (getattr(recorded, name), getattr(wanted, name)) for name in names}
    changed = [
        f"{_given(name)} is {old!r} there, received: {new!r}" for name, (old, new) in pairs.items() if old != new
    ]
    if changed:
        *first, last = map(_given, CHANGEABLE)
        listed = f"{', '.join(first)} and {last}"
        raise ValueError(f"A run is resumed as its config.json has it; only {listed} may change. {'; '.join(changed)}")
    return wanted


def _given(name: str) -> str:
    """What a field of a recipe is on the command line."""
    return {"system": "SYSTEM", "arguments": "--set"}.get(name, f"--{name.replace('_', '-')}")


def _value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for read in (json.loads, int, float):  # JSON knows no +1 and no .5
        with contextlib.suppress(ValueError):
            return read(text)
    return text
