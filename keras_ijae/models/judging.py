"""A discriminator or critic sees several batches."""

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Played
from keras_ijae.keras_internals import sublayers
from keras_ijae.layers import Dropout

BY_ITSELF = (keras.layers.BatchNormalization, Dropout)


def logits(network: keras.Model, *batches: list[tf.Tensor | None]) -> list[tf.Tensor]:
    """The network's logits on each batch in training mode: in one call, which is faster than one for each.

    Some networks see each batch by itself: those that normalise by batch statistics, which real and fake must not
    share; and those with dropout, whose masks go by row, so that real and fake are thinned alike.

    Args:
        network: from one tensor, or a list of several, to logits (batch, 1).
        batches: the inputs of each batch, a list of tensors with equal numbers of rows; None, such as the labels of a
            model without `classes`, stands for an input that the network does not have.
    """
    batches = tuple([part for part in parts if part is not None] for parts in batches)
    if len(batches) == 1 or any(isinstance(layer, BY_ITSELF) for layer in sublayers(network)):
        return [_call(network, inputs) for inputs in batches]
    joined = [tf.concat([tf.cast(part, parts[0].dtype) for part in parts], 0) for parts in zip(*batches, strict=True)]
    return tf.split(_call(network, joined), len(batches))


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


def _call(network, inputs):
    return network(inputs if len(inputs) > 1 else inputs[0], training=True)
