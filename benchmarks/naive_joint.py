"""Naive steps of the systems that compare pairs of image and code, see `naive.py`."""

import functools
from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game
from players import runner, together
from step import end, judged, noise, persuaded

from keras_ijae.distributions.posteriors import positive_scale


def svae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Three players; encoder and decoder each with the pair that it changes."""
    return _symmetric(game, x, lambda drawn: 0.0)


def svae_r(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """As sVAE, where encoder and decoder each go round both cycles."""
    run = runner(game)

    def cycles(drawn: dict[str, tf.Tensor]) -> tf.Tensor:
        x_again = run("decoder", run("encoder", x, drawn["code"]), drawn["observation_cycle"])
        z_again = run("encoder", run("decoder", drawn["z"], drawn["observation"]), drawn["code_cycle"])
        both = tf.reduce_mean(tf.abs(x - x_again)) + tf.reduce_mean(tf.abs(drawn["z"] - z_again))
        return tf.convert_to_tensor(game.cycle_weight) * both

    return _symmetric(game, x, cycles)


def ali(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Three players who move at once, each with the pairs that it needs."""
    return _at_once(game, x, functools.partial(_code, game), lambda drawn: 0.0)


def bigan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """As ALI, with a deterministic encoder."""
    return _at_once(game, x, lambda image, epsilon: game.encoder(image, training=True), lambda drawn: 0.0)


def alice(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """As ALI, where encoder and decoder each go round both cycles."""
    run, code = runner(game), functools.partial(_code, game)

    def cycles(drawn: dict[str, tf.Tensor]) -> tf.Tensor:
        x_again = run("decoder", code(x, drawn["code"]))
        z_again = code(run("decoder", drawn["z"]), drawn["code_cycle"])
        both = tf.reduce_mean((x - x_again) ** 2) + tf.reduce_mean((drawn["z"] - z_again) ** 2)
        return tf.convert_to_tensor(game.cycle_weight) * both

    return _at_once(game, x, code, cycles)


def _symmetric(game, x, cycles: Callable):
    """First the discriminator, then encoder and decoder, whose losses are linear in its logits."""
    drawn, run = noise(game, "discriminators", x), runner(game)
    z = drawn["z"]

    def of_encoder() -> tf.Tensor:
        return run("joint_discriminator", x, run("encoder", x, drawn["code"]))

    def of_decoder() -> tf.Tensor:
        return run("joint_discriminator", run("decoder", z, drawn["observation"]), z)

    found = together(game, {"joint_discriminator": lambda: judged(of_decoder(), of_encoder())})
    players = {
        "encoder": lambda: cycles(drawn) - tf.reduce_mean(of_encoder()),
        "decoder": lambda: cycles(drawn) + tf.reduce_mean(of_decoder()),
    }
    found |= together(game, players)
    end(game)
    return found


def _at_once(game, x, code: Callable, cycles: Callable):
    """Discriminator, encoder and decoder, all from where they are."""
    drawn, run = noise(game, "all", x), runner(game)
    z = drawn["z"]

    def of_encoder() -> tf.Tensor:
        return run("joint_discriminator", x, code(x, drawn["code"]))

    def of_decoder() -> tf.Tensor:
        return run("joint_discriminator", run("decoder", z), z)

    players = {
        "joint_discriminator": lambda: judged(of_decoder(), of_encoder()),
        "encoder": lambda: persuaded(of_encoder()) + cycles(drawn),
        "decoder": lambda: persuaded(-of_decoder()) + cycles(drawn),
    }
    found = together(game, players)
    end(game)
    return found


def _code(game, x, epsilon):
    """Reparametrised, of a diagonal posterior."""
    mean, raw = tf.split(game.encoder(x, training=True), 2, axis=1)
    return mean + positive_scale(raw) * epsilon
