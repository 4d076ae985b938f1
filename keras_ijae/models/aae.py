"""The adversarial auto-encoder."""

from typing import Unpack

import keras

from keras_ijae import losses
from keras_ijae.game import Move, Phase, Played, Preset
from keras_ijae.models.ae import CodeJudging, CodeJudgingArguments
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks

NETWORKS = Networks(family="mlp", width=1000, depth=2, norm="none", spectral=False, hidden_activation="relu")


def _defaults(model):
    return model.default_optimizers()


@keras.saving.register_keras_serializable("keras_ijae")
class AAE(CodeJudging):
    """Adversarial auto-encoder: a phase of reconstruction, then one that matches codes to the prior.

    With z_q = E(x), z ~ p(z), logits C, in this order on each batch:

        L_{E,G} = E ||x - G(z_q)||^2                    a sum over dimensions; Gaussian p(x|z)
        L_C     = E softplus(-C(z)) + E softplus(C(z_q))        1 = prior
        L_E     = E softplus(-C(z_q))

    The encoder is changed by two moves, "auto_encoder" and "encoder", with an optimizer each: there is no weight.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        code_discriminator: C, codes -> logits (batch, 1).
        common: see `Game`.

    References:
        Makhzani et al. 2015, section 2. Unlike there, E and G have running averages (`ema`), C is spectrally normalised
        in the default networks, and the optimizers are those of WAE-GAN. ema=None and spectral=False leave these out.
        preset="paper" has two layers of 1,000 ReLU units in each of E, G and C, and neither running averages nor
        spectral normalisation. Its optimizers are still WAE-GAN's: theirs is SGD with momentum, at rates that were not
        found. The appendix itself could not be consulted: the layers are quoted from memory, and so is what the preset
        leaves out (a prior N(0, 25 I) of 8 dimensions, initial weights N(0, 0.01^2), batches of 100).
    """

    PRESETS = {"paper": Preset(_defaults, NETWORKS)}

    def __init__(self, **code_judging: Unpack[CodeJudgingArguments]):
        super().__init__(**code_judging)
        self.moves = (
            Move("auto_encoder", ("encoder", "decoder")),
            Move("code_discriminator", ("code_discriminator",)),
            Move("encoder", ("encoder",)),
        )
        self.phases = (
            Phase("reconstruction", ("auto_encoder",)),
            Phase("code_discriminator", ("code_discriminator",)),
            Phase("encoder", ("encoder",), reuse=True),
        )
        self.ready()

    def default_optimizers(self):
        return {
            "auto_encoder": keras.optimizers.Adam(1e-3, beta_1=0.5),
            "code_discriminator": keras.optimizers.Adam(5e-4, beta_1=0.5),
            "encoder": keras.optimizers.Adam(5e-4, beta_1=0.5),
        }

    def forward(self, batch, noise, phase):
        if phase == "reconstruction":
            return super().forward(batch, noise, phase)
        code = self.codes(batch.x, noise["code"], batch.labels, training=True)
        return {"code": code}  # nobody looks at reconstructions

    def losses(self, batch, noise, phase, forward):
        code = forward["code"]
        if phase == "reconstruction":
            return Played({"auto_encoder": self.squared_error(batch.x, forward["rec"])})
        if phase == "encoder":
            (posterior,) = logits(self.code_discriminator, [code, batch.labels])
            return Played({"encoder": losses.generator_loss(posterior)})
        return self.judge_codes(noise["z"], code, batch.labels)
