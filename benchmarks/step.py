"""What the loops written by hand do besides forward and backward passes: noise, moves, penalties, the end of a step."""

import tensorflow as tf

from keras_ijae import random
from keras_ijae.game import Game
from keras_ijae.layers.spectral import spectral_layers


def noise(game: Game, phase: str, batch: tf.Tensor, repeat: int = 0) -> dict[str, tf.Tensor]:
    """The game's numbers for one pass of this step, by name; what a step leaves unused is never computed."""
    key = random.fold(game.seed, "train", tf.convert_to_tensor(game.steps), phase, repeat)
    code = game.code_noise_dim if game.has_encoder else 0
    normals = {"z": game.latent_dim, "n": game.latent_dim, "code": code}
    uniforms = {"real": [2], "rec": [2], "between": [1], "mix": [], "image_mix": []}
    rows = tf.shape(batch)[0]
    drawn = {name: random.normal([rows, units], random.fold(key, name)) for name, units in normals.items()}
    drawn |= {name: random.uniform([rows, *shape], random.fold(key, name)) for name, shape in uniforms.items()}
    return {name: tf.cast(numbers, batch.dtype) for name, numbers in drawn.items()}


def joined(network, *batches: list[tf.Tensor]) -> list[tf.Tensor]:
    """The outputs of a network for several batches, each a list of its inputs, in one call on all rows.

    These are the numbers of one call for each where no statistic crosses the batch.
    """
    whole = [tf.concat(parts, 0) for parts in zip(*batches, strict=True)]
    return tf.split(network(whole if len(whole) > 1 else whole[0], training=True), len(batches))


def judge_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """A discriminator's loss: cross-entropy on logits."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def player_loss(fake: tf.Tensor) -> tf.Tensor:
    """The loss of a player, non-saturating."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def criticise(game: Game, role: str, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """A move of the critic in that role, under a penalty for slopes other than 1, and its loss."""
    f = getattr(game, role)
    share = tf.reshape(mix, [-1] + [1] * (real.shape.rank - 1))
    point = share * real + (1 - share) * fake
    with tf.GradientTape() as tape:
        of_real, of_fake = joined(f, [real], [fake])
        with tf.GradientTape() as inner:
            inner.watch(point)
            value = f(point, training=True)
        square = tf.reduce_sum(inner.gradient(value, point) ** 2, list(range(1, point.shape.rank)))
        penalty = tf.reduce_mean((tf.sqrt(tf.maximum(square, 1e-12)) - 1) ** 2)
        loss = tf.reduce_mean(of_fake) - tf.reduce_mean(of_real) + tf.convert_to_tensor(game.gradient_penalty) * penalty
    apply(game, role, tape.gradient(loss, f.trainable_variables), f)
    return loss


def apply(game: Game, name: str, gradients: list[tf.Tensor], *networks) -> None:
    """Move the networks by the move's own optimizer."""
    game.optimizer.by_move[name].apply(gradients, [w for network in networks for w in network.trainable_variables])


def end(game: Game) -> None:
    """Count the step, advance the spectral norms, update the running averages."""
    game.steps.assign_add(1)
    for network in game.networks.values():
        for layer in spectral_layers(network):
            layer.advance()
    if game.ema is None:
        return
    step = tf.cast(game.steps, tf.float32)
    rate = 1 - tf.minimum(game.ema, (1 + step) / (10 + step))
    for weight, average in game.averages:
        average.assign_sub(tf.cast(rate, weight.dtype) * (average - weight))
