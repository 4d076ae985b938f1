"""What an identifier of a distribution stands for."""

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
        ValueError: an unknown name.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if isinstance(identifier, base):
        return identifier
    return known[choice(argument, identifier, sorted(known), f"a `{base.__name__}`")](*sizes)
