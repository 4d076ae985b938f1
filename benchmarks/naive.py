"""Steps in which each player runs its own forward passes, as they are first written: a tape and a loss per player.

Players that move together are computed before either moves, so the mathematics, and the weights, are those of the
game. The noise of a step is drawn once, in favour of these loops. VAE, AE and WAE-MMD have one player, and no naive
loop. The steps of families with much in common are in `naive_*.py`.
"""

import tensorflow as tf
from keras_ijae.models.game import Game
from naive_joint import ali, alice, bigan, svae, svae_r
from naive_latent import aae, flex_ae, flex_ae_sr, mask_aae, wae_gan
from naive_wasserstein import wgan, wgan_gp
from players import runner, together
from step import end, judged, noise, persuaded


def gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The decoder runs twice."""
    z, run = noise(game, "discriminator", x)["z"], runner(game)

    def of_fake() -> tf.Tensor:
        return run("discriminator", run("decoder", z))

    found = together(game, {"discriminator": lambda: judged(run("discriminator", x), of_fake())})
    found |= together(game, {"decoder": lambda: persuaded(of_fake())})
    end(game)
    return found


def alpha_gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Four players, each with the encoder and the decoder that it needs."""
    z, run = noise(game, "discriminators", x)["z"], runner(game)

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

    found = together(game, {"discriminator": of_images, "code_discriminator": of_codes})
    found |= together(game, {"encoder": encoder, "decoder": decoder})
    end(game)
    return found


def ijae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Five players, each with the encoder and the decoder that it needs."""
    drawn = noise(game, "discriminators", x)
    z, lam, run = drawn["z"], tf.convert_to_tensor(game.lam), runner(game)

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
    found = together(game, judges) | together(game, {"encoder": encoder, "decoder": decoder})
    end(game)
    return found


STEPS = {
    **{"gan": gan, "wgan": wgan, "wgan_gp": wgan_gp, "alpha_gan": alpha_gan, "ijae": ijae},
    **{"svae": svae, "svae_r": svae_r, "ali": ali, "bigan": bigan, "alice": alice},
    **{"aae": aae, "wae_gan": wae_gan, "mask_aae": mask_aae, "flex_ae": flex_ae, "flex_ae_sr": flex_ae_sr},
}
