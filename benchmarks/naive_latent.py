"""Naive steps of the auto-encoders with several players, see `naive.py`."""

import functools

import tensorflow as tf
from fused_codes import COST
from fused_latent import between, cross_entropy, polynomial, variance
from keras_ijae.models.game import Game
from naive_wasserstein import criticised
from players import runner, together
from step import end, judged, noise, persuaded, squared_error


def aae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Three moves, each with an encoder's pass."""
    z, run = noise(game, "code_discriminator", x)["z"], runner(game)

    def of_codes() -> tf.Tensor:
        return run("code_discriminator", run("encoder", x))

    found = together(game, {"auto_encoder": lambda: squared_error(x, run("decoder", run("encoder", x)))})
    found |= together(game, {"code_discriminator": lambda: judged(run("code_discriminator", z), of_codes())})
    found |= together(game, {"encoder": lambda: persuaded(of_codes())})
    end(game)
    return found


def wae_gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Two moves; the second encodes once for its two terms."""
    z, run = noise(game, "code_discriminator", x)["z"], runner(game)

    def auto_encoder() -> tf.Tensor:
        code = run("encoder", x)
        penalty = tf.convert_to_tensor(game.penalty_weight) * persuaded(run("code_discriminator", code))
        return COST * squared_error(x, run("decoder", code)) + penalty

    def of_codes() -> tf.Tensor:
        return judged(run("code_discriminator", z), run("code_discriminator", run("encoder", x)))

    found = together(game, {"code_discriminator": of_codes}) | together(game, {"auto_encoder": auto_encoder})
    end(game)
    return found


def mask_aae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Every move with an encoder's pass, the critic's five, too."""
    run = runner(game)

    def masked() -> tf.Tensor:
        return run("mask", run("encoder", x))

    def auto_encoder() -> tf.Tensor:
        z = run("encoder", x)
        weight, alpha = tf.convert_to_tensor(game.variance_weight), game.mask.alpha()
        return cross_entropy(x, run("decoder", run("mask", z))) + weight * variance(z, alpha)

    def code_critic(drawn: dict[str, tf.Tensor]) -> tf.Tensor:
        return criticised(game, "code_critic", run("mask", drawn["n"]), masked(), drawn["mix"])

    def mask(n: tf.Tensor) -> tf.Tensor:
        z, weight = masked(), tf.convert_to_tensor(game.mask_reconstruction_weight)
        apart = tf.reduce_mean(run("code_critic", z)) - tf.reduce_mean(run("code_critic", run("mask", n)))
        rec = cross_entropy(x, run("decoder", z))
        return weight * rec + (1 - apart) ** 2 + polynomial(game, game.mask.alpha())

    found = together(game, {"auto_encoder": auto_encoder})
    for repeat in range(game.critic_steps):
        drawn = noise(game, "code_critic", x, repeat)
        found |= together(game, {"code_critic": functools.partial(code_critic, drawn)})
    found |= together(game, {"encoder": lambda: -tf.reduce_mean(run("code_critic", masked()))})
    found |= together(game, {"mask": functools.partial(mask, noise(game, "mask", x)["n"])})
    end(game)
    return found


def flex_ae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Every move of encoder or critic with an encoder's pass."""
    return _flex(game, x, smooth=False)


def flex_ae_sr(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The same, and a pass of encoder and decoder for every move on images decoded from between two codes."""
    return _flex(game, x, smooth=True)


def _flex(game, x, smooth):
    run, drawn = runner(game), {}

    def image() -> tf.Tensor:
        return run("decoder", between(run("encoder", x), drawn["between"]))

    def code_critic() -> tf.Tensor:
        return criticised(game, "code_critic", run("encoder", x), run("prior_generator", drawn["n"]), drawn["mix"])

    critics = {"code_critic": code_critic}
    players = {
        "prior_generator": lambda: -tf.reduce_mean(run("code_critic", run("prior_generator", drawn["n"]))),
        "encoder": lambda: tf.reduce_mean(run("code_critic", run("encoder", x))),
    }
    if smooth:
        critics["critic"] = lambda: criticised(game, "critic", x, image(), drawn["image_mix"])
        players["smooth"] = lambda: -tf.reduce_mean(run("critic", image()))
    found = together(game, {"auto_encoder": lambda: squared_error(x, run("decoder", run("encoder", x)))})
    for repeat in range(game.critic_steps):
        drawn.update(noise(game, "critics", x, repeat))
        found |= together(game, critics)
    found |= together(game, players)
    end(game)
    return found
