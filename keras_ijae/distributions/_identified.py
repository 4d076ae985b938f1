"""What an identifier of a distribution stands for."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_ijae.checks import choice


def identified(argument: str, identifier: Any, base: type, known: Mapping[str, Callable], *sizes: int) -> Any:
    """An instance of `base`: the identifier, what it is the serialised form of, or what `known` makes of its name.

    Args:
        argument: its name, for messages.
        identifier: a key of `known`, an instance or a serialised instance.
        base: the class of the instances.
        known: name -> function of `sizes` that makes one.

    Raises:
        ValueError: an unknown name, or a serialised form of which Keras makes nothing.
    """
    if isinstance(identifier, dict):
        identifier = _deserialized(argument, identifier, base)
    if isinstance(identifier, base):
        return identifier
    return known[choice(argument, identifier, sorted(known), f"a `{base.__name__}`")](*sizes)


def _deserialized(argument, identifier, base):
    handled = sys.exc_info()[1]
    try:
        return keras.saving.deserialize_keras_object(identifier)
    except Exception as error:  # of any class; what the distribution itself said stands behind what Keras says
        raise ValueError(
            f"Argument `{argument}` must be a `{base.__name__}` as `keras.saving.serialize_keras_object` gives it. "
            f"Received: {argument}={identifier!r:.200}. {_first(error, handled)}"
        ) from error


def _first(error, handled):
    """The first sentence of the error that was raised first, of those since `handled`."""
    while error.__context__ not in (None, handled):
        error = error.__context__
    return " ".join(str(error).split()).partition(". ")[0]
