"""Adversarially learned inference, with BiGAN and ALICE."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae.game import Preset
from keras_ijae.models.joint import JointArguments, JointGame
from keras_ijae.networks import Networks

JUDGE = {"joint_discriminator": {"maxout": 2, "dropout": 0.2}}


def _authors(model):
    return {move.name: keras.optimizers.Adam(1e-4, beta_1=0.5) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class ALI(JointGame):
    """Adversarially learned inference: a GAN of pairs; with a deterministic encoder BiGAN, with cycle terms ALICE.

    With data x, z_q = E(x), z ~ p(z), x_p = G(z), logits f(x, z) and sigma the sigmoid:

        L_f     = E softplus(-f(x_p, z)) + E softplus(f(x, z_q))
        L_{G,E} = -E log sigma(f(x, z_q)) - E log sigma(-f(x_p, z))  (+ cycle_weight (C_x + C_z))
                = E softplus(-f(x, z_q)) + E softplus(f(x_p, z))

    which is sVAE with log sigma(+-f) in the place of +-f. f is sVAE's, label 1 for the pair of the prior; the logit of
    the papers is -f. L_{G,E} - L_f is sVAE's loss for every f.

    Args:
        encoder: E: x -> posterior parameters (explicit), x -> codes (deterministic), [x, noise] -> codes (implicit).
        decoder: G: z -> observations (deterministic), [z, noise] -> observations (implicit) or z -> parameters of the
            likelihood (explicit).
        joint_discriminator: f, [x, z] -> logits (batch, 1).
        cycle_discriminator: eta, [x, x'] -> logits (batch, 1); for cycle="adversarial" alone.
        posterior: "diagonal" or "full" (ALI), "deterministic" (BiGAN) or "implicit".
        likelihood: "deterministic", "implicit", or a continuous one with a density: "gaussian", "laplace", ...
        cycle: "squared", "l1", "likelihood" or "adversarial", see `JointGame`.
        cycle_weight: of C_x + C_z, at least 0; a run-time scalar; None: there are no such terms. With them it is ALICE,
            whose authors take 1 for explicit and 0.1 for adversarial terms.
        discriminator_steps, player_steps: at 1 and 1 all networks move at once, from one evaluation of f, as in ALI;
            else first f, so often, with fresh noise on the same batch, then encoder and decoder together, so often.
        joint: the rest is common to all systems, see `Game`. BiGAN's authors sample z uniformly in (-1, 1), which is
            prior="uniform".

    References:
        Dumoulin et al. 2017 (ALI), algorithm 1; Donahue et al. 2017 (BiGAN); Li et al. 2017 (ALICE), eqs. 6 and 9.
        preset="paper" is ALI's for CIFAR-10 on networks of ours: batch normalisation of the players, maxout and
        dropout in f, Adam(1e-4, 0.5); for BiGAN and ALICE too. The defaults differ from the papers: running averages of
        E and G (`ema`), spectral normalisation of f in the default networks, Adam(2e-4, 0.5), which is BiGAN's.
    """

    PRESETS = {"paper": Preset(_authors, Networks(norm="batch", spectral=False, roles=JUDGE))}

    SIMULTANEOUS = True

    def __init__(
        self,
        *,
        posterior: Any = "diagonal",
        likelihood: Any = "deterministic",
        cycle: str = "squared",
        **joint: Unpack[JointArguments],
    ):
        super().__init__(posterior=posterior, likelihood=likelihood, cycle=cycle, **joint)

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(2e-4, beta_1=0.5) for move in self.moves}

    def gain(self, logit):
        return tf.math.log_sigmoid(logit)
