"""The introspective variational auto-encoder."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.distributions import posteriors
from keras_ijae.game import FixedPrior, Game, Move, Phase, Played, Preset
from keras_ijae.game.roles import DECODER, ENCODER, labelled
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks


def _authors(model):
    return {move.name: keras.optimizers.Adam(2e-4) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class IntroVAE(Game):
    """Introspective VAE: its encoder tells real from fake by the KL of the code, and needs no discriminator.

    With z ~ q(z|x), reconstructions x_r = G(z), samples x_p = G(z_p), z_p ~ N(0, I), and K(x) = KL(q(z|x) || N(0, I))
    in nats, in closed form:

        L_AE = E ||x - x_r||^2                                           a sum over dimensions
        L_E  = E K(x) + adversarial_weight sum_{s=r,p} E [margin - K(sg(x_s))]_+  + reconstruction_weight L_AE
        L_G  =          adversarial_weight sum_{s=r,p} E K(x_s)                   + reconstruction_weight L_AE

    sg(.) passes no gradient: no move of E reaches G through what G made. In this order on each batch; G moves against
    the encoder that has moved, with the z, x_r and x_p from before. [.]_+ is of each example. As everywhere, E's
    gradient of L_AE goes through G, and G's of K(x_s) through E, and each moves itself alone. E and G are given the
    label too where there are `classes`.

    Args:
        encoder: E, observations -> parameters of the posterior, (batch, posterior units).
        decoder: G, codes -> observations.
        posterior: "diagonal" or "full".
        margin: m, nats, above 0; a run-time scalar. It must be above the K of data, which grows with the
            `reconstruction_weight` and the size of the codes, or nothing is told apart.
        adversarial_weight: alpha, at least 0; a run-time scalar; 0 for a VAE at first.
        reconstruction_weight: beta, at least 0; a run-time scalar.
        common: see `Game`; the prior is N(0, I).

    References:
        Huang, Li, He, Sun & Tan 2018, algorithm 1, eqs. 11 and 12. preset="paper" is its code's run for CelebA-HQ at
        256 x 256 with codes of 512 dimensions, on networks of ours: margin 120, alpha 0.25, beta 0.05, residual
        networks with batch normalisation, Adam(2e-4). The paper says margins of about 100, alpha 0.25 and beta between
        0.0025 and 0.5. In the code [.]_+ is of the mean over the batch, and alpha in L_G is 0.5. Not in the preset:
        their channels (32 to 512 in six stages), batches of 16. The defaults differ from the paper: numbers that suit
        codes of 16 to 32 dimensions of small images, where K is 10 to 30 nats; convolutions with group normalisation.
    """

    ROLES = labelled(ENCODER, DECODER)
    PRESETS = {
        "paper": Preset(
            _authors,
            Networks(family="resnet", norm="batch"),
            {"margin": 120.0, "adversarial_weight": 0.25, "reconstruction_weight": 0.05},
        )
    }

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        posterior: Any = "diagonal",
        margin: float = 40.0,
        adversarial_weight: float = 0.25,
        reconstruction_weight: float = 1.0,
        **common: Unpack[FixedPrior],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder}, **common)
        self.posterior_family = self.posterior_kind = posteriors.get(posterior, self.latent_dim)
        if not self.posterior_family.has_kl:
            raise ValueError(
                f"Argument `posterior` must have a KL in closed form, as 'diagonal' or 'full'. Received: {posterior!r}"
            )
        checks.number("margin", margin, above=0)
        self.margin = self.scalar("margin", margin)
        self.adversarial_weight = self.weight("adversarial_weight", adversarial_weight)
        self.reconstruction_weight = self.weight("reconstruction_weight", reconstruction_weight)
        self.moves = (Move("encoder", ("encoder",)), Move("decoder", ("decoder",)))
        self.phases = (Phase("encoder", ("encoder",)), Phase("decoder", ("decoder",), reuse=True))
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5) for move in self.moves}

    def noise(self, draws):
        return {"code": draws.normal("code", self.code_noise_dim), "z": draws.rows("z", self.prior.sample)}

    def forward(self, batch, noise, phase):
        x, labels = batch
        params = self.parameters(x, labels, training=True)
        z = self.posterior_family.draw(params, noise["code"])
        rec, fake = (self.outputs(code, labels=labels, training=True) for code in (z, noise["z"]))
        return {"params": params, "rec": rec, "fake": fake}

    def losses(self, batch, noise, phase, forward):
        x, made = batch.x, (forward["rec"], forward["fake"])
        error = tf.reshape(x - tf.cast(forward["rec"], x.dtype), [batch.rows, -1])
        error = tf.reduce_mean(tf.reduce_sum(error**2, axis=1))
        margin, alpha, beta = (
            tf.cast(tf.convert_to_tensor(scalar), error.dtype)
            for scalar in (self.margin, self.adversarial_weight, self.reconstruction_weight)
        )
        if phase == "decoder":
            kl = sum(tf.reduce_mean(k) for k in self._kls(made, batch.labels))
            return Played({"decoder": alpha * kl + beta * error})
        of_data = tf.reduce_mean(self.posterior_family.kl(forward["params"]))
        rec, fake = self._kls([tf.stop_gradient(image) for image in made], batch.labels)
        short = sum(tf.reduce_mean(tf.nn.relu(margin - kl)) for kl in (rec, fake))
        logs = {"squared_error_sum": error, "kl_nats_sum": of_data}
        logs |= {"kl_rec_nats_sum": tf.reduce_mean(rec), "kl_fake_nats_sum": tf.reduce_mean(fake)}
        return Played({"encoder": of_data + alpha * short + beta * error}, logs)

    def measures(self, batch, noise):
        kl = self.posterior_family.kl(self.parameters(*batch))
        made = self.outputs(noise["z"], labels=batch.labels)
        fake = self.posterior_family.kl(self.parameters(made, batch.labels))
        return super().measures(batch, noise) | {"kl_nats_sum": kl, "kl_fake_nats_sum": fake}

    def _kls(self, images, labels):
        """K of each batch of images: (batch,) nats."""
        return [self.posterior_family.kl(params) for params in logits(self.encoder, *([x, labels] for x in images))]
