"""Fused steps of the auto-encoders whose codes are drawn to a fixed prior, or to none; see `fused.py`."""

from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game
from step import apply, end, judged, noise, persuaded, separately, squared_error

COST = 0.05  # of a unit of squared error
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def ae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """The squared error alone."""
    loss = reconstruct(game, x)
    end(game)
    return {"auto_encoder_loss": loss}


def aae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Makhzani et al. 2015, section 2: the encoder, which has moved, runs again for the second phase."""
    z, e, c = noise(game, "code_discriminator", x)["z"], game.encoder, game.code_discriminator
    loss = reconstruct(game, x)
    with tf.GradientTape() as player:
        code = e(x, training=True)
    c_loss = _judge(game, z, code, call)
    with player:
        e_loss = persuaded(c(code, training=True))
    apply(game, "encoder", player.gradient(e_loss, e.trainable_variables), e)
    end(game)
    return {"auto_encoder_loss": loss, "code_discriminator_loss": c_loss, "encoder_loss": e_loss}


def wae_gan(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Tolstikhin et al. 2018, algorithm 1: the discriminator and then the players, on one pass."""
    e, g, c = game.encoder, game.decoder, game.code_discriminator
    with tf.GradientTape() as players:
        code = e(x, training=True)
        error = squared_error(x, g(code, training=True))
    c_loss = _judge(game, noise(game, "code_discriminator", x)["z"], code, call)
    with players:
        loss = COST * error + tf.convert_to_tensor(game.penalty_weight) * persuaded(c(code, training=True))
    apply(game, "auto_encoder", players.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    end(game)
    return {"code_discriminator_loss": c_loss, "auto_encoder_loss": loss}


def wae_mmd(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Tolstikhin et al. 2018, algorithm 2."""
    z, e, g = noise(game, "auto_encoder", x)["z"], game.encoder, game.decoder
    with tf.GradientTape() as tape:
        code = e(x, training=True)
        error = squared_error(x, g(code, training=True))
        loss = COST * error + tf.convert_to_tensor(game.penalty_weight) * _mmd(code, z)
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    end(game)
    return {"auto_encoder_loss": loss}


def reconstruct(game: Game, x: tf.Tensor) -> tf.Tensor:
    """A move of encoder and decoder that lowers the squared error, and this."""
    e, g = game.encoder, game.decoder
    with tf.GradientTape() as tape:
        loss = squared_error(x, g(e(x, training=True), training=True))
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    return loss


def _judge(game, z, code, call):
    """The move of the discriminator of codes, and its loss."""
    c = game.code_discriminator
    with tf.GradientTape() as tape:
        loss = judged(*call(c, [z], [tf.stop_gradient(code)]))
    apply(game, "code_discriminator", tape.gradient(loss, c.trainable_variables), c)
    return loss


def _mmd(a, b):
    """Gretton et al. 2012, eq. 3: rows are not compared with themselves."""
    n = a.shape[0]
    of_a, of_b = _kernel(a, a), _kernel(b, b)
    within = tf.reduce_sum(of_a) - tf.linalg.trace(of_a) + tf.reduce_sum(of_b) - tf.linalg.trace(of_b)
    return within / (n * (n - 1)) - 2 * tf.reduce_mean(_kernel(a, b))


def _kernel(u, v):
    """Inverse multiquadratics of all pairs of rows."""
    squares = tf.reduce_sum((u[:, None] - v[None]) ** 2, 2)
    widths = [2 * u.shape[1] * scale for scale in SCALES]
    return tf.add_n([width / (width + squares) for width in widths])
