"""The Wasserstein auto-encoder with an adversarial penalty."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Move, Phase, Played, Preset
from keras_ijae.models.ae import CodeJudging, CodeJudgingArguments
from keras_ijae.models.judging import logits
from keras_ijae.models.wae_mmd import COST, falling
from keras_ijae.networks import Networks

DEEP = {"code_discriminator": {"width": 512, "depth": 4, "hidden_activation": "relu"}}


def _authors(model):
    rates = {"code_discriminator": 5e-4, "auto_encoder": 1e-3}
    return {move: keras.optimizers.Adam(falling(rate), beta_1=0.5) for move, rate in rates.items()}


@keras.saving.register_keras_serializable("keras_ijae")
class WAEGAN(CodeJudging):
    """Wasserstein auto-encoder whose codes are matched to the prior by a discriminator.

    With z_q = E(x), z ~ p(z), logits C:

        L_C     = E softplus(-C(z)) + E softplus(C(z_q))                                  1 = prior
        L_{E,G} = E c(x, G(z_q)) + penalty_weight E softplus(-C(z_q))                 c(x, y) = 0.05 ||x - y||^2

    c sums over dimensions. The discriminator moves first, then both players on the same pass. The authors' code also
    weighs L_C, which Adam ignores, and takes the other order. Its pretraining of the encoder and its noise on the input
    are left out; so are the schedule of rates, which preset="paper" has, and log p(z), which it adds to the logit for
    CelebA: C can learn that. For images in [-1, 1] see `WAEMMD`.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        code_discriminator: C, codes -> logits (batch, 1).
        penalty_weight: lambda, at least 0; a run-time scalar.
        common: see `Game`.

    References:
        Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 1; numbers from its code for MNIST.
        preset="paper" is that code's on networks of ours: C of 4 x 512 units, batch normalisation in E and G, rates
        that fall. The defaults differ from the paper: running averages of E and G (`ema`), spectral normalisation of C
        in the default networks, rates that do not fall.
    """

    PRESETS = {"paper": Preset(_authors, Networks(norm="batch", spectral=False, roles=DEEP))}

    def __init__(self, *, penalty_weight: float = 10.0, **code_judging: Unpack[CodeJudgingArguments]):
        super().__init__(**code_judging)
        self.penalty_weight = self.weight("penalty_weight", penalty_weight)
        judge = "code_discriminator"
        self.moves = (Move(judge, (judge,)), Move("auto_encoder", ("encoder", "decoder")))
        self.phases = (Phase(judge, (judge,)), Phase("auto_encoder", ("auto_encoder",), reuse=True))
        self.ready()

    def default_optimizers(self):
        return {
            "code_discriminator": keras.optimizers.Adam(5e-4, beta_1=0.5),
            "auto_encoder": keras.optimizers.Adam(1e-3, beta_1=0.5),
        }

    def losses(self, batch, noise, phase, forward):
        code = forward["code"]
        if phase == "code_discriminator":
            return self.judge_codes(noise["z"], code, batch.labels)
        error = self.squared_error(batch.x, forward["rec"])
        (posterior,) = logits(self.code_discriminator, [code, batch.labels])
        penalty = tf.cast(losses.generator_loss(posterior), error.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.penalty_weight), error.dtype)
        logs = {"squared_error_sum": error, "code_penalty": penalty}
        return Played({"auto_encoder": COST * error + weight * penalty}, logs)
