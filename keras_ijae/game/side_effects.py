"""What layers do beside computing that a step of a game would not take: refused while it is traced."""

from typing import Any

import keras

from keras_ijae.keras_internals import adds_a_loss, sublayers

_REMEDY = (
    "A system's losses are its own, so it would have no effect. Use the `weight_decay` of the move's optimizer, or a "
    "system of your own whose `losses` has the term"
)


def check_side_effects(game: Any, scope: keras.StatelessScope) -> None:
    """ValueError where a layer assigned to a weight that is trained, has a regularizer, or added a loss.

    Args:
        game: whose layers they are.
        scope: that the layers were called in; it collects losses.
    """
    for weight in game.trainable_variables:
        if scope.get_current_value(weight) is not None:
            raise ValueError(
                f"The weight {weight.path!r} is assigned by its layer's forward pass, as by "
                "keras.layers.SpectralNormalization, and also trained: what is trained would not be what is sampled. "
                "Use ki.layers.SpectralDense, SpectralConv2D or SpectralConv2DTranspose"
            )
        if weight.regularizer is not None:
            kind = type(weight.regularizer).__name__
            raise ValueError(f"The weight {weight.path!r} has a regularizer, {kind}. {_REMEDY}")
    for layer in sublayers(game):
        if adds_a_loss(layer, scope):
            raise ValueError(
                f"The layer {layer.path or layer.name!r} adds a loss (`add_loss`, a regularizer). {_REMEDY}"
            )
