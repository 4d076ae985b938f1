"""The symmetric VAE, and sVAE-r, which is held to reconstruct."""

from typing import Any, Unpack

import keras

from keras_ijae.game import Preset
from keras_ijae.models.joint import JointArguments, JointGame
from keras_ijae.networks import Networks

NETWORKS = Networks(
    family="dcgan",
    norm="batch",
    discriminator_norm="batch",
    spectral=False,
    code_activation="tanh",
    noise_as="channel",
)


def _authors(model):
    return {move.name: keras.optimizers.Adam(1e-4, beta_1=0.5) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class SVAE(JointGame):
    """Symmetric VAE: lowers KL(q || p) + KL(p || q) between the joints of encoder and decoder; sVAE-r with cycle terms.

    With data x, z_q = E(x, e), z ~ p(z), x_p = G(z, e'), logits f(x, z):

        L_f     = E softplus(-f(x_p, z)) + E softplus(f(x, z_q))       1 = prior: f* = log p(x, z) - log q(x, z)
        L_{G,E} = -E f(x, z_q) + E f(x_p, z)  (+ cycle_weight (C_x + C_z))

    With log sigma(+-f) in the place of +-f it is ALI. At a fixed optimal f the gradients are those of KL(q || p) for E
    and of KL(p || q) for G: half of the symmetric divergence's. L_{G,E} is linear in f: keep it Lipschitz, as the
    default networks do by spectral normalisation.

    Args:
        encoder: E: [x, noise] -> codes (implicit), x -> codes (deterministic), x -> posterior parameters (explicit).
        decoder: G: [z, noise] -> observations (implicit), z -> observations (deterministic) or z -> parameters of the
            likelihood (explicit).
        joint_discriminator: f, [x, z] -> logits (batch, 1).
        cycle_discriminator: eta, [x, x'] -> logits (batch, 1); for cycle="adversarial" alone.
        posterior: "implicit", "deterministic", "diagonal" or "full".
        likelihood: "implicit", "deterministic", or a continuous one with a density: "gaussian", "laplace", ...
        cycle: "l1", "squared", "likelihood" (for explicit conditionals) or "adversarial", see `JointGame`.
        cycle_weight: of C_x + C_z, at least 0; a run-time scalar; None: there are no such terms. With them it is
            sVAE-r.
        discriminator_steps: of f before the players move, each with fresh noise on the same batch.
        player_steps: of encoder and decoder together; at 1 they reuse the discriminator's last pass.
        joint: the rest is common to all systems, see `Game`.

    References:
        Chen et al. 2018, "Symmetric Variational Autoencoder and Connections to Adversarial Learning", eq. 14.
        preset="paper" is their code's for CIFAR-10 (images alone) on networks of ours: z uniform in (-1, 1), tanh as
        E's last activation, its noise as a channel of the image, batch normalisation, Adam(1e-4, 0.5). Not in it: f's
        own noise, and their `cycle_weight`, 1 for CIFAR-10 and 10 for CelebA on images in [-1, 1], where C_x is twice
        as large as here. The defaults differ from the paper: running averages of E and G (`ema`), spectral
        normalisation of f in the default networks, Adam(2e-3, 0.5, 0.9), chosen on MNIST (docs/defaults.md).
    """

    PRESETS = {"paper": Preset(_authors, NETWORKS, {"prior": "uniform"})}

    def __init__(
        self,
        *,
        posterior: Any = "implicit",
        likelihood: Any = "implicit",
        cycle: str = "l1",
        **joint: Unpack[JointArguments],
    ):
        super().__init__(posterior=posterior, likelihood=likelihood, cycle=cycle, **joint)

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(2e-3, beta_1=0.5, beta_2=0.9) for move in self.moves}

    def gain(self, logit):
        return logit
