"""The reference: a page for each room, with every public name of it."""

import importlib
import inspect
from types import FunctionType, ModuleType
from typing import Any

import keras

from generator.docstrings import text
from generator.rst import heading, table
from keras_ijae.game import Game, Role

ROOMS = (
    "keras_ijae datasets training evaluation figures report explorer metrics metrics.features models networks "
    "distributions distributions.likelihoods distributions.posteriors distributions.priors losses losses.tfgan layers "
    "game game.roles random lab"
).split()


def public(module: ModuleType) -> dict[str, Any]:
    """name -> what a room shows: its `__all__`, or what is defined in it or imported as public; no modules."""
    names = getattr(module, "__all__", None)
    found = {name: getattr(module, name) for name in names or vars(module) if not name.startswith("_")}
    if names is None:
        found = {name: value for name, value in found.items() if _is_ours(value)}
    return {name: value for name, value in found.items() if not inspect.ismodule(value)}


def rooms() -> dict[str, dict[str, Any]]:
    """room -> its public names, each in the first room that shows it."""
    seen: set[int] = set()
    found = {}
    for room in ROOMS:
        names = public(importlib.import_module(full(room)))
        found[room] = {name: value for name, value in names.items() if id(value) not in seen}
        seen |= {id(value) for value in names.values()}
    return found


def full(room: str) -> str:
    """The module of a room."""
    return room if room == "keras_ijae" else f"keras_ijae.{room}"


def page(room: str, names: dict[str, Any]) -> str:
    """The page of a room: a table of its names, then each in full."""
    module = full(room)
    first, *_ = inspect.getdoc(importlib.import_module(module)).split("\n\n")
    lines = [f".. module:: {module}", "", *heading(module, "="), text(first), ""]
    rows = [[f":py:obj:`{name} <{module}.{name}>`", text(summary(value))] for name, value in sorted(names.items())]
    lines += table(["name", "what"], rows, widths="25 75")
    for name, value in names.items():
        lines += _described(module, name, value)
    return "\n".join(lines) + "\n"


def summary(value: Any) -> str:
    """The first paragraph of a docstring; of a table its keys, of a role its network."""
    if isinstance(value, Role):
        gives = "number" if value.kind == "critic" else value.gives
        built = f", built as {value.kind}" if value.kind != value.name else ""
        return f"The network `{value.name}`{built}: {', '.join(value.sees)} -> {gives}."
    if not callable(value):
        return (
            f"One of: {', '.join(map(str, value))}." if isinstance(value, dict | tuple) else type(value).__name__ + "."
        )
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _described(module, name, value):
    if not callable(value):
        return [f".. py:data:: {name}", "", f"   {text(summary(value))}", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {module}.{name}", *members(value), ""]
    return [f".. autofunction:: {module}.{name}", ""]


def members(value: type) -> list[str]:
    """What is shown of a class, and of a game what it inherits too: of a system up to `Game`, of that up to Keras."""
    if not issubclass(value, Game):
        return ["   :members:"]
    above = keras.Model.__mro__ if value is Game else Game.__mro__
    parts = [part for base in value.__mro__ if base not in above for part in vars(base).items()]
    kinds = FunctionType, property, classmethod
    shown = dict.fromkeys(name for name, part in parts if isinstance(part, kinds) and part.__doc__ and name[0] != "_")
    return [f"   :members: {', '.join(shown)}"] if shown else []


def _is_ours(value):
    return getattr(value, "__module__", "").startswith("keras_ijae") or isinstance(value, tuple | dict)
