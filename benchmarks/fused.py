"""One step of each shape of game, as an expert writes it by hand: passes are shared by all players that need them.

Every step is a function of a game and a batch. The game holds networks, optimizers, weights of terms and counters, no
more: its `train_step` and its losses are not used.
"""

from collections.abc import Callable

import tensorflow as tf
from step import apply, criticise, end, joined, judge_loss, noise, player_loss

from keras_ijae.distributions.posteriors import positive_scale
from keras_ijae.game import Game

SLOW_STEPS, SLOW_FIRST, SLOW_EVERY = 100, 25, 500  # of WGAN's slow start


def vae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """One move. Kingma & Welling 2014: Bernoulli likelihood, diagonal posterior, the KL written out."""
    epsilon = noise(game, "auto_encoder", x)["code"]
    e, g = game.encoder, game.decoder
    with tf.GradientTape() as tape:
        mean, scale = _posterior(e(x, training=True))
        logits = g(mean + scale * epsilon, training=True)
        fit = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), (1, 2, 3))
        kl = tf.reduce_sum((mean**2 + scale**2 - 1) / 2 - tf.math.log(scale), 1)
        loss = tf.reduce_mean(fit + kl)
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    end(game)
    return {"auto_encoder_loss": loss}


def gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """A judge, then a player on the same pass. Goodfellow et al. 2014, non-saturating."""
    z = noise(game, "discriminator", x)["z"]
    g, d = game.decoder, game.discriminator
    with tf.GradientTape() as players:
        fake = g(z, training=True)
    with tf.GradientTape() as judges:
        d_loss = judge_loss(*joined(d, [x], [tf.stop_gradient(fake)]))
    apply(game, "discriminator", judges.gradient(d_loss, d.trainable_variables), d)
    with players:
        g_loss = player_loss(d(fake, training=True))
    apply(game, "decoder", players.gradient(g_loss, g.trainable_variables), g)
    end(game)
    return {"discriminator_loss": d_loss, "decoder_loss": g_loss}


def ijae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Several judges, then several players with one loss. Alanov et al. 2019."""
    drawn = noise(game, "discriminators", x)
    z, lam = drawn["z"], tf.convert_to_tensor(game.lam)
    names = ("discriminator", "likelihood_discriminator", "posterior_discriminator")
    e, g, psi, tau, zeta = (getattr(game, name) for name in ("encoder", "decoder", *names))
    with tf.GradientTape() as players:
        code = e([x, drawn["code"]], training=True)
        rec, fake = joined(g, [code], [z])
    c, r, f = (tf.stop_gradient(tensor) for tensor in (code, rec, fake))
    y_1, y_0 = game.likelihood.draw(x, drawn["real"]), game.likelihood.draw(r, drawn["rec"])
    with tf.GradientTape() as judges:
        psi_loss, tau_loss = judge_loss(*joined(psi, [x], [f])), judge_loss(*joined(tau, [x, c, y_1], [x, c, y_0]))
        judges_loss = psi_loss + tau_loss + judge_loss(*joined(zeta, [x, z], [x, c]))
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


def ali(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """All networks at once. Dumoulin et al. 2017, algorithm 1: f sees both pairs once."""
    drawn = noise(game, "all", x)
    z, e, g, f = drawn["z"], game.encoder, game.decoder, game.joint_discriminator
    with tf.GradientTape(persistent=True) as tape:
        mean, scale = _posterior(e(x, training=True))
        z_q, x_p = mean + scale * drawn["code"], g(z, training=True)
        f_p, f_q = joined(f, [x_p, z], [x, z_q])
        f_loss, loss = judge_loss(f_p, f_q), judge_loss(f_q, f_p)
    of_f = tape.gradient(f_loss, f.trainable_variables)
    of_e, of_g = tape.gradient(loss, [e.trainable_variables, g.trainable_variables])
    apply(game, "joint_discriminator", of_f, f)
    apply(game, "encoder", of_e, e)
    apply(game, "decoder", of_g, g)
    end(game)
    return {"joint_discriminator_loss": f_loss, "players_loss": loss}


def wgan_gp(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """A critic that moves several times, under a penalty. Gulrajani et al. 2017, algorithm 1, on one batch of data."""
    f_loss = None
    for repeat, fake in enumerate(_samples(game, x)):
        f_loss = criticise(game, "critic", x, fake, noise(game, "critic", x, repeat)["mix"])
    g_loss = _play_decoder(game, x)
    end(game)
    return {"critic_loss": f_loss, "decoder_loss": g_loss}


def wgan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """A player behind a gate. Arjovsky, Chintala & Bottou 2017, algorithm 1, with the slow start of its code."""
    f, f_loss = game.critic, None
    for fake in _samples(game, x):
        with tf.GradientTape() as tape:
            of_x, of_fake = joined(f, [x], [fake])
            f_loss = tf.reduce_mean(of_fake) - tf.reduce_mean(of_x)
        gradients = tape.gradient(f_loss, f.trainable_variables)
        for weight in f.trainable_variables:
            weight.constraint = None  # by which `fit` clips; here it is done below
        apply(game, "critic", gradients, f)
        for weight in f.trainable_variables:
            weight.assign(tf.clip_by_value(weight, -game.clip, game.clip))
    g_loss = tf.cond(_turn(game), lambda: _play_decoder(game, x), lambda: tf.zeros([], game.variable_dtype))
    end(game)
    return {"critic_loss": f_loss, "decoder_loss": g_loss}


def mask_aae(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Moves of one network in turns. Mondal et al. 2020: the encoder runs anew after each of its two moves."""
    e, h = game.encoder, game.code_critic
    alpha, h_loss = 1 - tf.exp(-tf.convert_to_tensor(game.mask.a)), None
    loss = _reconstruct_masked(game, x, alpha)
    with tf.GradientTape() as player:
        masked = alpha * e(x, training=True)
    for repeat in range(game.critic_steps):
        drawn = noise(game, "code_critic", x, repeat)
        h_loss = criticise(game, "code_critic", alpha * drawn["n"], tf.stop_gradient(masked), drawn["mix"])
    with player:
        e_loss = -tf.reduce_mean(h(masked, training=True))
    apply(game, "encoder", player.gradient(e_loss, e.trainable_variables), e)
    mask_loss = _play_mask(game, x)
    end(game)
    return {"auto_encoder_loss": loss, "code_critic_loss": h_loss, "encoder_loss": e_loss, "mask_loss": mask_loss}


