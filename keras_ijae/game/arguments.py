"""The arguments that all systems share, typed once, and the arguments that a system takes."""

import inspect
from typing import Any, TypedDict, Unpack, get_args, get_origin, get_type_hints

import keras
import numpy as np
import tensorflow as tf

REQUIRED = inspect.Parameter.empty
"""Stands for the default of an argument that has none."""


class FixedPrior(TypedDict, total=False):
    """Arguments of systems whose prior is part of them; meaning and defaults are documented in `Game`."""

    data_shape: tuple[int, ...] | None
    latent_dim: int | None
    classes: int | None
    sampling_prior: Any
    ema: float | str | None
    preset: str | None
    seed: int
    name: str | None


class Common(FixedPrior, total=False):
    """Arguments of the other systems."""

    prior: Any


def arguments_of(system: type) -> dict[str, Any]:
    """name -> default (or `REQUIRED`) of every argument that `system(...)` takes.

    Those that `**common: Unpack[Common]` stands for are in it, with the defaults of the base class that takes them.

    Raises:
        TypeError: an `__init__` hands on keyword arguments that it does not type.
    """
    return _arguments(system, system.__mro__)


def refuse_arrays(arguments: dict[str, Any]) -> None:
    """ValueError where an argument of a system is an array or tensor, a symbolic one too: equal to no name, nor not."""
    for name, value in arguments.items():
        if isinstance(value, np.ndarray | keras.KerasTensor) or tf.is_tensor(value):
            raise ValueError(f"Argument `{name}` takes no arrays. Received: {value!r:.200}")


def _arguments(system, bases):
    at = next(index for index, base in enumerate(bases) if "__init__" in vars(base))
    function, found = bases[at].__init__, {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is not parameter.VAR_KEYWORD:
            found[parameter.name] = parameter.default
            continue
        hint = get_type_hints(function, include_extras=True).get(parameter.name)
        if get_origin(hint) is not Unpack:
            raise TypeError(
                f"{bases[at].__name__}.__init__ must type **{parameter.name}, for example as Unpack[ki.models.Common]"
            )
        above = _arguments(system, bases[at + 1 :])
        found |= {name: above[name] for name in get_type_hints(get_args(hint)[0])}
    return found
