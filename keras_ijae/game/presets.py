"""A paper's own way of building and training its system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras


@dataclass(frozen=True)
class Preset:
    """What `ki.create(..., preset=NAME)` takes in the place of the defaults; what the caller gives goes before it.

    Args:
        optimizers: model -> {move: optimizer}, those of the paper; a model keeps them when it is saved and loaded.
        networks: arguments of `create` for the default networks: `networks`, `width`, `norm`, `spectral`.
        arguments: arguments of the system; no running average unless it says so.
    """

    optimizers: Callable[[Any], dict[str, keras.optimizers.Optimizer]]
    networks: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def all_arguments(self) -> dict[str, Any]:
        """Arguments of the system, the running average's included."""
        return {"ema": None, **self.arguments}
