"""A discriminator sees several batches."""

import keras
import tensorflow as tf

from keras_ijae.models import checks


def logits(network: keras.Model, *batches: list[tf.Tensor]) -> list[tf.Tensor]:
    """The network's logits on each batch in training mode: in one call, which is faster than one for each.

    Networks that normalise by batch statistics see each batch by itself: real and fake must not share statistics.

    Args:
        network: from one tensor, or a list of several, to logits (batch, 1).
        batches: the inputs of each batch, a list of tensors with equal numbers of rows.
    """
    if len(batches) == 1 or any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in checks.sublayers(network)
    ):
        return [_call(network, inputs) for inputs in batches]
    joined = [tf.concat([tf.cast(part, parts[0].dtype) for part in parts], 0) for parts in zip(*batches, strict=True)]
    return tf.split(_call(network, joined), len(batches))


def _call(network, inputs):
    return network(inputs if len(inputs) > 1 else inputs[0], training=True)
