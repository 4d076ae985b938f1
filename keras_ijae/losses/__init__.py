"""Losses as pure functions of logits, and penalties."""

from keras_ijae.losses.adversarial import (
    accuracy,
    check_objective,
    critic_loss,
    criticised,
    discriminator_loss,
    generator_loss,
    judged,
)
from keras_ijae.losses.mmd import mmd
from keras_ijae.losses.penalties import gradient_penalty, wasserstein_gradient_penalty

__all__ = ["accuracy", "check_objective", "critic_loss", "criticised", "discriminator_loss", "generator_loss"]
__all__ += ["gradient_penalty", "judged", "mmd", "wasserstein_gradient_penalty"]
