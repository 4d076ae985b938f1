"""Layers that change once a step."""

from collections.abc import Iterable

import keras

from keras_ijae.keras_internals import sublayers


class Advancing:
    """A layer with a state that the game moves on once a step, never a forward pass; listed before its Keras layer."""

    def advance(self) -> None:
        """Go on to the next step."""
        raise NotImplementedError(f"{type(self).__name__} must define `advance()`.")


def advance(networks: Iterable[keras.layers.Layer]) -> None:
    """Let all such layers inside some networks go on to the next step, once each."""
    for layer in {id(layer): layer for network in networks for layer in sublayers(network)}.values():
        if isinstance(layer, Advancing):
            layer.advance()
