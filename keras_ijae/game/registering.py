"""What `register` and `create` check of a system of one's own."""

import keyword
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_ijae import checks
from keras_ijae.game.arguments import arguments_of, check_types, refuse_arrays
from keras_ijae.game.entries import ENTRIES, refused
from keras_ijae.game.game import Game
from keras_ijae.game.presets import Preset

GENERAL = ("networks", "width", "norm", "spectral", "preset")
"""What `create` takes whatever the system."""
_OF_EACH_MODEL = ("data_shape", "latent_dim", "preset")


def check_system(system: Any) -> None:
    """ValueError unless this is a game that declares its networks, takes them, and whose files Keras can load."""
    if not (isinstance(system, type) and issubclass(system, Game) and system.ROLES):
        raise ValueError(f"Argument `system` must be a subclass of Game that declares ROLES. Received: {system!r}")
    taken = arguments_of(system)
    left = [role.name for role in system.ROLES if role.kind is not None and role.name not in taken]
    if left:
        raise ValueError(
            f"Argument `system` must take its networks {left} as arguments. A `**rest` without a type hands on all "
            f"that the class above takes, one typed as Unpack[X] what is in X. Received: {system!r}"
        )
    registered = keras.saving.get_registered_name(system)
    if registered == system.__name__ and keras.saving.get_registered_object(registered) is not system:
        raise ValueError(
            "Argument `system` must be registered with Keras, else what it saves cannot be loaded: put "
            f'@keras.saving.register_keras_serializable("a_name_of_yours") before the class. Received: {system!r}'
        )


def check_name(name: Any, system: type[Game]) -> None:
    """ValueError unless this is an identifier that no other class has."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(
            f"Argument `name` must be an identifier, such as 'my_vae', and no word of Python's. Received: name={name!r}"
        )
    if name in ENTRIES and _place(ENTRIES[name].system) != _place(system):
        raise ValueError(f"Argument `name` must be new. Received: {name!r}, which is {ENTRIES[name].system.__name__}")


def check_help(text: Any) -> None:
    """ValueError unless this is one line."""
    if not isinstance(text, str) or len(text.splitlines()) != 1:
        raise ValueError(f"Argument `help` must be one line of text. Received: help={text!r:.200}")


def check_fixed(system: type[Game], fixed: Mapping[str, Any]) -> None:
    """ValueError for an argument that the system does not take, that each model is given, or of another type."""
    networks = [role.name for role in system.ROLES if role.kind is not None]
    for name in [*_OF_EACH_MODEL, *networks]:
        if name in fixed:
            raise ValueError(
                f"Argument `{name}` must be given for each model, to `ki.create`; a name cannot fix it. "
                f"Received: {name}={fixed[name]!r:.200}"
            )
    check_known(system, fixed, set(arguments_of(system)) - {*_OF_EACH_MODEL, *networks})
    refuse_arrays(dict(fixed))
    check_types(system, dict(fixed))


def check_presets(presets: Any) -> None:
    """ValueError unless these are presets by their names."""
    kinds = isinstance(presets, Mapping) and all(
        isinstance(name, str) and isinstance(preset, Preset | None) for name, preset in presets.items()
    )
    if not kinds:
        raise ValueError(f"Argument `presets` must map names to a `Preset` or None. Received: presets={presets!r}")


def check_known(system: type[Game], given: Iterable[str], known: Iterable[str], unlisted: Iterable[str] = ()) -> None:
    """ValueError, with what is known and alike, where arguments are given that are not known.

    Args:
        system: its class, for the message.
        given, known: names.
        unlisted: names that are known, and of no use to who is told; `refused` by the system are left out too.
    """
    unknown = sorted(set(given) - set(known))
    if unknown:
        listed = sorted({*known} - {*unlisted} - refused(system))
        hint = "".join(checks.did_you_mean(word, listed) for word in unknown)
        raise ValueError(f"Unknown arguments {unknown} of {system.__name__}.{hint} Known: {', '.join(listed)}")


def _place(system):
    return system.__module__, system.__qualname__
