"""The generative adversarial network."""

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.models import checks
from keras_ijae.models.game import Game
from keras_ijae.models.judging import logits
from keras_ijae.models.moves import Move, Phase, Played


@keras.saving.register_keras_serializable("keras_ijae")
class GAN(Game):
    """Generative adversarial network: k discriminator steps, then one step of the generator (`decoder`).

    With logits D(.), zeta = softplus, z ~ p(z) and x_f = G(z):

        L_D = E zeta(-D(x)) + E zeta(D(x_f))
        L_G = -E zeta(D(x_f))     objective="minimax"
            =  E zeta(-D(x_f))    objective="non_saturating"
            = -E D(x_f)           objective="log_ratio"

    or both as TF-GAN has them: objective="tfgan:least_squares", "tfgan:wasserstein_hinge", ...

    Args:
        decoder: G, (batch, latent_dim) -> (batch, *data_shape).
        discriminator: D, observations -> logits (batch, 1), 1 = data.
        objective: what the generator lowers, see `ki.losses.generator_loss`.
        discriminator_steps: k, each with fresh noise on the same batch.
        data_shape, latent_dim: None reads them off the decoder.
        prior, ema, seed, name: see `Game`.

    References:
        Goodfellow et al. 2014, algorithm 1; Mohamed & Lakshminarayanan 2016 (log ratio).
    """

    NETWORKS = ("decoder", "discriminator")

    def __init__(
        self,
        decoder: keras.Model,
        discriminator: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        objective: str = "non_saturating",
        discriminator_steps: int = 1,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "gan",
    ):
        data_shape, latent_dim = checks.sizes(decoder, data_shape, latent_dim)
        super().__init__(data_shape, latent_dim, prior, ema, seed, name)
        self.decoder, self.discriminator = decoder, discriminator
        self.objective = losses.check_objective(objective)
        self.discriminator_steps = discriminator_steps
        self.moves = (Move("discriminator", ("discriminator",)), Move("decoder", ("decoder",)))
        self.phases = (
            Phase("discriminator", ("discriminator",), repeats=discriminator_steps),
            Phase("decoder", ("decoder",), reuse=discriminator_steps == 1),
        )
        x, z = self.data_shape, (latent_dim,)
        self.ready(decoder=([z], x), discriminator=([x], (1,)))

    def default_optimizers(self):
        return {move: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in ("discriminator", "decoder")}

    def noise(self, draws):
        return {"z": draws.rows("z", self.prior.sample)}

    def forward(self, batch, noise):
        return {"fake": self.decoder(noise["z"], training=True)}

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            (fake,) = logits(self.discriminator, [forward["fake"]])
            return Played({"decoder": losses.generator_loss(fake, self.objective)})
        real, fake = logits(self.discriminator, [batch], [tf.stop_gradient(forward["fake"])])
        return Played(
            {"discriminator": losses.discriminator_loss(real, fake, self.objective)},
            losses.discriminator_logs("discriminator", real, fake),
        )

    def measures(self, batch, noise):
        real, fake = self.discriminator(batch), self.discriminator(self.decoder(noise["z"]))
        return {"discriminator_real_logit": real[:, 0], "discriminator_fake_logit": fake[:, 0]}
