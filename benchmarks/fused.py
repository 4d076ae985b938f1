"""Steps as an expert writes them by hand: one forward pass of encoder and decoder, shared by all players.

Every step is a function of a game and a batch, and of how a network is called on several batches: `separately` or
`joined`. The game holds networks, optimizers, weights of terms and counters, no more: its `train_step` and its losses
are not used. The steps of families with much in common are in `fused_*.py`.
"""

from collections.abc import Callable

import tensorflow as tf
from fused_codes import aae, ae, wae_gan, wae_mmd
from fused_joint import ali, alice, bigan, svae, svae_r
from fused_latent import flex_ae, flex_ae_sr, mask_aae
from fused_wasserstein import wgan, wgan_gp
from keras_ijae.models.game import Game
from step import apply, end, judged, noise, persuaded, separately

from keras_ijae.distributions.posteriors import positive_scale


def gan(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Goodfellow et al. 2014, non-saturating."""
    z = noise(game, "discriminator", x)["z"]
    g, d = game.decoder, game.discriminator
    with tf.GradientTape() as players:
        fake = g(z, training=True)
    with tf.GradientTape() as judges:
        d_loss = judged(*call(d, [x], [tf.stop_gradient(fake)]))
    apply(game, "discriminator", judges.gradient(d_loss, d.trainable_variables), d)
    with players:
        g_loss = persuaded(d(fake, training=True))
    apply(game, "decoder", players.gradient(g_loss, g.trainable_variables), g)
    end(game)
    return {"discriminator_loss": d_loss, "decoder_loss": g_loss}


def vae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Kingma & Welling 2014: Bernoulli likelihood, diagonal posterior, the KL written out."""
    epsilon = noise(game, "auto_encoder", x)["code"]
    e, g = game.encoder, game.decoder
    with tf.GradientTape() as tape:
        mean, raw = tf.split(e(x, training=True), 2, axis=1)
        scale = positive_scale(raw)
        logits = g(mean + scale * epsilon, training=True)
        cross_entropy = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), (1, 2, 3))
        kl = tf.reduce_sum((mean**2 + scale**2 - 1) / 2 - tf.math.log(scale), 1)
        loss = tf.reduce_mean(cross_entropy + kl)
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    end(game)
    return {"auto_encoder_loss": loss}


def alpha_gan(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Rosca et al. 2017, algorithm 1, all players on one pass."""
    z = noise(game, "discriminators", x)["z"]
    e, g, d, c = game.encoder, game.decoder, game.discriminator, game.code_discriminator
    with tf.GradientTape(persistent=True) as players:
        code = e(x, training=True)
        rec, fake = call(g, [code], [z])
    with tf.GradientTape() as judges:
        real, *fakes = call(d, [x], [tf.stop_gradient(rec)], [tf.stop_gradient(fake)])
        d_loss = judged(real, tf.concat(fakes, 0))
        c_loss = judged(*call(c, [z], [tf.stop_gradient(code)]))
        both = d_loss + c_loss
    of_d, of_c = judges.gradient(both, [d.trainable_variables, c.trainable_variables])
    apply(game, "discriminator", of_d, d)
    apply(game, "code_discriminator", of_c, c)
    with players:
        l1 = tf.convert_to_tensor(game.l1_mean_weight) * tf.reduce_mean(tf.abs(x - rec))
        e_loss = l1 + persuaded(c(code, training=True))
        rec_logits, fake_logits = call(d, [rec], [fake])
        g_loss = l1 + persuaded(rec_logits) + persuaded(fake_logits)
    of_e = players.gradient(e_loss, e.trainable_variables)
    apply(game, "decoder", players.gradient(g_loss, g.trainable_variables), g)
    apply(game, "encoder", of_e, e)
    end(game)
    return {
        "discriminator_loss": d_loss,
        "code_discriminator_loss": c_loss,
        "encoder_loss": e_loss,
        "decoder_loss": g_loss,
    }


def ijae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Alanov et al. 2019: three discriminators in one backward pass, both players in another."""
    drawn = noise(game, "discriminators", x)
    z, lam = drawn["z"], tf.convert_to_tensor(game.lam)
    names = ("discriminator", "likelihood_discriminator", "posterior_discriminator")
    e, g, psi, tau, zeta = (getattr(game, name) for name in ("encoder", "decoder", *names))
    with tf.GradientTape() as players:
        code = e([x, drawn["code"]], training=True)
        rec, fake = call(g, [code], [z])
    c, r, f = (tf.stop_gradient(tensor) for tensor in (code, rec, fake))
    y_1, y_0 = game.likelihood.draw(x, drawn["real"]), game.likelihood.draw(r, drawn["rec"])
    with tf.GradientTape() as judges:
        psi_loss, tau_loss = judged(*call(psi, [x], [f])), judged(*call(tau, [x, c, y_1], [x, c, y_0]))
        judges_loss = psi_loss + tau_loss + judged(*call(zeta, [x, z], [x, c]))
    gradients = judges.gradient(judges_loss, [network.trainable_variables for network in (psi, tau, zeta)])
    for name, gradient in zip(names, gradients, strict=True):
        apply(game, name, gradient, getattr(game, name))
    with players:
        real_enough = tf.reduce_mean(psi(fake, training=True))
        same = tf.reduce_mean(tau([x, code, rec], training=True)) + tf.reduce_mean(zeta([x, code], training=True))
        loss = -(1 - lam) * real_enough - lam * same
    of_e, of_g = players.gradient(loss, [e.trainable_variables, g.trainable_variables])
    apply(game, "encoder", of_e, e)
    apply(game, "decoder", of_g, g)
    end(game)
    return {"judges_loss": judges_loss, "players_loss": loss}


STEPS = {
    **{"gan": gan, "wgan": wgan, "wgan_gp": wgan_gp, "vae": vae, "alpha_gan": alpha_gan, "ijae": ijae},
    **{"svae": svae, "svae_r": svae_r, "ali": ali, "bigan": bigan, "alice": alice},
    **{"ae": ae, "aae": aae, "wae_gan": wae_gan, "wae_mmd": wae_mmd},
    **{"mask_aae": mask_aae, "flex_ae": flex_ae, "flex_ae_sr": flex_ae_sr},
}
