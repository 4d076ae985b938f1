"""Losses as pure functions of logits, and penalties."""

from keras_ijae.losses.adversarial import (
    accuracy,
    check_objective,
    critic_logs,
    critic_loss,
    discriminator_logs,
    discriminator_loss,
    generator_loss,
)
from keras_ijae.losses.directions import pulling_away, unit
from keras_ijae.losses.jacobian import jacobian_norm, pushed
from keras_ijae.losses.mmd import mmd
from keras_ijae.losses.penalties import gradient_penalty, wasserstein_gradient_penalty

__all__ = [
    "accuracy",
    "check_objective",
    "critic_logs",
    "critic_loss",
    "discriminator_logs",
    "discriminator_loss",
    "generator_loss",
    "gradient_penalty",
    "jacobian_norm",
    "mmd",
    "pushed",
    "pulling_away",
    "unit",
    "wasserstein_gradient_penalty",
]