def flex_ae_sr(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Moves of one network at once, on the last of the critics' passes. Mondal et al. 2021, with a critic of images."""
    e, d, g, c, f = game.encoder, game.decoder, game.prior_generator, game.code_critic, game.critic
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.reduce_sum((x - d(e(x, training=True), training=True)) ** 2, (1, 2, 3)))
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + d.trainable_variables), e, d)
    critics_loss, drawn = None, [noise(game, "critics", x, repeat) for repeat in range(game.critic_steps)]
    with tf.GradientTape(persistent=True) as players:
        z, fake = e(x, training=True), g(drawn[-1]["n"], training=True)
        image = d(_between(z, drawn[-1]["between"]), training=True)
    fakes = [*joined(g, *[[numbers["n"]] for numbers in drawn[:-1]]), fake]
    images = [*joined(d, *[[_between(z, numbers["between"])] for numbers in drawn[:-1]]), image]
    for made, seen, numbers in zip(fakes, images, drawn, strict=True):
        of_codes = criticise(game, "code_critic", tf.stop_gradient(z), tf.stop_gradient(made), numbers["mix"])
        critics_loss = of_codes + criticise(game, "critic", x, tf.stop_gradient(seen), numbers["image_mix"])
    with players:
        of_fake, of_z = joined(c, [fake], [z])
        apart = tf.reduce_mean(of_z) - tf.reduce_mean(of_fake)
        smooth = -tf.reduce_mean(f(image, training=True))
    of_g, of_e = players.gradient(apart, [g.trainable_variables, e.trainable_variables])
    of_both = players.gradient(smooth, e.trainable_variables + d.trainable_variables)
    apply(game, "prior_generator", of_g, g)
    apply(game, "encoder", of_e, e)
    apply(game, "smooth", of_both, e, d)
    end(game)
    return {"auto_encoder_loss": loss, "critics_loss": critics_loss, "players_loss": apart, "smooth_loss": smooth}


