"""A paper's own way of building and training its system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from keras_ijae import checks
from keras_ijae.networks import Networks


@dataclass(frozen=True)
class Preset:
    """What `ki.create(..., preset=NAME)` takes in the place of the defaults; what the caller gives goes before it.

    Args:
        optimizers: model -> {move: optimizer}, those of the paper; a model keeps them when it is saved and loaded.
        networks: of the default networks.
        arguments: arguments of the system, or a function of `latent_dim` that gives them; no running average unless
            they say so.
    """

    optimizers: Callable[[Any], dict[str, keras.optimizers.Optimizer]]
    networks: Networks = field(default_factory=Networks)
    arguments: Mapping[str, Any] | Callable[[int], Mapping[str, Any]] = field(default_factory=dict)

    def all_arguments(self, latent_dim: int) -> dict[str, Any]:
        """Arguments of the system, the running average's included."""
        return {"ema": None, **(self.arguments(latent_dim) if callable(self.arguments) else self.arguments)}


def of(system: type, name: str | None) -> Preset | None:
    """A system's preset of that name; None for None.

    Raises:
        ValueError: it has no such preset.
    """
    if name is None:
        return None
    if not system.PRESETS:
        raise ValueError(f"Argument `preset` must be None for {system.__name__}: it has none. Received: {name!r}")
    return system.PRESETS[checks.choice("preset", name, system.PRESETS)]
