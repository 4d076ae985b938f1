"""Fused steps of the Wasserstein GANs, and the move of a critic with a gradient penalty; see `fused.py`."""

from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game
from step import apply, end, noise, separately, sloped

SLOW_STEPS, SLOW_FIRST, SLOW_EVERY = 100, 25, 500


def wgan(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Arjovsky, Chintala & Bottou 2017, algorithm 1, with the slow start of its code."""
    f, f_loss = game.critic, None
    for fake in _samples(game, x, call):
        with tf.GradientTape() as tape:
            of_x, of_fake = call(f, [x], [fake])
            f_loss = tf.reduce_mean(of_fake) - tf.reduce_mean(of_x)
        move_clipped(game, tape.gradient(f_loss, f.trainable_variables))
    g_loss = in_turn(game, lambda: _play(game, x))
    end(game)
    return {"critic_loss": f_loss, "decoder_loss": g_loss}


def wgan_gp(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Gulrajani et al. 2017, algorithm 1, on one batch of data."""
    f_loss = None
    for repeat, fake in enumerate(_samples(game, x, call)):
        f_loss = criticise(game, "critic", x, fake, noise(game, "critic", x, repeat)["mix"], call)
    g_loss = _play(game, x)
    end(game)
    return {"critic_loss": f_loss, "decoder_loss": g_loss}


def criticise(game: Game, role: str, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor, call: Callable) -> tf.Tensor:
    """A move of the critic in that role, under a gradient penalty, and its loss."""
    f = getattr(game, role)
    with tf.GradientTape() as tape:
        of_real, of_fake = call(f, [real], [fake])
        penalty = tf.convert_to_tensor(game.gradient_penalty) * sloped(f, real, fake, mix)
        loss = tf.reduce_mean(of_fake) - tf.reduce_mean(of_real) + penalty
    apply(game, role, tape.gradient(loss, f.trainable_variables), f)
    return loss


def move_clipped(game: Game, gradients: list[tf.Tensor]) -> None:
    """A move of WGAN's critic, its weights clipped here and not by the constraints that `fit` relies on."""
    for weight in game.critic.trainable_variables:
        weight.constraint = None
    apply(game, "critic", gradients, game.critic)
    for weight in game.critic.trainable_variables:
        weight.assign(tf.clip_by_value(weight, -game.clip, game.clip))


def in_turn(game: Game, move: Callable) -> tf.Tensor:
    """The decoder's move, and its loss; in a slow start only when the critic has made 100 steps for it, else 0.

    The first 25 moves are slow, and every 500th.
    """
    if not game.slow_start:
        return move()
    count, wait = game._happened["decoder"], -(-SLOW_STEPS // game.critic_steps) - 1
    moves = tf.convert_to_tensor(count)
    slow = tf.minimum(moves + 1, SLOW_FIRST) + moves // SLOW_EVERY
    turn = tf.convert_to_tensor(game.steps) >= moves + wait * slow
    count.assign_add(tf.cast(turn, count.dtype))
    return tf.cond(turn, move, lambda: tf.zeros([], game.variable_dtype))


def _samples(game, x, call):
    """One for each of the critic's steps: the decoder does not move in between."""
    codes = [noise(game, "critic", x, repeat)["z"] for repeat in range(game.critic_steps)]
    return call(game.decoder, *[[z] for z in codes])


def _play(game, x):
    """The decoder's move, on codes of its own, and its loss."""
    f, g, z = game.critic, game.decoder, noise(game, "decoder", x)["z"]
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(f(g(z, training=True), training=True))
    apply(game, "decoder", tape.gradient(loss, g.trainable_variables), g)
    return loss