def vae_gan(game: Game, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """All at once, of whom one rests where the game is out of balance. Larsen et al. 2016, algorithm 1."""
    drawn, e, g, d = noise(game, "encoder", x), game.encoder, game.decoder, game.discriminator
    with tf.GradientTape(persistent=True) as tape:
        mean, scale = _posterior(e(x, training=True))
        rec, sample = joined(g, [mean + scale * drawn["code"]], [drawn["z"]])
        (of_x, real), fake = game.features.with_logits(x, training=True), d(sample, training=True)
        error = tf.reshape(of_x - game.features.alone(rec, training=True), [tf.shape(x)[0], -1])
        like = tf.reduce_mean(tf.reduce_sum(error**2, 1)) / (2 * game.feature_scale**2)
        kl = tf.reduce_mean(tf.reduce_sum((mean**2 + scale**2 - 1) / 2 - tf.math.log(scale), 1))
        d_loss, e_loss = judge_loss(real, fake), kl + like
        g_loss = tf.convert_to_tensor(game.gamma) * like + player_loss(fake)
    losses = {"encoder": e_loss, "decoder": g_loss, "discriminator": d_loss}
    found = {role: tape.gradient(loss, getattr(game, role).trainable_variables) for role, loss in losses.items()}
    costs = tf.reduce_mean(tf.nn.softplus(-real)), tf.reduce_mean(tf.nn.softplus(fake))
    sure = tf.reduce_min(costs) < game.equilibrium - game.margin
    fooled = tf.reduce_max(costs) > game.equilibrium + game.margin
    plays = {"encoder": tf.constant(True), "decoder": ~fooled | sure, "discriminator": ~sure | fooled}
    for role, gradients in found.items():
        _apply_if(plays[role], game, role, gradients)
    end(game)
    return {f"{role}_loss": loss for role, loss in losses.items()}


STEPS: dict[str, Callable] = {
    **{"vae": vae, "gan": gan, "ijae": ijae, "ali": ali, "vae_gan": vae_gan},
    **{"wgan_gp": wgan_gp, "wgan": wgan, "mask_aae": mask_aae, "flex_ae_sr": flex_ae_sr},
}


def _apply_if(plays, game, role, gradients):
    """A move that happens or not."""

    def move():
        apply(game, role, gradients, getattr(game, role))
        return tf.constant(True)

    tf.cond(plays, move, lambda: tf.constant(False))


def _posterior(outputs):
    """Mean and scale of a diagonal posterior."""
    mean, raw = tf.split(outputs, 2, axis=1)
    return mean, positive_scale(raw)


def _samples(game, x):
    """One for each of the critic's steps: the decoder does not move in between."""
    codes = [noise(game, "critic", x, repeat)["z"] for repeat in range(game.critic_steps)]
    return joined(game.decoder, *[[z] for z in codes])


def _play_decoder(game, x):
    """The decoder's move, on codes of its own, and its loss."""
    f, g, z = game.critic, game.decoder, noise(game, "decoder", x)["z"]
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(f(g(z, training=True), training=True))
    apply(game, "decoder", tape.gradient(loss, g.trainable_variables), g)
    return loss


def _turn(game):
    """Whether it is the decoder's turn, and counted if so: the first 25 of its moves, and every 500th, wait."""
    if not game.slow_start:
        return tf.constant(True)
    count, wait = game.happened["decoder"], -(-SLOW_STEPS // game.critic_steps) - 1
    moves = tf.convert_to_tensor(count)
    slow = tf.minimum(moves + 1, SLOW_FIRST) + moves // SLOW_EVERY
    turn = tf.convert_to_tensor(game.steps) >= moves + wait * slow
    count.assign_add(tf.cast(turn, count.dtype))
    return turn


def _reconstruct_masked(game, x, alpha):
    """A move of encoder and decoder, which also holds codes of dimensions that the mask closes; its loss."""
    e, g = game.encoder, game.decoder
    with tf.GradientTape() as tape:
        z = e(x, training=True)
        variance = tf.reduce_mean((z - tf.reduce_mean(z, 0)) ** 2 * tf.exp(-10 * alpha**2))
        rec = _cross_entropy(x, g(alpha * z, training=True))
        loss = rec + tf.convert_to_tensor(game.variance_weight) * variance
    apply(game, "auto_encoder", tape.gradient(loss, e.trainable_variables + g.trainable_variables), e, g)
    return loss


def _play_mask(game, x):
    """The move of the mask, on codes of the encoder as it has become and on noise of its own, and its loss."""
    z, n, a = game.encoder(x, training=True), noise(game, "mask", x)["n"], game.mask.a
    doublings = tf.cast(tf.convert_to_tensor(game.steps) // (4 * game.period), x.dtype)
    weight = tf.minimum(tf.convert_to_tensor(game.polynomial_weight) * 2.0**doublings, game.polynomial_cap)
    with tf.GradientTape() as tape:
        alpha = 1 - tf.exp(-tf.convert_to_tensor(a))
        of_n, of_z = joined(game.code_critic, [alpha * n], [alpha * z])
        apart = tf.reduce_mean(of_z) - tf.reduce_mean(of_n)
        rec = _cross_entropy(x, game.decoder(alpha * z, training=True))
        loss = tf.convert_to_tensor(game.mask_reconstruction_weight) * rec + (1 - apart) ** 2
        loss += weight * tf.reduce_sum(alpha * (1 - alpha))
    apply(game, "mask", tape.gradient(loss, [a]), game.mask)
    return loss


def _cross_entropy(x, logits):
    """A mean over dimensions and batch."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(x, logits))


def _between(z, u):
    """Points between the codes of two neighbours in the batch; an odd last row has none."""
    rows = z.shape[0]
    return u * z + (1 - u) * tf.gather(z, [min(row ^ 1, rows - 1) for row in range(rows)])
