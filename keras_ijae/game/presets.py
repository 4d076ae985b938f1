"""A paper's own way of building and training its system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from keras_ijae.networks import Networks


@dataclass(frozen=True)
class Preset:
    """What `ki.create(..., preset=NAME)` takes in the place of the defaults; what the caller gives goes before it.

    Args:
        optimizers: model -> {move: optimizer}, those of the paper; a model keeps them when it is saved and loaded.
        networks: of the default networks.
        arguments: arguments of the system, or a function that gives them, of those that the caller and the system's
            name give (`data_shape` and `latent_dim` among them); no running average unless they say so.
    """

    optimizers: Callable[[Any], dict[str, keras.optimizers.Optimizer]]
    networks: Networks = field(default_factory=Networks)
    arguments: Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(default_factory=dict)

    def all_arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of the system, the running average's included.

        Args:
            given: the arguments that go before them, `data_shape` and `latent_dim` among them.
        """
        return {"ema": None, **(self.arguments(given) if callable(self.arguments) else self.arguments)}
