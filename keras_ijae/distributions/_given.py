"""What densities are given, checked before a method of any subclass sees it."""

import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.checks import is_whole, whole

_LEAST, _MOST = -(2**63), 2**63 - 1  # seeds
_running: contextvars.ContextVar[tuple[tuple[Any, str], ...]] = contextvars.ContextVar("running", default=())
"""Objects and names of their methods whose arguments have been checked and that have not come back yet."""


def check_arguments(cls: type, **checks: tuple[Callable[..., Any], ...]) -> None:
    """Let the methods that `cls` defines itself see their first arguments as checks give them back.

    What a method hands on by `super()` is its own affair, as noise of its own that it takes off, and so are its
    defaults. One that takes `*args` or `**kwargs` in their place sees them as they are: who takes them by name checks.

    Args:
        cls: a class.
        **checks: name of a method -> for each of its first arguments a function of the object and of the arguments up
            to this one, which gives this one back, or raises.
    """
    for name, of_arguments in checks.items():
        method = vars(cls).get(name)
        if inspect.isfunction(method) and len(_names(method, len(of_arguments))) == len(of_arguments):
            setattr(cls, name, _checked(name, method, of_arguments))


def _names(method, count):
    """Those of the first arguments after `self`, as far as they have some."""
    first = list(inspect.signature(method).parameters.values())[1 : count + 1]
    return [one.name for one in first if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]


def _checked(name, method, checks):
    signature, names = inspect.signature(method), _names(method, len(checks))

    @tf.autograph.experimental.do_not_convert
    def bound(self, given, named):
        arguments = signature.bind(self, *given, **named)
        found = []
        for argument, check in zip(names, checks, strict=True):
            if argument not in arguments.arguments:
                break
            found.append(check(self, *found, arguments.arguments[argument]))
            arguments.arguments[argument] = found[-1]
        return arguments.args, arguments.kwargs

    @functools.wraps(method)
    def checked(self, *given, **named):
        if _runs(self, name):  # this one is called by `super()`, from one that has checked
            return method(self, *given, **named)
        args, kwargs = bound(self, given, named)
        before = _begin(self, name)
        try:
            return method(*args, **kwargs)
        finally:
            _running.reset(before)

    return checked


@tf.autograph.experimental.do_not_convert
def _runs(of, name):
    return any(one is of and method == name for one, method in _running.get())


@tf.autograph.experimental.do_not_convert
def _begin(of, name):
    return _running.set((*_running.get(), (of, name)))


def number_of_rows(n: Any) -> int | tf.Tensor:
    """`n`, if it is a whole number of at least 0, or a scalar tensor of one; inside a graph its value is not looked at.

    Raises:
        ValueError: anything else.
    """
    n = _taken_out(n)
    if not _is_integer(n, [()]):
        return whole("n", n, 0)
    if tf.executing_eagerly():
        whole("n", int(n), 0)
    return tf.convert_to_tensor(n)


def seed_or_key(seed: Any) -> int | tf.Tensor:
    """`seed`, if it is a whole number of 64 bits, a scalar tensor of one, or a (2,) int32 key; ValueError otherwise."""
    seed = _taken_out(seed)
    if is_whole(seed, _LEAST, _MOST):
        return int(seed)
    if isinstance(seed, np.ndarray) and seed.shape == (2,) and seed.dtype == np.int32:
        return tf.constant(seed)
    if _is_integer(seed, [()]) or (_is_integer(seed, [(2,)]) and seed.dtype == tf.int32):
        return tf.convert_to_tensor(seed)
    raise ValueError(
        "Argument `seed` must be an integer of 64 bits, a scalar integer tensor or a (2,) int32 key. Received: "
        f"seed={seed!r:.200}"
    )


def _taken_out(value):
    """The number in an array of no dimensions; anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _is_integer(value, shapes):
    """Whether it is a tensor of integers of one of these shapes, as far as its shape is known."""
    if not isinstance(value, tf.Tensor | tf.Variable) or not value.dtype.is_integer:
        return False
    return any(value.shape.is_compatible_with(shape) for shape in shapes)


def table(name: str, value: Any, columns: int, what: str = "") -> tf.Tensor:
    """`value` as a tensor of real numbers, `(batch, columns)`, of its own type.

    Args:
        name: of the argument.
        value: what was given.
        columns: how many it must have.
        what: stands after the shape in the message.

    Raises:
        ValueError: anything else.
    """
    expected = f"have shape (batch, {columns}){what}"
    found = numbers(name, value, expected)
    if found.shape.rank != 2 or found.shape[1] != columns:
        raise ValueError(f"Argument `{name}` must {expected}. Received: {name} of shape {_shape_of(found)}")
    return found


def beside(name: str, value: Any, columns: int, params: tf.Tensor) -> tf.Tensor:
    """`value` as a tensor `(batch, columns)`, of the rows and the type of `params`; ValueError otherwise."""
    found = table(name, value, columns)
    if not found.shape[:1].is_compatible_with(params.shape[:1]):
        raise ValueError(
            f"Argument `{name}` must have as many rows as `params`, {params.shape[0]}. Received: {name} of shape "
            f"{_shape_of(found)}"
        )
    return tf.cast(found, params.dtype)


def numbers(name: str, value: Any, expected: str) -> tf.Tensor:
    """`value` as a tensor of real numbers; ValueError otherwise, which says that it must do what is `expected`."""
    try:
        found = tf.convert_to_tensor(value)
    except (TypeError, ValueError, OverflowError) as error:  # as many as there are things that are no numbers
        raise ValueError(f"Argument `{name}` must {expected}. Received: {name}={value!r:.200}") from error
    if not (found.dtype.is_floating or found.dtype.is_integer):
        raise ValueError(f"Argument `{name}` must {expected}. Received: {name} of type {found.dtype.name}")
    return found


def _shape_of(tensor):
    return "unknown" if tensor.shape.rank is None else tuple(tensor.shape)
