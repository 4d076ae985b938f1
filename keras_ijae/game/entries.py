"""What a name stands for: a system, what the name fixes, and the presets that it has; and the table of all names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_ijae import checks
from keras_ijae.game.presets import Preset


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
