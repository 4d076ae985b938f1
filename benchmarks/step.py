"""What both hand-written loops do besides forward and backward passes: noise, moves, the end of a step."""

from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game

from keras_ijae import random
from keras_ijae.layers.spectral import spectral_layers


def compiled(step: Callable, game: Game) -> Callable:
    """`step(game, batch)` as the function of a batch that a plain loop calls, compiled as `fit` compiles."""
    return tf.function(lambda batch: step(game, batch), jit_compile=game.jit_compile)


def noise(game: Game, phase: str, batch: tf.Tensor, repeat: int = 0) -> dict[str, tf.Tensor]:
    """The game's numbers for one pass of this step, by name; what a step leaves unused is never computed."""
    key = random.fold(game.seed, "train", tf.convert_to_tensor(game.steps), phase, repeat)
    code, observation = game.code_noise_dim if game.has_encoder else 0, game.decoder_noise_dim
    normals = {"z": game.latent_dim, "n": game.latent_dim}
    normals |= {"code": code, "code_cycle": code, "observation": observation, "observation_cycle": observation}
    uniforms = {"real": [2], "rec": [2], "between": [1], "mix": [], "image_mix": []}
    rows = tf.shape(batch)[0]
    drawn = {name: random.normal([rows, units], random.fold(key, name)) for name, units in normals.items()}
    drawn |= {name: random.uniform([rows, *shape], random.fold(key, name)) for name, shape in uniforms.items()}
    return {name: tf.cast(numbers, batch.dtype) for name, numbers in drawn.items()}


def separately(network, *batches: list[tf.Tensor]) -> list[tf.Tensor]:
    """The outputs of a network for several batches, each a list of its inputs: one call each."""
    return [network(batch if len(batch) > 1 else batch[0], training=True) for batch in batches]


def joined(network, *batches: list[tf.Tensor]) -> list[tf.Tensor]:
    """As `separately`, in one call on all rows: the same numbers where no statistic crosses the batch."""
    whole = [tf.concat(parts, 0) for parts in zip(*batches, strict=True)]
    return tf.split(network(whole if len(whole) > 1 else whole[0], training=True), len(batches))


def judged(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """A discriminator's loss: cross-entropy on logits."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def persuaded(fake: tf.Tensor) -> tf.Tensor:
    """The loss of who is judged, non-saturating."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def squared_error(x: tf.Tensor, rec: tf.Tensor) -> tf.Tensor:
    """Summed over dimensions, a mean over the batch."""
    return tf.reduce_mean(tf.reduce_sum((x - rec) ** 2, list(range(1, x.shape.rank))))


def sloped(critic, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """A critic's penalty for slopes other than 1 between real and fake: Gulrajani et al. 2017, eq. 3."""
    share = tf.reshape(mix, [-1] + [1] * (real.shape.rank - 1))
    point = share * real + (1 - share) * fake
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = critic(point, training=True)
    square = tf.reduce_sum(tape.gradient(value, point) ** 2, list(range(1, point.shape.rank)))
    return tf.reduce_mean((tf.sqrt(tf.maximum(square, 1e-12)) - 1) ** 2)


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
