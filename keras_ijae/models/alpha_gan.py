"""alpha-GAN: an auto-encoder between two discriminators."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import Common, Game, Move, Phase, Played, Preset
from keras_ijae.game.roles import CODE_DISCRIMINATOR, DECODER, DISCRIMINATOR, ENCODER, labelled
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks

JUDGES = ("discriminator", "code_discriminator")
THEIRS = {"discriminator": {"discriminator_norm": "batch"}, "code_discriminator": {"width": 700, "depth": 2}}


def _third_party(model):
    return {move.name: keras.optimizers.Adam(8e-4, beta_1=0.5, beta_2=0.9) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class AlphaGAN(Game):
    """alpha-GAN: likelihood and KL of the variational bound replaced by discriminators D(x) and C(z).

    With z ~ p(z), z_q = E(x), x_f = G(z), x_r = G(z_q), logits D and C, and R(l) = -l ("log_ratio") or
    softplus(-l) ("non_saturating"):

        L_D = E softplus(-D(x)) + (E softplus(D(x_r)) + E softplus(D(x_f))) / 2     1 = data; the logit is 0 at equality
        L_C = E softplus(-C(z)) + E softplus(C(z_q))                                     1 = prior
        L_E = l1 mean |x - x_r| + R(C(z_q)) [+ R(D(x_r))] [+ code_cycle mean |E(x_f) - z|]
        L_G = l1 mean |x - x_r| + R(D(x_r)) + R(D(x_f)) [+ code_cycle mean |E(x_f) - z|]

    Both means are over the dimensions and the batch: `l1_mean_weight` w is a Laplace likelihood of scale
    (dimensions / w), as a text that sums over pixels would write it.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        discriminator: D, observations -> logits (batch, 1).
        code_discriminator: C, codes -> logits (batch, 1); without batch normalisation.
        l1_mean_weight: weight of the mean absolute error, at least 0; a run-time scalar. The third-party code that its
            authors advised has 40 for images in [-1, 1], where errors are twice as large: 80 here, as in the preset.
            10 gave better samples of MNIST than 40, and somewhat larger errors of reconstructions.
        objective: R, "log_ratio" or "non_saturating"; "tfgan:least_squares" and the like replace softplus and R by
            TF-GAN's losses.
        code_cycle_mean_weight: weight of the mean absolute error of codes, at least 0, a run-time scalar; None: there
            is no such term.
        encoder_sees_discriminator: whether R(D(x_r)) is part of L_E, as in that code, and not in the paper.
        common: see `Game`.

    References:
        Rosca et al. 2017, algorithm 1, with prior and posterior in the order that its authors confirmed. The numbers
        of preset="paper" are those of that third-party code for CIFAR-10, since the paper's are not public: batch
        normalisation but in C, C of 2 x 700 units, Adam(8e-4, 0.5, 0.9). That code plays E and G twice in a step, and
        lets E see D; here each network moves once, and E does not, as in the paper. The defaults differ from both:
        running averages of E and G (`ema`), spectral normalisation of D and C in the default networks,
        Adam(2e-3, 0.5, 0.9), `l1_mean_weight` of 10; rate and weight were chosen on MNIST (docs/defaults.md).
    """

    ROLES = labelled(ENCODER.but(takes_noise=True), DECODER, DISCRIMINATOR, CODE_DISCRIMINATOR)
    PRESETS = {
        "paper": Preset(_third_party, Networks(norm="batch", spectral=False, roles=THEIRS), {"l1_mean_weight": 80.0})
    }

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        code_discriminator: keras.Model,
        l1_mean_weight: float = 10.0,
        objective: str = "non_saturating",
        code_cycle_mean_weight: float | None = None,
        encoder_sees_discriminator: bool = False,
        **common: Unpack[Common],
    ):
        judges = {"discriminator": discriminator, "code_discriminator": code_discriminator}
        super().__init__({"encoder": encoder, "decoder": decoder, **judges}, **common)
        self.objective = losses.check_objective(objective, ("log_ratio", "non_saturating"))
        self.l1_mean_weight = self.weight("l1_mean_weight", l1_mean_weight)
        self.code_cycle_mean_weight = self.weight("code_cycle_mean_weight", code_cycle_mean_weight, optional=True)
        self.encoder_sees_discriminator = checks.flag("encoder_sees_discriminator", encoder_sees_discriminator)
        self.moves = tuple(Move(role.name, (role.name,)) for role in self.ROLES)
        self.phases = (Phase("discriminators", JUDGES), Phase("players", ("encoder", "decoder"), reuse=True))
        self.ready()

    def default_optimizers(self):
        return {role: keras.optimizers.Adam(2e-3, beta_1=0.5, beta_2=0.9) for role in self.networks}

    def noise(self, draws):
        return {"z": draws.rows("z", self.prior.sample), "code": draws.normal("code", self.code_noise_dim)}

    def forward(self, batch, noise, phase):
        code = self.codes(batch.x, noise["code"], batch.labels, training=True)
        rec, fake = (self.outputs(z, labels=batch.labels, training=True) for z in (code, noise["z"]))
        return {"code": code, "rec": rec, "fake": fake}

    def losses(self, batch, noise, phase, forward):
        return (self._judge if phase == "discriminators" else self._play_players)(batch, noise, forward)

    def _judge(self, batch, noise, forward):
        labels = batch.labels
        code, rec, fake = (tf.stop_gradient(forward[key]) for key in ("code", "rec", "fake"))
        real, *both = logits(self.discriminator, [batch.x, labels], [rec, labels], [fake, labels])
        both = tf.concat(both, axis=0)
        prior, posterior = logits(self.code_discriminator, [noise["z"], labels], [code, labels])
        judged = losses.discriminator_logs("discriminator", real, both) | losses.discriminator_logs(
            "code_discriminator", prior, posterior
        )
        return Played(
            {
                "discriminator": losses.discriminator_loss(real, both, self.objective),
                "code_discriminator": losses.discriminator_loss(prior, posterior, self.objective),
            },
            judged,
        )

    def _play_players(self, batch, noise, forward):
        """L_E and L_G."""
        x, labels = batch
        l1 = tf.reduce_mean(tf.abs(x - tf.cast(forward["rec"], x.dtype)))
        shared, logs = tf.cast(tf.convert_to_tensor(self.l1_mean_weight), l1.dtype) * l1, {"absolute_error_mean": l1}
        if self.code_cycle_mean_weight is not None:
            again = self.codes(forward["fake"], noise["code"], labels, training=True)
            cycle = tf.reduce_mean(tf.abs(again - noise["z"]))
            shared += tf.cast(tf.convert_to_tensor(self.code_cycle_mean_weight), l1.dtype) * cycle
            logs["code_cycle_l1_mean"] = cycle
        judges = {"code": self.code_discriminator, "rec": self.discriminator, "fake": self.discriminator}
        code, rec, fake = (
            losses.generator_loss(logits(judge, [forward[key], labels])[0], self.objective)
            for key, judge in judges.items()
        )
        encoder = shared + code + rec if self.encoder_sees_discriminator else shared + code
        return Played({"encoder": encoder, "decoder": shared + rec + fake}, logs)
