"""Steps in which each player runs its own forward passes, as they are first written: a tape and a loss per player.

Players that move together are computed before either moves, so the mathematics, and the weights, are those of the
game. The noise of a step is drawn once, in favour of these loops. A VAE has one player, and no naive loop.
"""

from collections.abc import Callable

import tensorflow as tf
from step import apply, end, judged, noise, persuaded

from keras_ijae.models.game import Game


def _gradients(network, loss: Callable) -> tuple[tf.Tensor, list]:
    with tf.GradientTape() as tape:
        value = loss()
    return value, tape.gradient(value, network.trainable_variables)


def _together(game: Game, players: dict[str, Callable]) -> dict[str, tf.Tensor]:
    """Every player's own passes, then all moves."""
    found = {name: _gradients(getattr(game, name), loss) for name, loss in players.items()}
    for name, (_, gradients) in found.items():
        apply(game, name, gradients, getattr(game, name))
    return {f"{name}_loss": loss for name, (loss, _) in found.items()}


def gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The decoder runs twice."""
    z = noise(game, "discriminator", x)["z"]

    def logits(image: tf.Tensor) -> tf.Tensor:
        return game.discriminator(image, training=True)

    def fake() -> tf.Tensor:
        return game.decoder(z, training=True)

    found = _together(game, {"discriminator": lambda: judged(logits(x), logits(fake()))})
    found |= _together(game, {"decoder": lambda: persuaded(logits(fake()))})
    end(game)
    return found


def alpha_gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Four players, each with the encoder and the decoder that it needs."""
    z = noise(game, "discriminators", x)["z"]

    def run(network: str, inputs: tf.Tensor) -> tf.Tensor:
        return getattr(game, network)(inputs, training=True)

    def of_images() -> tf.Tensor:
        rec, fake = run("decoder", run("encoder", x)), run("decoder", z)
        judged_fakes = tf.concat([run("discriminator", rec), run("discriminator", fake)], 0)
        return judged(run("discriminator", x), judged_fakes)

    def of_codes() -> tf.Tensor:
        return judged(run("code_discriminator", z), run("code_discriminator", run("encoder", x)))

    def l1(rec: tf.Tensor) -> tf.Tensor:
        return tf.convert_to_tensor(game.l1_mean_weight) * tf.reduce_mean(tf.abs(x - rec))

    def encoder() -> tf.Tensor:
        code = run("encoder", x)
        return l1(run("decoder", code)) + persuaded(run("code_discriminator", code))

    def decoder() -> tf.Tensor:
        rec, fake = run("decoder", run("encoder", x)), run("decoder", z)
        return l1(rec) + persuaded(run("discriminator", rec)) + persuaded(run("discriminator", fake))

    found = _together(game, {"discriminator": of_images, "code_discriminator": of_codes})
    found |= _together(game, {"encoder": encoder, "decoder": decoder})
    end(game)
    return found


def ijae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Five players, each with the encoder and the decoder that it needs."""
    drawn = noise(game, "discriminators", x)
    z, lam = drawn["z"], tf.convert_to_tensor(game.lam)

    def run(network: str, *inputs: tf.Tensor) -> tf.Tensor:
        return getattr(game, network)(inputs[0] if len(inputs) == 1 else list(inputs), training=True)

    def code() -> tf.Tensor:
        return run("encoder", x, drawn["code"])

    def psi() -> tf.Tensor:
        return judged(run("discriminator", x), run("discriminator", run("decoder", z)))

    def tau() -> tf.Tensor:
        c = code()
        y_1 = game.likelihood.draw(x, drawn["real"])
        y_0 = game.likelihood.draw(run("decoder", c), drawn["rec"])
        return judged(run("likelihood_discriminator", x, c, y_1), run("likelihood_discriminator", x, c, y_0))

    def zeta() -> tf.Tensor:
        return judged(run("posterior_discriminator", x, z), run("posterior_discriminator", x, code()))

    def encoder() -> tf.Tensor:
        c = code()
        same = tf.reduce_mean(run("likelihood_discriminator", x, c, run("decoder", c)))
        return -lam * (same + tf.reduce_mean(run("posterior_discriminator", x, c)))

    def decoder() -> tf.Tensor:
        c = code()
        same = tf.reduce_mean(run("likelihood_discriminator", x, c, run("decoder", c)))
        return -(1 - lam) * tf.reduce_mean(run("discriminator", run("decoder", z))) - lam * same

    judges = {"discriminator": psi, "likelihood_discriminator": tau, "posterior_discriminator": zeta}
    found = _together(game, judges) | _together(game, {"encoder": encoder, "decoder": decoder})
    end(game)
    return found


def svae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Three players; encoder and decoder each with the pair that it changes."""
    drawn = noise(game, "discriminators", x)
    z = drawn["z"]

    def f(image: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
        return game.joint_discriminator([image, code], training=True)

    def of_encoder() -> tf.Tensor:
        return f(x, game.encoder([x, drawn["code"]], training=True))

    def of_decoder() -> tf.Tensor:
        return f(game.decoder([z, drawn["observation"]], training=True), z)

    found = _together(game, {"joint_discriminator": lambda: judged(of_decoder(), of_encoder())})
    players = {"encoder": lambda: -tf.reduce_mean(of_encoder()), "decoder": lambda: tf.reduce_mean(of_decoder())}
    found |= _together(game, players)
    end(game)
    return found


STEPS = {"gan": gan, "alpha_gan": alpha_gan, "ijae": ijae, "svae": svae}
