"""A game's arguments as Keras saves them, and back."""

from typing import Any

import keras

from keras_ijae.datasets.names import without_directories
from keras_ijae.game.arguments import arguments_of, defaults_of
from keras_ijae.game.versions import version

RENAMED = {"posterior": "posterior_kind", "sampling_prior": "own_sampling_prior"}
"""Arguments that are kept as attributes of other names, since a method or property has theirs."""

ORIGIN = "keras_ijae>origin"
"""What a configuration has beside arguments, so no name of one: where the game is from."""


def given(game: Any) -> dict[str, Any]:
    """argument -> what the game keeps of it, networks and run-time scalars included.

    Raises:
        ValueError: an argument of its class that it does not keep.
    """
    names = arguments_of(type(game))
    for name in names:
        if not hasattr(game, RENAMED.get(name, name)):
            raise ValueError(
                f"{type(game).__name__} must keep its argument `{name}`, else it cannot be saved: its `__init__` is to "
                f"set `self.{name}`. Received: a model without that attribute"
            )
    return {name: getattr(game, RENAMED.get(name, name)) for name in names}


def known_so_far(game: Any) -> dict[str, Any]:
    """As `given`, at the end of one class's `__init__`: what a subclass keeps comes later and may be missing.

    What a class above takes and the game's own class does not is in it too.
    """
    places = {name: RENAMED.get(name, name) for name in (*arguments_of(type(game)), *defaults_of(type(game)))}
    return {name: getattr(game, place) for name, place in places.items() if hasattr(game, place)}


def config_of(game: Any) -> dict[str, Any]:
    """The arguments for `get_config`, scalars with the values that they have now; and where the game is from."""
    origin = {"system": game.created_as, "dataset": without_directories(game.trained_on), "keras_ijae": version()}
    return {**{name: serialised(value) for name, value in given(game).items()}, ORIGIN: origin}


def arguments_from(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments that `config_of` wrote down."""
    return {name: keras.saving.deserialize_keras_object(value) for name, value in config.items() if name != ORIGIN}


def origin_in(config: dict[str, Any]) -> dict[str, str]:
    """The text in a configuration on where a game is from: "system", "dataset" and "keras_ijae", those that it has."""
    found = config.get(ORIGIN)
    return {name: told for name, told in found.items() if isinstance(told, str)} if isinstance(found, dict) else {}


def serialised(value: Any) -> Any:
    """A number, a list, or what Keras makes of an object."""
    if isinstance(value, keras.Variable):
        return float(keras.ops.convert_to_numpy(value))
    if isinstance(value, tuple):
        return list(value)
    plain = value is None or isinstance(value, (bool, int, float, str))
    return value if plain else keras.saving.serialize_keras_object(value)
