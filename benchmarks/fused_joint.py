"""Fused steps of the systems that compare pairs of image and code, see `fused.py`."""

from collections.abc import Callable

import tensorflow as tf
from keras_ijae.models.game import Game
from step import apply, end, judged, noise, separately

from keras_ijae.distributions.posteriors import positive_scale


def svae(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Chen et al. 2018, eq. 14, without cycle terms."""
    drawn = noise(game, "discriminators", x)
    z, e, g, f = drawn["z"], game.encoder, game.decoder, game.joint_discriminator
    with tf.GradientTape() as players:
        z_q, x_p = e([x, drawn["code"]], training=True), g([z, drawn["observation"]], training=True)
    f_loss = _judge(game, x_p, z, x, z_q, call)
    with players:
        f_p, f_q = call(f, [x_p, z], [x, z_q])
        loss = tf.reduce_mean(f_p) - tf.reduce_mean(f_q)
    return _play(game, players, f_loss, loss)


def svae_r(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Chen et al. 2018, eq. 14, with L1 for the cycle terms: an image decoded again, a code encoded again."""
    drawn = noise(game, "discriminators", x)
    z, e, g, f = drawn["z"], game.encoder, game.decoder, game.joint_discriminator
    with tf.GradientTape() as players:
        z_q = e([x, drawn["code"]], training=True)
        x_p, x_again = call(g, [z, drawn["observation"]], [z_q, drawn["observation_cycle"]])
        z_again = e([x_p, drawn["code_cycle"]], training=True)
        cycle = tf.reduce_mean(tf.abs(x - x_again)) + tf.reduce_mean(tf.abs(z - z_again))
    f_loss = _judge(game, x_p, z, x, z_q, call)
    with players:
        f_p, f_q = call(f, [x_p, z], [x, z_q])
        loss = tf.reduce_mean(f_p) - tf.reduce_mean(f_q) + tf.convert_to_tensor(game.cycle_weight) * cycle
    return _play(game, players, f_loss, loss)


def ali(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Dumoulin et al. 2017, algorithm 1: f sees both pairs once, then all networks move."""
    drawn = noise(game, "all", x)
    z, g, f = drawn["z"], game.decoder, game.joint_discriminator
    with tf.GradientTape(persistent=True) as tape:
        z_q, x_p = _code(game, x, drawn["code"]), g(z, training=True)
        f_p, f_q = call(f, [x_p, z], [x, z_q])
        f_loss, loss = judged(f_p, f_q), judged(f_q, f_p)
    return _play_all(game, tape, f_loss, loss)


def bigan(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Donahue et al. 2017: as ALI, with a deterministic encoder."""
    z, e, g, f = noise(game, "all", x)["z"], game.encoder, game.decoder, game.joint_discriminator
    with tf.GradientTape(persistent=True) as tape:
        z_q, x_p = e(x, training=True), g(z, training=True)
        f_p, f_q = call(f, [x_p, z], [x, z_q])
        f_loss, loss = judged(f_p, f_q), judged(f_q, f_p)
    return _play_all(game, tape, f_loss, loss)


def alice(game: Game, x: tf.Tensor, call: Callable = separately) -> dict[str, tf.Tensor]:
    """Li et al. 2017: as ALI, with squared errors of an image decoded again and a code encoded again."""
    drawn = noise(game, "all", x)
    z, g, f = drawn["z"], game.decoder, game.joint_discriminator
    with tf.GradientTape(persistent=True) as tape:
        z_q = _code(game, x, drawn["code"])
        x_p, x_again = call(g, [z], [z_q])
        z_again = _code(game, x_p, drawn["code_cycle"])
        cycle = tf.reduce_mean((x - x_again) ** 2) + tf.reduce_mean((z - z_again) ** 2)
        f_p, f_q = call(f, [x_p, z], [x, z_q])
        f_loss, loss = judged(f_p, f_q), judged(f_q, f_p) + tf.convert_to_tensor(game.cycle_weight) * cycle
    return _play_all(game, tape, f_loss, loss)


def _code(game, x, epsilon):
    """Reparametrised, of a diagonal posterior."""
    mean, raw = tf.split(game.encoder(x, training=True), 2, axis=1)
    return mean + positive_scale(raw) * epsilon


def _judge(game, x_p, z, x, z_q, call):
    """The discriminator's move on pairs of decoder and encoder, and its loss."""
    f = game.joint_discriminator
    with tf.GradientTape() as tape:
        f_loss = judged(*call(f, [tf.stop_gradient(x_p), z], [x, tf.stop_gradient(z_q)]))
    apply(game, "joint_discriminator", tape.gradient(f_loss, f.trainable_variables), f)
    return f_loss


def _play(game, tape, f_loss, loss):
    """Encoder and decoder move, and the step ends."""
    return _end(game, *_gradients(game, tape, loss), f_loss, loss)


def _play_all(game, tape, f_loss, loss):
    """All networks move from where they are, and the step ends."""
    f = game.joint_discriminator
    of_f, of_players = tape.gradient(f_loss, f.trainable_variables), _gradients(game, tape, loss)
    apply(game, "joint_discriminator", of_f, f)
    return _end(game, *of_players, f_loss, loss)


def _gradients(game, tape, loss):
    return tape.gradient(loss, [game.encoder.trainable_variables, game.decoder.trainable_variables])


def _end(game, of_e, of_g, f_loss, loss):
    apply(game, "encoder", of_e, game.encoder)
    apply(game, "decoder", of_g, game.decoder)
    end(game)
    return {"joint_discriminator_loss": f_loss, "players_loss": loss}
