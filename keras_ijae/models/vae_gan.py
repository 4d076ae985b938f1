"""VAE-GAN: an auto-encoder whose errors are measured inside a discriminator."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions import posteriors
from keras_ijae.game import Common, Game, Move, Phase, Played, Preset
from keras_ijae.game.roles import DECODER, DISCRIMINATOR, ENCODER, labelled
from keras_ijae.models.bounds import check_densities, code_and_kl, density_noise, learned, prior_noise
from keras_ijae.models.judging import Features, logits
from keras_ijae.networks import Networks

FAKES = ("samples", "samples_and_reconstructions")
COSTS = ("discriminator_real_cost", "discriminator_fake_cost")


def _authors(model):
    return {move.name: keras.optimizers.RMSprop(0.025 / 64) for move in model.moves}


@keras.saving.register_keras_serializable("keras_ijae")
class VAEGAN(Game):
    """VAE-GAN: a VAE whose likelihood is of features inside the discriminator of a GAN.

    With data x, z_q ~ q(z|x), x_r = G(z_q), z ~ p(z), x_p = G(z), logits D, features D_l of `feature_layer`, and R
    as in `ki.losses.generator_loss`:

        L_like  = E ||D_l(x) - D_l(x_r)||^2 / (2 feature_scale^2)            a sum over features, in nats
        L_prior = E KL(q(z|x) || p(z))
        L_D     = E softplus(-D(x)) + E softplus(D(fake))                    1 = data; the logit is 0 at equality
        L_E     = L_prior + L_like                                           nothing of L_D
        L_G     = gamma L_like + R(D(fake))

    L_like moves E and G, and not D, of whose features it is. Fakes are samples x_p, or x_p and x_r counted by halves.
    All three move at once, from one forward pass, and each step holds back D or G where the game is out of balance:
    with the costs c_1 = E softplus(-D(x)) and c_0 = E softplus(D(fake)), D rests where one of them is below
    `equilibrium` - `margin`, G where one is above `equilibrium` + `margin`, neither where both would.

    Args:
        encoder: E, observations -> parameters of the posterior (batch, posterior units).
        decoder: G, codes -> observations.
        discriminator: D, observations -> logits (batch, 1): a functional or sequential model.
        posterior: "diagonal", "full" or "planar" (a flow), or a `Posterior`.
        feature_layer: of the discriminator, by name or index; None: its last feature map, or in a network of dense
            layers its last hidden layer.
        feature_scale: standard deviation of the likelihood at each feature, above 0.
        gamma: weight of L_like against R in L_G, at least 0; a run-time scalar.
        fakes: "samples" or "samples_and_reconstructions".
        objective: R, "non_saturating", "minimax" (the paper's) or "log_ratio"; or a loss of TF-GAN, which replaces
            L_D too.
        equilibrium, margin: of the balance, numbers above 0 and at least 0; margin=None: nobody rests.
        common: see `Game`. The prior is any with a density wherever codes are.

    References:
        Larsen, Sonderby, Larochelle & Winther 2016, "Autoencoding beyond pixels using a learned similarity metric",
        eqs. 5 to 8 and algorithm 1; numbers and the balance from its code. preset="paper" is RMSProp at 0.025 / 64
        (their rate over their batch of 64), batch normalisation, minimax, gamma of 1e-5 and unit features. There gamma
        weighs L_like against (1 - gamma) R. Not in it: their networks, the decay of their rate. Their fakes for CelebA
        and CIFAR-10 are samples alone, as by default here. The defaults differ from the paper: running averages of E
        and G (`ema`), spectral normalisation of D in the default networks, Adam, `gamma`, and `feature_scale`, since
        features of a spectrally normalised D differ by much less than 1.
    """

    ROLES = labelled(ENCODER, DECODER.but(outputs=lambda arguments: "deterministic"), DISCRIMINATOR)
    PRESETS = {
        "paper": Preset(
            _authors,
            Networks(norm="batch", discriminator_norm="batch", spectral=False),
            {"objective": "minimax", "gamma": 1e-5, "feature_scale": 1.0},
        )
    }

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        posterior: Any = "diagonal",
        feature_layer: str | int | None = None,
        feature_scale: float = 0.3,
        gamma: float = 0.01,
        fakes: str = "samples",
        objective: str = "non_saturating",
        equilibrium: float = 0.68,
        margin: float | None = 0.35,
        **common: Unpack[Common],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder, "discriminator": discriminator}, **common)
        self.posterior_family = self.posterior_kind = posteriors.get(posterior, self.latent_dim)
        check_densities(self.posterior_family, self.prior)
        self.feature_layer = feature_layer
        self.features = Features(discriminator, feature_layer)
        self.feature_scale = checks.number("feature_scale", feature_scale, above=0)
        self.gamma = self.weight("gamma", gamma)
        self.fakes = checks.choice("fakes", fakes, FAKES)
        self.objective = losses.check_objective(objective)
        self.equilibrium = checks.number("equilibrium", equilibrium, above=0)
        self.margin = None if margin is None else checks.number("margin", margin, least=0, other="None")
        parts = learned(self, "posterior_family", "prior")
        self.moves = (
            Move("encoder", ("encoder", *parts)),
            *(Move(name, (name,)) for name in ("decoder", "discriminator")),
        )
        rules = (
            {} if self.margin is None else {"decoder": self._decoder_plays, "discriminator": self._discriminator_plays}
        )
        self.phases = tuple(
            Phase(move.name, (move.name,), reuse=index > 0, balance=rules.get(move.name))
            for index, move in enumerate(self.moves)
        )
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5) for move in self.moves}

    def noise(self, draws):
        code = draws.normal("code", self.code_noise_dim)
        return {"z": draws.rows("z", self.prior.sample), "code": code, **prior_noise(self.prior, draws)}

    def forward(self, batch, noise, phase):
        x, labels = batch  # what all three moves need: KL, errors of features, and logits
        params = self.parameters(x, labels, training=True)
        code, kl = code_and_kl(self.posterior_family, self.prior, params, noise["code"], noise.get("prior"))
        rec, sample = (self.outputs(z, labels=labels, training=True) for z in (code, noise["z"]))
        # One by one: each move looks at some of them, and nothing is passed back to the others.
        ((of_x, real),) = logits(self.features.with_logits, [x, labels])
        (fake,) = logits(self.discriminator, [sample, labels])
        if self.fakes == "samples":
            (of_rec,) = logits(self.features.alone, [rec, labels])
        else:
            ((of_rec, again),) = logits(self.features.with_logits, [rec, labels])
            fake = tf.concat([fake, again], axis=0)
        error = tf.reshape(tf.cast(of_x, x.dtype) - tf.cast(of_rec, x.dtype), [tf.shape(x)[0], -1])
        return {"kl": kl, "squared": tf.reduce_sum(error**2, axis=1), "real": real, "fake": fake}

    def losses(self, batch, noise, phase, forward):
        error, kl = tf.reduce_mean(forward["squared"]), tf.reduce_mean(forward["kl"])
        like = error / (2 * self.feature_scale**2)
        if phase == "encoder":
            logs = {"feature_squared_error_sum": error, "kl_nats_sum": kl}
            return Played({"encoder": tf.cast(kl, like.dtype) + like}, logs)
        real, fake = forward["real"], forward["fake"]
        costs = tf.reduce_mean(tf.nn.softplus(-real)), tf.reduce_mean(tf.nn.softplus(fake))
        logs = dict(zip(COSTS, costs, strict=True)) | losses.discriminator_logs("discriminator", real, fake)
        if phase == "discriminator":
            return Played({phase: losses.discriminator_loss(real, fake, self.objective)}, logs)
        gamma = tf.cast(tf.convert_to_tensor(self.gamma), like.dtype)
        return Played({phase: gamma * like + losses.generator_loss(fake, self.objective)}, logs)

    def measures(self, batch, noise):
        params = self.parameters(*batch)
        of_prior = density_noise(self.prior, noise, training=False)
        _, kl = code_and_kl(self.posterior_family, self.prior, params, noise["code"], of_prior)
        return super().measures(batch, noise) | {"kl_nats_sum": kl}

    def _balance(self, logs):
        """Whether D, and whether G, is to rest."""
        costs = [logs[name] for name in COSTS]
        discriminator = tf.reduce_min(costs) < self.equilibrium - self.margin
        return discriminator, tf.reduce_max(costs) > self.equilibrium + self.margin

    def _discriminator_plays(self, logs):
        discriminator_rests, decoder_rests = self._balance(logs)
        return ~discriminator_rests | decoder_rests

    def _decoder_plays(self, logs):
        discriminator_rests, decoder_rests = self._balance(logs)
        return ~decoder_rests | discriminator_rests
