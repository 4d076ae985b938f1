"""Steps as an expert writes them by hand: one forward pass of encoder and decoder, shared by all players.

Every step is a function of a game and a batch. The game holds networks, optimizers and counters, no more: its
`train_step` and its losses are not used.
"""

import tensorflow as tf
from step import apply, end, judged, noise, persuaded

from keras_ijae.distributions.posteriors import positive_scale
from keras_ijae.models.game import Game


def gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Goodfellow et al. 2014, non-saturating."""
    z = noise(game, "discriminator", x)["z"]
    g, d = game.decoder, game.discriminator
    with tf.GradientTape() as players:
        fake = g(z, training=True)
    with tf.GradientTape() as judges:
        d_loss = judged(d(x, training=True), d(tf.stop_gradient(fake), training=True))
    apply(game, "discriminator", judges.gradient(d_loss, d.trainable_variables), d)
    with players:
        g_loss = persuaded(d(fake, training=True))
    apply(game, "decoder", players.gradient(g_loss, g.trainable_variables), g)
    end(game)
    return {"discriminator_loss": d_loss, "decoder_loss": g_loss}


def vae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
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


def alpha_gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Rosca et al. 2017, algorithm 1, all players on one pass."""
    z = noise(game, "discriminators", x)["z"]
    e, g, d, c = game.encoder, game.decoder, game.discriminator, game.code_discriminator
    with tf.GradientTape(persistent=True) as players:
        code = e(x, training=True)
        rec, fake = g(code, training=True), g(z, training=True)
    with tf.GradientTape() as judges:
        rec_logits = d(tf.stop_gradient(rec), training=True)
        fake_logits = d(tf.stop_gradient(fake), training=True)
        d_loss = judged(d(x, training=True), tf.concat([rec_logits, fake_logits], 0))
        c_loss = judged(c(z, training=True), c(tf.stop_gradient(code), training=True))
        both = d_loss + c_loss
    of_d, of_c = judges.gradient(both, [d.trainable_variables, c.trainable_variables])
    apply(game, "discriminator", of_d, d)
    apply(game, "code_discriminator", of_c, c)
    with players:
        l1 = tf.convert_to_tensor(game.l1_mean_weight) * tf.reduce_mean(tf.abs(x - rec))
        e_loss = l1 + persuaded(c(code, training=True))
        g_loss = l1 + persuaded(d(rec, training=True)) + persuaded(d(fake, training=True))
    of_e = players.gradient(e_loss, e.trainable_variables)
    apply(game, "decoder", players.gradient(g_loss, g.trainable_variables), g)
    apply(game, "encoder", of_e, e)
    end(game)
    return {"discriminator_loss": d_loss, "code_discriminator_loss": c_loss, "encoder_loss": e_loss, "decoder_loss": g_loss}


def ijae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Alanov et al. 2019: three discriminators in one backward pass, both players in another."""
    drawn = noise(game, "discriminators", x)
    z, lam = drawn["z"], tf.convert_to_tensor(game.lam)
    e, g, judges_of = game.encoder, game.decoder, (game.discriminator, game.likelihood_discriminator, game.posterior_discriminator)
    psi, tau, zeta = judges_of
    with tf.GradientTape() as players:
        code = e([x, drawn["code"]], training=True)
        rec, fake = g(code, training=True), g(z, training=True)
    c, r, f = (tf.stop_gradient(tensor) for tensor in (code, rec, fake))
    y_1, y_0 = game.likelihood.draw(x, drawn["real"]), game.likelihood.draw(r, drawn["rec"])
    with tf.GradientTape() as judges:
        psi_loss = judged(psi(x, training=True), psi(f, training=True))
        tau_loss = judged(tau([x, c, y_1], training=True), tau([x, c, y_0], training=True))
        zeta_loss = judged(zeta([x, z], training=True), zeta([x, c], training=True))
        judges_loss = psi_loss + tau_loss + zeta_loss
    names = ("discriminator", "likelihood_discriminator", "posterior_discriminator")
    gradients = judges.gradient(judges_loss, [network.trainable_variables for network in judges_of])
    for name, gradient, network in zip(names, gradients, judges_of, strict=True):
        apply(game, name, gradient, network)
    with players:
        real_enough = tf.reduce_mean(psi(fake, training=True))
        same = tf.reduce_mean(tau([x, code, rec], training=True)) + tf.reduce_mean(zeta([x, code], training=True))
        loss = -(1 - lam) * real_enough - lam * same
    of_e, of_g = players.gradient(loss, [e.trainable_variables, g.trainable_variables])
    apply(game, "encoder", of_e, e)
    apply(game, "decoder", of_g, g)
    end(game)
    return {"judges_loss": judges_loss, "players_loss": loss}


STEPS = {"gan": gan, "vae": vae, "alpha_gan": alpha_gan, "ijae": ijae}
