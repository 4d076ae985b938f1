"""A discriminator or critic sees several batches; and what is inside one."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Played, networks
from keras_ijae.keras_internals import outputs_inside, sublayers
from keras_ijae.layers import Dropout

BY_ITSELF = (keras.layers.BatchNormalization, Dropout)


def logits(network: keras.Model, *batches: list[tf.Tensor | None]) -> list[Any]:
    """The network's logits on each batch in training mode: in one call, which is faster than one for each.

    Of a network with several outputs, all of them on each batch.

    Some networks see each batch by itself: those that normalise by batch statistics, which real and fake must not
    share; and those with dropout, whose masks go by row, so that real and fake are thinned alike.

    Args:
        network: from one tensor, or a list of several, to logits (batch, 1).
        batches: the inputs of each batch, a list of tensors with equal numbers of rows; None, such as the labels of a
            model without `classes`, stands for an input that the network does not have.
    """
    batches = tuple([part for part in parts if part is not None] for parts in batches)
    if len(batches) == 1 or any(isinstance(layer, BY_ITSELF) for layer in sublayers(network)):
        return [networks.call(network, inputs, training=True) for inputs in batches]
    joined = [tf.concat([tf.cast(part, parts[0].dtype) for part in parts], 0) for parts in zip(*batches, strict=True)]
    found = networks.call(network, joined, training=True)
    split = [tf.split(output, len(batches)) for output in tf.nest.flatten(found)]
    return [tf.nest.pack_sequence_as(found, parts) for parts in zip(*split, strict=True)]


def criticise(
    played: Played,
    name: str,
    network: keras.Model,
    real: tf.Tensor,
    fake: tf.Tensor,
    mix: tf.Tensor,
    weight: float | keras.Variable,
    labels: tf.Tensor | None = None,
) -> None:
    """Into `played` under `name`: loss of a critic, its gradient penalty between real and fake, and what is logged.

    Args:
        played: what `losses` is to return.
        name: of the critic's move.
        network: from one tensor, and labels where there are any, to values (batch, 1).
        real, fake: batches of one shape that no gradient leaves, high and low.
        mix: (batch,) uniform numbers in (0, 1).
        weight: of the penalty.
        labels: of real and fake alike.
    """
    of_real, of_fake = logits(network, [real, labels], [fake, labels])
    penalty = losses.wasserstein_gradient_penalty(lambda x: logits(network, [x, labels])[0], real, fake, mix)
    played.losses[name] = losses.critic_loss(of_real, of_fake)
    played.penalties[name] = tf.cast(tf.convert_to_tensor(weight), penalty.dtype) * penalty
    played.logs.update(losses.critic_logs(name, of_real, of_fake) | {f"{name}_penalty": penalty})


class Features:
    """What a discriminator computes at one of its layers, by networks that share its weights.

    Args:
        network: a functional or sequential model that gives logits.
        layer: of the network, by name or index; None: its last feature map, (batch, height, width, channels), or in a
            network of dense layers what its last layer sees.

    Attributes:
        alone: from the network's inputs to the features.
        with_logits: from the same to [features, logits].

    Raises:
        ValueError: a model of another kind, or a layer that it does not have or that does not look at observations.
    """

    def __init__(self, network: keras.Model, layer: str | int | None):
        if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
            raise ValueError(
                "Network `discriminator` must be a functional or sequential model, of whose layers features can be "
                f"taken. Received: {type(network).__name__}"
            )
        features = _output(network, layer)
        inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
        self.alone = keras.Model(inputs, features)
        self.with_logits = keras.Model(inputs, [features, network.outputs[0]])


def _output(network, layer):
    """The output of a layer, which depends on the network's first input; of a network in a wrapper, of its layer."""
    inside = outputs_inside(network)
    for found, given, output in inside.values():
        if output is network.outputs[0] and getattr(found, "inputs", None):
            return keras.Model(found.inputs, _output(found, layer))(list(given))
    usable = {
        name: output
        for name, (found, _, output) in inside.items()
        if not isinstance(found, keras.layers.InputLayer) and _sees_first(network, output)
    }
    if layer is None:
        hidden = [output for output in usable.values() if math.prod(size or 2 for size in output.shape[1:]) > 1]
        if not hidden:
            raise ValueError(
                "Network `discriminator` must have a layer before its logit, in whose features images are compared. "
                f"Received: {', '.join(usable)}"
            )
        maps = [output for output in hidden if len(output.shape) == 4]
        return (maps or hidden)[-1]
    names = [found.name for found in network.layers]
    index = isinstance(layer, int) and not isinstance(layer, bool) and -len(names) <= layer < len(names)
    name = names[layer] if index else layer
    if isinstance(name, str) and name in usable:
        return usable[name]
    known = ", ".join(f"{at}: {name!r}" for at, name in enumerate(names) if name in usable)
    raise ValueError(
        "Argument `feature_layer` must be None, or the name or index of a layer of the discriminator that looks at "
        f"observations: {known}. Received: feature_layer={layer!r}"
    )


def _sees_first(network, output):
    """Whether it takes more than the network's other inputs to compute it."""
    if len(network.inputs) == 1:
        return True
    try:
        keras.Model(network.inputs[1:], output)
    except ValueError:
        return True
    return False
