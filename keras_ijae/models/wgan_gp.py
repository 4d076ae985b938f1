"""The Wasserstein GAN with a gradient penalty."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae.game import Played, Preset
from keras_ijae.models.judging import criticise
from keras_ijae.models.wasserstein import WassersteinArguments, WassersteinGame
from keras_ijae.networks import Networks


def _authors(model):
    return {move.name: keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class WGANGP(WassersteinGame):
    """Wasserstein GAN whose critic is pushed towards slopes of 1 between data and samples.

        L_f = E f(G(z)) - E f(x) + gradient_penalty E (||grad f(x^)|| - 1)^2
        L_G = -E f(G(z))

    with x^ = u x + (1 - u) G(z), u ~ U(0, 1) for each example, and the norm over all axes of an example.

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        critic: f, observations -> (batch, 1), high on the data; without batch normalisation, as each example has a
            slope of its own.
        gradient_penalty: its weight, at least 0; a run-time scalar.
        critic_steps: steps of the critic for one of the decoder, each with fresh noise.
        fresh_batches: whether each of them has data of its own, see `WassersteinGame`; the paper's have.
        common: see `Game`.

    References:
        Gulrajani et al. 2017, algorithm 1. preset="paper" has fresh batches and, as the authors' code, batch
        normalisation in G and none in f. The defaults differ from the paper: a running average of G (`ema`), one batch
        for all steps of the critic, group normalisation in G, and Adam(1e-3, 0.5, 0.9), chosen on MNIST
        (docs/defaults.md), for the authors' rate of 1e-4.
    """

    PRESETS = {"paper": Preset(_authors, Networks(norm="batch"), {"fresh_batches": True})}

    def __init__(self, *, gradient_penalty: float = 10.0, **wasserstein: Unpack[WassersteinArguments]):
        super().__init__(**wasserstein)
        self.gradient_penalty = self.weight("gradient_penalty", gradient_penalty)
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in self.moves}

    def noise(self, draws):
        return {**super().noise(draws), "mix": draws.uniform("mix")}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            return super().losses(batch, noise, phase, forward)
        played, fake = Played(), tf.stop_gradient(forward["fake"])
        penalty = self.gradient_penalty
        criticise(played, "critic", self.critic, batch.x, fake, noise["mix"], penalty, batch.labels)
        return played
