"""What a name stands for: a system, what the name fixes, and the presets that it has; and the table of all names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_ijae import checks
from keras_ijae.distributions import priors
from keras_ijae.distributions.priors import Prior
from keras_ijae.game.arguments import REQUIRED, arguments_of
from keras_ijae.game.presets import Preset

_LATENT_DIM = 2
"""Of a prior that is made of its name alone."""


@dataclass(frozen=True)
class Entry:
    """One system of the table.

    Attributes:
        system: its class, a `Game`.
        help: one line.
        fixed: the arguments that the name fixes.
        own_presets: preset name -> preset of this name alone, before one of the class that is called so; None: there is
            none of that name here, though the class has one.
    """

    system: type[Any]
    help: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    own_presets: Mapping[str, Preset | None] = field(default_factory=dict)

    @property
    def presets(self) -> dict[str, Preset]:
        """preset name -> preset, all that `ki.create` takes under this name."""
        both = {**self.system.PRESETS, **self.own_presets}
        return {name: preset for name, preset in both.items() if preset is not None}

    @property
    def unconditional(self) -> str:
        """Why `ki.create` takes no `classes` under this name, with its own prior; "" where it does."""
        return unconditional(self.system, *self._densities())

    def _densities(self) -> list[Prior]:
        """The priors that the name, or else its class, has: of the codes, and of those that samples are made of."""
        whole, found = {**arguments_of(self.system), **self.fixed}, []
        for argument, get in (("prior", priors.get), ("sampling_prior", priors.get_sampling)):
            if (given := whole.get(argument)) not in (None, REQUIRED):
                found.append(given if isinstance(given, Prior) else get(given, _latent_dim(given)))
        return found


def _latent_dim(prior: str | Mapping[str, Any]) -> int:
    return _LATENT_DIM if isinstance(prior, str) else prior["config"]["latent_dim"]


def unconditional(system: type[Any], *densities: Prior) -> str:
    """Why a system takes no labels; "" where it does.

    Args:
        system: its class.
        densities: the priors that it has.
    """
    if not any(role.takes_labels for role in system.ROLES):
        return system.UNCONDITIONAL or "none of its networks takes labels"
    for density in densities:
        if density.fits_codes:
            name = type(density).__name__
            return f"its prior, {name}, is one density for the codes of all labels, fitted to them or learned"
    return ""


def refused(system: type[Any]) -> set[str]:
    """The arguments that every model of a system refuses: they need an encoder, or a network that takes labels."""
    encoded = any(role.name == "encoder" for role in system.ROLES)
    labels = any(role.takes_labels for role in system.ROLES)
    return {name for name, taken in (("sampling_prior", encoded), ("classes", labels)) if not taken}


ENTRIES: dict[str, Entry] = {}


def preset_of(system: type[Any], name: str | None) -> Preset | None:
    """The preset that a model of a class keeps by its name; None for None.

    Args:
        system: the class.
        name: that of one of its `PRESETS`, or "NAME:PRESET" for one that the registered NAME alone has.

    Raises:
        ValueError: it has no such preset.
    """
    if name is None:
        return None
    own, _, preset = name.partition(":") if isinstance(name, str) else ("", "", "")
    if preset and own in ENTRIES and ENTRIES[own].system is system:
        return chosen(preset, ENTRIES[own].presets, own)
    return chosen(name, system.PRESETS, system.__name__)


def chosen(name: str, known: Mapping[str, Preset], owner: str) -> Preset:
    """The preset of that name; ValueError, which lists what `owner` has, where there is none."""
    if not known:
        raise ValueError(f"Argument `preset` must be None for {owner}: it has none. Received: {name!r}")
    return known[checks.choice("preset", name, known)]
