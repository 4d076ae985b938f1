"""Fused steps of the auto-encoders that learn their latent space, a mask or a prior; see `fused.py`."""

from collections.abc import Callable

import tensorflow as tf
from fused_codes import reconstruct
from fused_wasserstein import criticise
from keras_ijae.models.game import Game
from step import apply, end, noise, separately


def mask_aae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Mondal et al. 2020: the encoder runs anew after each of its two moves, and the critic's steps share a run."""
    e, h = game.encoder, game.code_critic
    alpha = 1 - tf.exp(-tf.convert_to_tensor(game.mask.a))
    loss = _reconstruct_masked(game, x, alpha)
    with tf.GradientTape() as player:
        masked = alpha * e(x, training=True)
    h_loss = None
    for repeat in range(game.critic_steps):
        drawn = noise(game, "code_critic", x, repeat)
        h_loss = criticise(game, "code_critic", alpha * drawn["n"], tf.stop_gradient(masked), drawn["mix"], call)
    with player:
        e_loss = -tf.reduce_mean(h(masked, training=True))
    apply(game, "encoder", player.gradient(e_loss, e.trainable_variables), e)
    mask_loss = _mask(game, x, call)
    end(game)
    return {"auto_encoder_loss": loss, "code_critic_loss": h_loss, "encoder_loss": e_loss, "mask_loss": mask_loss}


def flex_ae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Mondal et al. 2021, without the critic of images: the critic's last pair is the one that both players move."""
    e, g, c = game.encoder, game.prior_generator, game.code_critic
    loss, c_loss = reconstruct(game, x), None
    drawn = [noise(game, "critics", x, repeat) for repeat in range(game.critic_steps)]
    fakes = call(g, *[[numbers["n"]] for numbers in drawn[:-1]])
    with tf.GradientTape() as players:
        z, fake = e(x, training=True), g(drawn[-1]["n"], training=True)
    for made, numbers in zip([*fakes, fake], drawn, strict=True):
        c_loss = criticise(game, "code_critic", tf.stop_gradient(z), tf.stop_gradient(made), numbers["mix"], call)
    with players:
        of_fake, of_z = call(c, [fake], [z])
        apart = tf.reduce_mean(of_z) - tf.reduce_mean(of_fake)
    of_g, of_e = players.gradient(apart, [g.trainable_variables, e.trainable_variables])
    apply(game, "prior_generator", of_g, g)
    apply(game, "encoder", of_e, e)
    end(game)
    return {"auto_encoder_loss": loss, "code_critic_loss": c_loss, "players_loss": apart}


def flex_ae_sr(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Mondal et al. 2021, with the critic of images decoded from between two codes."""
    e, d, g, c, f = game.encoder, game.decoder, game.prior_generator, game.code_critic, game.critic
    loss, critics_loss = reconstruct(game, x), None
    drawn = [noise(game, "critics", x, repeat) for repeat in range(game.critic_steps)]
    with tf.GradientTape(persistent=True) as players:
        z, fake = e(x, training=True), g(drawn[-1]["n"], training=True)
        image = d(between(z, drawn[-1]["between"]), training=True)
    fakes = [*call(g, *[[numbers["n"]] for numbers in drawn[:-1]]), fake]
    images = [*call(d, *[[between(z, numbers["between"])] for numbers in drawn[:-1]]), image]
    for made, seen, numbers in zip(fakes, images, drawn, strict=True):
        of_codes = criticise(game, "code_critic", tf.stop_gradient(z), tf.stop_gradient(made), numbers["mix"], call)
        of_images = criticise(game, "critic", x, tf.stop_gradient(seen), numbers["image_mix"], call)
        critics_loss = of_codes + of_images
    with players:
        of_fake, of_z = call(c, [fake], [z])
        apart = tf.reduce_mean(of_z) - tf.reduce_mean(of_fake)
        smooth = -tf.reduce_mean(f(image, training=True))
    of_g, of_e = players.gradient(apart, [g.trainable_variables, e.trainable_variables])
    of_both = players.gradient(smooth, e.trainable_variables + d.trainable_variables)
    apply(game, "prior_generator", of_g, g)
    apply(game, "encoder", of_e, e)
    apply(game, "smooth", of_both, e, d)
    end(game)
    return {"auto_encoder_loss": loss, "critics_loss": critics_loss, "players_loss": apart, "smooth_loss": smooth}


def between(z: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """Points between the codes of two neighbours in the batch; an odd last row has none."""
    rows = z.shape[0]
    return u * z + (1 - u) * tf.gather(z, [min(row ^ 1, rows - 1) for row in range(rows)])


def cross_entropy(x: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """A mean over dimensions and batch."""
    return tf.reduce_mean(tf.nn.softplus(logits) - x * logits)


def variance(z: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """How much codes move in dimensions that the mask closes."""
    return tf.reduce_mean((z - tf.reduce_mean(z, 0)) ** 2 * tf.exp(-10 * alpha**2))


def polynomial(game: Game, alpha: tf.Tensor) -> tf.Tensor:
    """What drives each factor of the mask to 0 or 1, under a weight that doubles every 4 periods."""
    doublings = tf.convert_to_tensor(game.steps) // (4 * game.period)
    weight = tf.convert_to_tensor(game.polynomial_weight) * 2.0 ** tf.cast(doublings, alpha.dtype)
    return tf.minimum(weight, game.polynomial_cap) * tf.reduce_sum(alpha * (1 - alpha))


def _reconstruct_masked(game, x, alpha):
    """A move of encoder and decoder, and its loss."""
    e, g = game.encoder, game.decoder
    with tf.GradientTape() as tape:
        z = e(x, training=True)
        rec = cross_entropy(x, g(alpha * z, training=True))
        loss = rec + tf.convert_to_tensor(game.variance_weight) * variance(z, alpha)
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    return loss


def _mask(game, x, call):
    """The move of the mask, on codes of the encoder as it has become and on noise of its own, and its loss."""
    z, n, a = game.encoder(x, training=True), noise(game, "mask", x)["n"], game.mask.a
    with tf.GradientTape() as tape:
        alpha = 1 - tf.exp(-tf.convert_to_tensor(a))
        of_n, of_z = call(game.code_critic, [alpha * n], [alpha * z])
        apart = tf.reduce_mean(of_z) - tf.reduce_mean(of_n)
        rec = cross_entropy(x, game.decoder(alpha * z, training=True))
        loss = tf.convert_to_tensor(game.mask_reconstruction_weight) * rec + (1 - apart) ** 2 + polynomial(game, alpha)
    apply(game, "mask", tape.gradient(loss, [a]), game.mask)
    return loss
