"""A game's arguments as Keras saves them, and back."""

from typing import Any

import keras

from keras_ijae.game.arguments import arguments_of

RENAMED = {"posterior": "posterior_kind", "sampling_prior": "own_sampling_prior"}
"""Arguments that are kept as attributes of other names, since a method or property has theirs."""


def given(game: Any) -> dict[str, Any]:
    """argument -> what the game keeps of it, networks and run-time scalars included."""
    return {name: getattr(game, RENAMED.get(name, name)) for name in arguments_of(type(game))}


def config_of(game: Any) -> dict[str, Any]:
    """The arguments for `get_config`, scalars with the values that they have now."""
    return {name: serialised(value) for name, value in given(game).items()}


def arguments_from(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments that `config_of` wrote down."""
    return {name: keras.saving.deserialize_keras_object(value) for name, value in config.items()}


def serialised(value: Any) -> Any:
    """A number, a list, or what Keras makes of an object."""
    if isinstance(value, keras.Variable):
        return float(keras.ops.convert_to_numpy(value))
    if isinstance(value, tuple):
        return list(value)
    plain = value is None or isinstance(value, (bool, int, float, str))
    return value if plain else keras.saving.serialize_keras_object(value)
