"""The VAE with the implicit optimal prior."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions.priors import ImplicitOptimalPrior
from keras_ijae.game import Move, Phase, Played, Preset
from keras_ijae.game.roles import CODE_DISCRIMINATOR, DECODER, ENCODER
from keras_ijae.models.bounds import code_and_kl, kl_weight, learned
from keras_ijae.models.judging import logits
from keras_ijae.models.vae import OwnPriorArguments, Variational
from keras_ijae.networks import Networks

NETWORKS = Networks(family="mlp", width=500, depth=3, norm="none", spectral=False, hidden_activation="tanh")


def _authors(model):
    return {"code_discriminator": keras.optimizers.Adam(1e-3), "auto_encoder": keras.optimizers.Adam(1e-4)}


@keras.saving.register_keras_serializable("keras_ijae")
class IOPVAE(Variational):
    """VAE whose prior is the distribution of its own codes, q(z) = E_x q(z|x), which is the optimal one.

    KL(q(z|x) || q(z)) is KL(q(z|x) || N(0, I)) - E T, T = log q(z) / N(z; 0, I). A discriminator C of codes, with label
    1 = N(0, I), gives T = -C(z). With z_q ~ q(z|x), z ~ N(0, I), in each step first C, then E and G:

        L_C     = E softplus(-C(z)) + E softplus(C(z_q))
        L_{E,G} = E_x [ -log p(x|z_q) + beta (KL(q(z|x) || N(0, I)) - w T(z_q)) ]      C does not move, z_q does

    With w = 0, or T = 0, this is the VAE. With w = `ratio_weight` = 1, the paper's, nothing holds codes near N(0, I):
    what is left beside -log p is their information on x, which no map of all codes changes. Else, for the exact T, the
    sum in brackets is KL(q(z|x) || q(z)) + (1 - w) KL(q(z) || N(0, I)): codes stay where draws of N(0, I) come.

    Samples are those of `ImplicitOptimalPrior`. T is an estimate and e^T N(0, I) need not integrate to 1: there are no
    bounds of log p(x), and what is logged as "kl_estimate_sum" may be below KL(q(z|x) || q(z)).

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape): logits for "bernoulli", else means.
        code_discriminator: C, codes -> logits (batch, 1).
        posterior: "diagonal", "full" or "planar", or a `Posterior` with codes in R^latent_dim.
        likelihood: "bernoulli", "gaussian", "laplace", "discretized_logistic" or a `Likelihood` with a density.
        beta: weight of the KL, at least 0; a run-time scalar.
        warm_up_steps: steps over which beta grows linearly from 0; 0: it does not.
        discriminator_steps: moves of C in a step, each with codes drawn anew, at least 1.
        candidates: M, of which a sample is one, at least 1.
        ratio_weight: w, in [0, 1]; a run-time scalar.
        variational: the rest is common to all systems, see `Game`.

    References:
        Takahashi, Iwata, Yamanaka, Yamada & Yagi 2019, "Variational Autoencoder with Implicit Optimal Priors", as
        recalled, and their public code, where label 1 is the codes. They move C for 10 passes over the data after each
        pass of E and G; here it moves `discriminator_steps` times in each step. preset="paper" has that as 10, three
        layers of 500 tanh units, and Adam at 1e-4 for E and G and at 1e-3 for C. Not in it: their dropout of 0.5 in the
        last layer of C, batches of 100, 40 latent dimensions, and a warm-up of 100 passes. Their code does not sample.
        The defaults have a running average of E and G (`ema`) and w = 0.5, which the paper has not: at 1 codes moved
        away from N(0, I), C was soon always right, and no draw of N(0, I) was like a code any more (on MNIST after 700
        steps 99 times out of 100). A C whose slope is held, by spectral normalisation, hardly tells codes from draws:
        samples were then those of the VAE.
    """

    ROLES = (ENCODER, DECODER, CODE_DISCRIMINATOR.but(spectral=lambda arguments: False))
    PRESETS = {"paper": Preset(_authors, NETWORKS, {"discriminator_steps": 10, "ratio_weight": 1.0})}
    HAS_LOG_RATIO = True
    UNCONDITIONAL = "its prior is one density for the codes of all labels"

    def __init__(
        self,
        *,
        code_discriminator: keras.Model,
        beta: float = 1.0,
        warm_up_steps: int = 0,
        discriminator_steps: int = 5,
        candidates: int = 1024,
        ratio_weight: float = 0.5,
        **variational: Unpack[OwnPriorArguments],
    ):
        super().__init__({"code_discriminator": code_discriminator}, **variational)
        self.prior, self.base_prior = ImplicitOptimalPrior(self.latent_dim, candidates), self.prior
        self.prior.belong_to(self)
        self.candidates = self.prior.candidates
        self.beta, self.warm_up_steps = self.weight("beta", beta), checks.whole("warm_up_steps", warm_up_steps, 0)
        self.ratio_weight = self.scalar("ratio_weight", ratio_weight, 0, 1)
        self.discriminator_steps = checks.repeats("discriminator_steps", discriminator_steps)
        self.moves = (
            Move("code_discriminator", ("code_discriminator",)),
            Move("auto_encoder", ("encoder", "decoder", *learned(self, "likelihood", "posterior_family"))),
        )
        self.phases = (
            Phase("code_discriminator", ("code_discriminator",), repeats=self.discriminator_steps, once=True),
            Phase("auto_encoder", ("auto_encoder",), reuse=True),
        )
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3) for move in self.moves}

    def log_ratio(self, z: tf.Tensor) -> tf.Tensor:
        """T, the estimate of log q(z) / N(z; 0, I): (batch,) nats, for codes (batch, latent_dim)."""
        return -tf.cast(self.code_discriminator(z, training=False), z.dtype)[:, 0]

    def noise(self, draws):
        return {name: draws.normal(name, self.code_noise_dim) for name in ("code", "judged")} | {
            "z": draws.normal("z", self.latent_dim)
        }

    def forward(self, batch, noise, phase):
        return {"params": self.parameters(batch.x, training=True)}

    def losses(self, batch, noise, phase, forward):
        play = self._judge if phase == "code_discriminator" else self._play
        return play(batch.x, noise, forward["params"])

    def _judge(self, x, noise, params):
        codes = tf.stop_gradient(self.posterior_family.draw(params, noise["judged"]))
        real, fake = logits(self.code_discriminator, [noise["z"]], [codes])
        logs = losses.discriminator_logs("code_discriminator", real, fake)
        return Played({"code_discriminator": losses.discriminator_loss(real, fake)}, logs)

    def _play(self, x, noise, params):
        z, kl_to_normal = code_and_kl(self.posterior_family, self.base_prior, params, noise["code"])
        log_likelihood = tf.reduce_mean(self.observation_model.log_prob(self.outputs(z, training=True), x))
        kl_to_normal, weight = tf.reduce_mean(kl_to_normal), kl_weight(self, kl_to_normal.dtype)
        ratio = tf.cast(tf.reduce_mean(self.log_ratio(z)), kl_to_normal.dtype)
        share = tf.cast(tf.convert_to_tensor(self.ratio_weight), ratio.dtype)
        logs = {"negative_log_likelihood_sum": -log_likelihood, "kl_to_normal_nats_sum": kl_to_normal, "beta": weight}
        loss = weight * (kl_to_normal - share * ratio) - log_likelihood
        return Played({"auto_encoder": loss}, {**logs, "kl_estimate_sum": kl_to_normal - ratio})
