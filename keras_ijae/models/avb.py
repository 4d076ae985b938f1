"""Adversarial variational Bayes."""

import math
from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses, random
from keras_ijae.distributions import likelihoods
from keras_ijae.distributions.supports import REALS
from keras_ijae.game import Common, Game, Move, Phase, Played, Preset, networks
from keras_ijae.game.roles import DECODER, ENCODER, POSTERIOR_DISCRIMINATOR, labelled
from keras_ijae.models import conditionals
from keras_ijae.models.bounds import check_density, density_noise, learned, log_prior, prior_noise
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks

LEAST_VARIANCE = 1e-4  # added to the codes' variance in the adaptive contrast, as in the authors' code


def _authors(model):
    return {
        "auto_encoder": keras.optimizers.Adam(5e-5, beta_1=0.5),
        "posterior_discriminator": keras.optimizers.Adam(1e-4, beta_1=0.5),
    }


@keras.saving.register_keras_serializable("keras_ijae")
class AVB(Game):
    """Adversarial variational Bayes: a VAE whose encoder is implicit, its KL estimated by a discriminator.

    With data x, z_q = E(x, xi), z ~ p(z), logits D(x, z), T = -D:

        L_D     = E softplus(-D(x, z)) + E softplus(D(x, z_q))           1 = prior: T* = log q(z|x) - log p(z)
        L_{E,G} = E [ -log p(x|z_q) + beta T(x, z_q) ]                   D is held fixed

    With adaptive contrast D compares with a Gaussian r(z|x) = N(mu(x), sigma(x)^2) near q(z|x) in the place of the
    prior, which is an easier task: with z~ = (z_q - mu) / sigma and e ~ N(0, I),

        L_D     = E softplus(-D(x, e)) + E softplus(D(x, z~))            T* = log q(z|x) - log r(z|x)
        L_{E,G} = E [ -log p(x|z_q) + beta (T(x, z~) + log r(z_q|x) - log p(z_q)) ]

    mu and sigma are the mean and standard deviation of `contrast_codes` codes of the same x, from noise that is always
    the same (pairs +-xi, drawn once from `seed`); no gradient passes through them. So r is a function of x, and the sum
    is KL(q(z|x) || p(z)) at the best D, however rough mu and sigma are. With fresh noise for them in each step
    it would fall short of it.

    Args:
        encoder: E, [x, noise] -> codes (batch, latent_dim).
        decoder: codes -> parameters of the likelihood: logits for "bernoulli", else means.
        posterior_discriminator: D, [x, z] -> logits (batch, 1); with adaptive contrast [x, z~].
        likelihood: "bernoulli", "gaussian", "laplace", "discretized_logistic" or a `Likelihood` with a density.
        beta: weight of the KL, at least 0; a run-time scalar.
        contrast_codes: of how many codes mu and sigma are taken, an even number; each is one more pass of E for x.
            None: no adaptive contrast.
        discriminator_steps: at 1 all networks move at once, from one evaluation of D, as in the paper; else first D, so
            often, with fresh noise on the same batch, then E and G.
        common: see `Game`. The prior is any with a density in all of R^latent_dim; one that learns needs adaptive
            contrast, since without it nothing but samples of the prior is in the loss.

    `evaluate` has the log-likelihood at one code per example, and "kl_estimate_sum", what D takes the KL for: no bound,
    and too low where D lags behind E or is held back: after 400 steps on MNIST it was 0.8 nats with the spectrally
    normalised D of the default networks and 4.1 without (spectral=False), each far below what a VAE pays there. So
    there is no ELBO; "loss" is the squared error of reconstructions.

    References:
        Mescheder, Nowozin & Geiger 2017, "Adversarial Variational Bayes", algorithm 1, section 3.3 for adaptive
        contrast. There mu and sigma are estimated in one pass of an encoder made for it (a linear combination of noise
        features); here they are of any encoder's codes. preset="paper" is Adam(5e-5, 0.5) for E and G, Adam(1e-4, 0.5)
        for D, as in their code for MNIST, on networks of ours without normalisation. Not in it: their networks, the log
        of the prior that they add to D, batches of 128. The defaults differ from the paper: running averages of E and G
        (`ema`), spectral normalisation of D in the default networks, rates, `contrast_codes`.
    """

    ROLES = labelled(
        ENCODER.but(takes_noise=True, outputs=lambda arguments: "implicit"), DECODER, POSTERIOR_DISCRIMINATOR
    )
    PRESETS = {"paper": Preset(_authors, Networks(norm="none", spectral=False))}

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        posterior_discriminator: keras.Model,
        likelihood: Any = "bernoulli",
        beta: float = 1.0,
        contrast_codes: int | None = None,
        discriminator_steps: int = 1,
        **common: Unpack[Common],
    ):
        judge = {"posterior_discriminator": posterior_discriminator}
        super().__init__({"encoder": encoder, "decoder": decoder, **judge}, **common)
        conditionals.check_implicit_encoder(encoder, self.classes)
        check_density(self.prior, REALS, "implicit encoders")
        self.likelihood = self.observation_model = likelihoods.get(likelihood, self.data_shape)
        if not self.likelihood.has_log_prob:
            raise ValueError(f"Argument `likelihood` must have a density. Received: {likelihood!r}")
        self.beta = self.weight("beta", beta)
        self.contrast_codes = _even(contrast_codes)
        self.discriminator_steps = checks.repeats("discriminator_steps", discriminator_steps)
        self.moves, self.phases = self._game()
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5) for move in self.moves}

    def noise(self, draws):
        contrast = self.contrast_codes is not None  # then "z" is e
        return {
            "code": draws.normal("code", self.code_noise_dim),
            "z": draws.normal("z", self.latent_dim) if contrast else draws.rows("z", self.prior.sample),
            **prior_noise(self.prior, draws),
        }

    def forward(self, batch, noise, phase):
        code = self.codes(batch.x, noise["code"], batch.labels, training=True)
        return {"code": code, **self._contrast(batch, code, noise, training=True)}

    def losses(self, batch, noise, phase, forward):
        x, labels = batch
        played = Played()
        # One by one: what the prior's codes are told is not passed back to them.
        (code_logit,) = logits(self.posterior_discriminator, [x, forward["judged"], labels])
        if phase != "auto_encoder":
            (prior_logit,) = logits(self.posterior_discriminator, [x, noise["z"], labels])
            played.losses["posterior_discriminator"] = losses.discriminator_loss(prior_logit, code_logit)
            played.logs |= losses.discriminator_logs("posterior_discriminator", prior_logit, code_logit)
        if phase != "posterior_discriminator":
            outputs = self.outputs(forward["code"], labels=labels, training=True)
            terms = self._terms(outputs, x, code_logit, forward)
            log_likelihood, kl = (tf.reduce_mean(term) for term in terms.values())
            beta = tf.cast(tf.convert_to_tensor(self.beta), kl.dtype)
            played.losses["auto_encoder"] = beta * kl - tf.cast(log_likelihood, kl.dtype)
            played.logs |= dict(zip(terms, (log_likelihood, kl), strict=True))
        return played

    def measures(self, batch, noise):
        code = self.codes(batch.x, noise["code"], batch.labels)
        contrast = self._contrast(batch, code, noise, training=False)
        logit = networks.call(self.posterior_discriminator, [batch.x, contrast["judged"], batch.labels])
        outputs = self.outputs(code, labels=batch.labels)
        return super().measures(batch, noise) | self._terms(outputs, batch.x, logit, contrast)

    def _terms(self, outputs, x, logit, contrast):
        """log p(x|z_q), and what D takes KL(q(z|x) || p(z)) for: (batch,) each."""
        unit = "nats" if self.observation_model.discrete else "density_nats"
        kl = contrast["log_ratio"] - logit[:, 0]
        return {f"log_likelihood_{unit}_sum": self.observation_model.log_prob(outputs, x), "kl_estimate_sum": kl}

    def _contrast(self, batch, code, noise, training):
        """What D sees of codes, and the part of the KL that it leaves, log r(z|x) - log p(z): (batch,)."""
        if self.contrast_codes is None:
            return {"judged": code, "log_ratio": tf.zeros_like(code[:, 0])}
        mean, scale = self._moments(batch, code.dtype, training)
        judged = (code - mean) / scale
        of_prior = density_noise(self.prior, noise, training)
        log_r = -tf.reduce_sum(judged**2 / 2 + tf.math.log(scale) + math.log(2 * math.pi) / 2, axis=1)
        return {"judged": judged, "log_ratio": log_r - log_prior(self.prior, code, of_prior)}

    def _moments(self, batch, dtype, training):
        """mu and sigma: mean and standard deviation of codes from always the same noise, (batch, latent_dim) each."""
        x, labels = batch.each(lambda part: tf.repeat(part, self.contrast_codes, axis=0))
        noise = tf.tile(tf.cast(self.contrast_noise(), dtype), [batch.rows, 1])
        codes = tf.stop_gradient(self.codes(x, noise, labels, training))
        codes = tf.reshape(codes, [-1, self.contrast_codes, self.latent_dim])
        mean, variance = tf.nn.moments(codes, [1])
        return mean, tf.sqrt(variance + LEAST_VARIANCE)

    def contrast_noise(self) -> tf.Tensor:
        """The noise of the codes of which mu and sigma are taken: (contrast_codes, noise of a code)."""
        half = random.normal(
            [self.contrast_codes // 2, self.code_noise_dim], random.fold(self.seed, "adaptive contrast")
        )
        return tf.concat([half, -half], axis=0)

    def _game(self):
        parts = learned(self, "likelihood", *(() if self.contrast_codes is None else ("prior",)))
        judge = "posterior_discriminator"
        moves = Move("auto_encoder", ("encoder", "decoder", *parts)), Move(judge, (judge,))
        if self.discriminator_steps == 1:
            return moves, (Phase("all", ("auto_encoder", judge)),)
        return moves, (
            Phase(judge, (judge,), repeats=self.discriminator_steps),
            Phase("auto_encoder", ("auto_encoder",)),
        )


def _even(codes):
    if codes is None or checks.size("contrast_codes", codes, 2) % 2 == 0:
        return codes
    raise ValueError(f"Argument `contrast_codes` must be an even number, or None. Received: contrast_codes={codes!r}")
