"""Naive steps of the Wasserstein GANs, and the loss of a critic with a gradient penalty; see `naive.py`."""

import functools

import tensorflow as tf
from fused_wasserstein import in_turn, move_clipped
from keras_ijae.models.game import Game
from players import runner, together
from step import end, noise, sloped


def wgan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The critic's tape holds the decoder's pass, too."""
    f, run, f_loss = game.critic, runner(game), None
    for repeat in range(game.critic_steps):
        with tf.GradientTape() as tape:
            fake = run("decoder", noise(game, "critic", x, repeat)["z"])
            f_loss = tf.reduce_mean(run("critic", fake)) - tf.reduce_mean(run("critic", x))
        move_clipped(game, tape.gradient(f_loss, f.trainable_variables))
    decoder = functools.partial(_decoder, game, x)
    g_loss = in_turn(game, lambda: together(game, {"decoder": decoder})["decoder_loss"])
    end(game)
    return {"critic_loss": f_loss, "decoder_loss": g_loss}


def wgan_gp(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The critic's tape holds the decoder's pass, too."""
    run, found = runner(game), {}

    def critic(drawn: dict[str, tf.Tensor]) -> tf.Tensor:
        return criticised(game, "critic", x, run("decoder", drawn["z"]), drawn["mix"])

    for repeat in range(game.critic_steps):
        drawn = noise(game, "critic", x, repeat)
        found = together(game, {"critic": functools.partial(critic, drawn)})
    found |= together(game, {"decoder": functools.partial(_decoder, game, x)})
    end(game)
    return found


def criticised(game: Game, role: str, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """The loss of the critic in that role, under a gradient penalty."""
    f = getattr(game, role)
    penalty = tf.convert_to_tensor(game.gradient_penalty) * sloped(f, real, fake, mix)
    return tf.reduce_mean(f(fake, training=True)) - tf.reduce_mean(f(real, training=True)) + penalty


def _decoder(game, x):
    run = runner(game)
    return -tf.reduce_mean(run("critic", run("decoder", noise(game, "decoder", x)["z"])))
