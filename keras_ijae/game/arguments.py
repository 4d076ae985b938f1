"""The arguments that all systems share, typed once, and the arguments that a system takes."""

import inspect
import numbers
from collections.abc import Callable
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, TypedDict, Union, Unpack, get_args, get_origin, get_type_hints

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

    What `**rest` stands for is in it, with the defaults of the class above, to which it is handed on: all that this
    class takes, or, typed as `Unpack[ki.models.Common]`, what is in `Common`.
    """
    return {name: parameter.default for name, parameter in _taken(system.__mro__).items()}


def defaults_of(system: type) -> dict[str, Any]:
    """name -> default of every argument that has one, those too that a class above takes and this one does not."""
    whole = {name: parameter.default for name, parameter in _taken(system.__mro__, whole=True).items()}
    return {name: default for name, default in whole.items() if default is not REQUIRED}


def check_types(system: type, arguments: dict[str, Any]) -> None:
    """ValueError where one of a system's arguments is of another type than its annotation says, as far as that is one.

    Plain types and unions of them are looked at; what is annotated otherwise, or not at all, passes.
    """
    taken = _taken(system.__mro__)
    for name, value in arguments.items():
        kinds = _kinds(taken[name].annotation)
        if not any(_IS_A[kind](value) if kind in _IS_A else True for kind in kinds):
            expected = " or ".join("None" if kind is NoneType else kind.__name__ for kind in kinds)
            raise ValueError(f"Argument `{name}` must be of type {expected}. Received: {name}={value!r:.200}")


def refuse_arrays(arguments: dict[str, Any]) -> None:
    """ValueError where an argument of a system is an array or tensor, a symbolic one too: equal to no name, nor not."""
    for name, value in arguments.items():
        if isinstance(value, np.ndarray | keras.KerasTensor) or tf.is_tensor(value):
            raise ValueError(f"Argument `{name}` takes no arrays. Received: {value!r:.200}")


def _taken(bases, whole=False):
    """name -> parameter of what the first of these classes takes; `whole`: and of what those above it take."""
    at = next(index for index, base in enumerate(bases) if "__init__" in vars(base))
    function, found = bases[at].__init__, {}
    hints = _hints(inspect.unwrap(function))
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        name, hint = parameter.name, hints.get(parameter.name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            above = _taken(bases[at + 1 :], whole)
            listed = get_type_hints(get_args(hint)[0]) if get_origin(hint) is Unpack and not whole else above
            found = found | {name: above[name] for name in listed if name not in found}
        elif parameter.kind not in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            found[name] = parameter.replace(annotation=hint)
    return found


def _hints(function):
    """name -> annotation, but for those with a name that type checkers alone import."""
    found, known = {}, getattr(function, "__globals__", {})
    for name, annotation in getattr(function, "__annotations__", {}).items():
        try:
            found |= get_type_hints(SimpleNamespace(__annotations__={name: annotation}), known, include_extras=True)
        except (NameError, AttributeError):
            continue
    return found


def _kinds(hint):
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _is_a(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind) and not isinstance(value, bool)


_IS_A = {
    bool: lambda value: isinstance(value, bool),
    int: _is_a(numbers.Integral),
    float: _is_a(numbers.Real),
    str: _is_a(str),
    NoneType: lambda value: value is None,
}
"""type of an annotation -> whether a value is of it."""
