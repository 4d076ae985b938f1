"""The Wasserstein GAN with clipped weights."""

import math
from typing import Unpack

import keras

from keras_ijae import checks
from keras_ijae.game import Preset
from keras_ijae.models.wasserstein import WassersteinArguments, WassersteinGame
from keras_ijae.networks import Networks

SLOW_STEPS = 100  # of the critic, before a slow step of the decoder
SLOW_FIRST, SLOW_EVERY = 25, 500  # steps of the decoder


@keras.saving.register_keras_serializable("keras_ijae")
class Clip(keras.constraints.Constraint):
    """Weights in [-bound, bound]; optimizers apply it after each of their steps."""

    def __init__(self, bound: float):
        self.bound = bound

    def __call__(self, w):
        return keras.ops.clip(w, -self.bound, self.bound)

    def get_config(self) -> dict:
        return {"bound": self.bound}


def _authors(model):
    return {move.name: keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class WGAN(WassersteinGame):
    """Wasserstein GAN: every weight of the critic stays in [-c, c], which bounds its Lipschitz constant.

        L_f = E f(G(z)) - E f(x)        -L_f estimates K W(p*, p_G), K the constant of the clipped critics
        L_G = -E f(G(z))
        w <- clip(w, -c, c)             after each step of the critic, and before the first

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        critic: f, observations -> (batch, 1), of any size, high on the data. Its weights are clipped here.
        clip: c, above 0.
        critic_steps: steps of the critic for one of the decoder, each with fresh noise.
        fresh_batches: whether each of them has data of its own, see `WassersteinGame`; the paper's have.
        slow_start: whether the first 25 steps of the decoder, and then every 500th, wait until the critic has made 100.
        common: see `Game`.

    References:
        Arjovsky, Chintala & Bottou 2017, algorithm 1; the slow start is the authors' code's. preset="paper" has fresh
        batches and, as in that code, batch normalisation in both networks. The defaults differ from the paper: a
        running average of G (`ema`), one batch for all steps of the critic, group normalisation in G and none in f.
    """

    PRESETS = {"paper": Preset(_authors, Networks(norm="batch", discriminator_norm="batch"), {"fresh_batches": True})}

    def __init__(self, *, clip: float = 0.01, slow_start: bool = True, **wasserstein: Unpack[WassersteinArguments]):
        super().__init__(**wasserstein)
        self.clip, self.slow_start = checks.number("clip", clip, above=0), checks.flag("slow_start", slow_start)
        self.ready(self._enough_critic_steps if slow_start else None)
        for weight in self.critic.trainable_variables:
            weight.constraint = Clip(clip)
            weight.assign(weight.constraint(weight))

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """With PyTorch's constants, which the authors had: with Keras' epsilon decoders hardly learn."""
        return _authors(self)

    def _enough_critic_steps(self, step, happened):
        """Whether enough steps went by for the decoder's next move: one for each, more for the slow ones among them."""
        wait = math.ceil(SLOW_STEPS / self.critic_steps) - 1
        slow = keras.ops.minimum(happened + 1, SLOW_FIRST) + happened // SLOW_EVERY
        return step >= happened + wait * slow
