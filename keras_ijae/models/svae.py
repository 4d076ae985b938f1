"""The symmetric VAE, and sVAE-r, which is held to reconstruct."""

import keras

from keras_ijae.models.joint import JointGame


@keras.saving.register_keras_serializable("keras_ijae")
class SVAE(JointGame):
    """Symmetric VAE: lowers KL(q || p) + KL(p || q) between the joints of encoder and decoder; sVAE-r with cycle terms.

    With data x, z_q = E(x, e), z ~ p(z), x_p = G(z, e'), logits f(x, z) and zeta = softplus:

        L_f     = E zeta(-f(x_p, z)) + E zeta(f(x, z_q))       1 = prior; at the optimum f = log p(x, z) - log q(x, z)
        L_{G,E} = -E f(x, z_q) + E f(x_p, z)  (+ cycle_weight (C_x + C_z))

    With log sigma(+-f) in the place of +-f it is ALI. At a fixed optimal f the gradients are those of KL(q || p) for E
    and of KL(p || q) for G: half of the symmetric divergence's. L_{G,E} is linear in f: keep it Lipschitz, as the
    default networks do by spectral normalisation.

    Args:
        encoder: E: [x, noise] -> codes (implicit), x -> codes (deterministic), x -> posterior parameters (explicit).
        decoder: G: [z, noise] -> observations (implicit), z -> observations (deterministic) or z -> parameters of the
            likelihood (explicit).
        joint_discriminator: f, [x, z] -> logits (batch, 1).
        data_shape, latent_dim: None reads them off the decoder.
        cycle_discriminator: eta, [x, x'] -> logits (batch, 1); for cycle="adversarial" alone.
        posterior: "implicit", "deterministic", "diagonal" or "full".
        likelihood: "implicit", "deterministic", or a continuous one with a density: "gaussian", "laplace", ...
        cycle: "l1", "squared", "likelihood" (for explicit conditionals) or "adversarial", see `JointGame`.
        cycle_weight: of C_x + C_z, at least 0; a run-time scalar; 0 leaves the terms out, more is sVAE-r.
        discriminator_steps: of f before the players move, each with fresh noise on the same batch.
        player_steps: of encoder and decoder together; at 1 they reuse the discriminator's last pass.
        prior, ema, seed, name: see `Game`. The authors' code for images draws uniform codes in (-1, 1).

    References:
        Chen et al. 2018, "Symmetric Variational Autoencoder and Connections to Adversarial Learning", eq. 14.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        joint_discriminator: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        cycle_discriminator: keras.Model | None = None,
        posterior="implicit",
        likelihood="implicit",
        cycle: str = "l1",
        cycle_weight: float = 0.0,
        discriminator_steps: int = 1,
        player_steps: int = 1,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "svae",
    ):
        super().__init__(
            encoder,
            decoder,
            joint_discriminator,
            cycle_discriminator,
            data_shape,
            latent_dim,
            posterior,
            likelihood,
            cycle,
            cycle_weight,
            discriminator_steps,
            player_steps,
            prior,
            ema,
            seed,
            name,
        )

    def gain(self, logit):
        return logit
