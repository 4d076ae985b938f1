"""Adversarial losses on logits; label 1 is the data, or the prior.

For a logit l, D = sigmoid(l): -log D = softplus(-l) and -log(1 - D) = softplus(l), finite for every logit, and
log D/(1 - D) = l.
"""

import tensorflow as tf

from keras_ijae.checks import choice
from keras_ijae.losses import tfgan

OBJECTIVES = ("minimax", "non_saturating", "log_ratio")
FROM_TFGAN = tuple(f"tfgan:{name}" for name in tfgan.LOSSES)


def discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, objective: str = "non_saturating") -> tf.Tensor:
    """mean softplus(-real) + mean softplus(fake): a scalar >= 0 in nats; or TF-GAN's loss of that name.

    At the optimum the logit is log p_real - log p_fake and the loss log 4 - 2 JSD(p_real || p_fake).

    Args:
        real_logits: logits of what carries label 1 (data, prior), any shape.
        fake_logits: logits of what carries label 0, any shape.
        objective: as of `generator_loss`; the loss here is the same for all but those of TF-GAN.
    """
    if check_objective(objective) in FROM_TFGAN:
        return tfgan.discriminator_loss(objective, real_logits, fake_logits)
    return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def generator_loss(fake_logits: tf.Tensor, objective: str = "non_saturating") -> tf.Tensor:
    """What the generator lowers, a mean over the batch; in brackets its gradient at the optimal discriminator.

    `minimax`: -softplus(l) (2 JSD); `non_saturating`: softplus(-l) (KL(q||p) - 2 JSD); `log_ratio`: -l (KL(q||p)), with
    p the data and q the generator.

    Args:
        fake_logits: logits of generated samples, any shape.
        objective: one of `minimax`, `non_saturating`, `log_ratio`; or `tfgan:NAME`, a loss of TF-GAN (see
            `keras_ijae.losses.tfgan`): `tfgan:least_squares`, `tfgan:wasserstein_hinge`, ...

    References:
        Goodfellow et al. 2014, section 3 (the first two); Mohamed & Lakshminarayanan 2016, section 3 (the ratio).
    """
    if check_objective(objective) in FROM_TFGAN:
        return tfgan.generator_loss(objective, fake_logits)
    if objective == "minimax":
        return -tf.reduce_mean(tf.nn.softplus(fake_logits))
    if objective == "non_saturating":
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))
    return -tf.reduce_mean(fake_logits)


def check_objective(objective: str, known: tuple[str, ...] = OBJECTIVES) -> str:
    """`objective`, if it is one of `known` or of TF-GAN's.

    Raises:
        ValueError: it is not; the known ones are listed.
        ImportError: it is TF-GAN's, which is not installed.
    """
    if objective in FROM_TFGAN:
        tfgan.load_tfgan()
        return objective
    return choice("objective", objective, (*known, *FROM_TFGAN))


def accuracy(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Share of `real_logits` above and `fake_logits` below 0, both counted equally: a scalar in [0, 1]."""
    real = tf.reduce_mean(tf.cast(real_logits > 0, real_logits.dtype))
    fake = tf.reduce_mean(tf.cast(fake_logits < 0, fake_logits.dtype))
    return (real + fake) / 2


def discriminator_logs(name: str, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Log entries of the discriminator `name`: `NAME_accuracy`, and the means of `real_logits` and `fake_logits`."""
    return {
        f"{name}_real_logit": tf.reduce_mean(real_logits),
        f"{name}_fake_logit": tf.reduce_mean(fake_logits),
        f"{name}_accuracy": accuracy(real_logits, fake_logits),
    }


def critic_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """mean fake - mean real: a scalar that a critic lowers. Its minimum over all 1-Lipschitz critics is -W_1.

    Args:
        real: values of the critic on what carries label 1 (data, prior), any shape.
        fake: values on what carries label 0, any shape.

    References:
        Arjovsky, Chintala & Bottou 2017, eq. 2.
    """
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def critic_logs(name: str, real: tf.Tensor, fake: tf.Tensor) -> dict[str, tf.Tensor]:
    """Log entries of the critic `name`: mean values `NAME_real` and `NAME_fake`, and `NAME_distance`, real - fake."""
    real, fake = tf.reduce_mean(real), tf.reduce_mean(fake)
    return {f"{name}_real": real, f"{name}_fake": fake, f"{name}_distance": real - fake}
