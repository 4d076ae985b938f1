"""The implicit lambda-Jeffreys auto-encoder."""

import warnings
from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions import likelihoods
from keras_ijae.game import Common, Game, Move, Phase, Played, Role
from keras_ijae.game.roles import DECODER, DISCRIMINATOR, ENCODER, POSTERIOR_DISCRIMINATOR, labelled
from keras_ijae.models import conditionals
from keras_ijae.models.bounds import check_densities, code_and_kl, learned, prior_noise
from keras_ijae.models.judging import logits

LIKELIHOOD_DISCRIMINATOR = Role("likelihood_discriminator", "discriminator", ("x", "z", "y"))


@keras.saving.register_keras_serializable("keras_ijae")
class IJAE(Game):
    """lambda-IJAE: lowers lam KL(p* || p_G) + (1 - lam) KL(p_G || p*), the first through an implicit variational bound.

    With data x, z_p ~ p(z), z_q = E(x, xi), x_f = G(z_p), x_r = G(z_q), a symmetric likelihood r, y_1 ~ r(.|x),
    y_0 ~ r(.|x_r), logits psi = D(x), tau = D(x, z, y), zeta = D(x, z):

        L_psi  = E softplus(-psi(x)) + E softplus(psi(x_f))                        1 = data
        L_tau  = E softplus(-tau(x, z_q, y_1)) + E softplus(tau(x, z_q, y_0))      1 = data, shifted; 0 = x_r, shifted
        L_zeta = E softplus(-zeta(x, z_p)) + E softplus(zeta(x, z_q))              1 = prior
        L_G    = -(1 - lam) E psi(x_f) - lam E tau(x, z_q, x_r)                    x_r is not shifted
        L_E    = -lam E [ tau(x, z_q, x_r) + zeta(x, z_q) ]

    At the optimum psi estimates log p*/p_G, tau log r(y|x)/r(y|x_r) and zeta log p(z)/q(z|x). With an explicit
    posterior, -E zeta is replaced by KL(q(z|x) || p(z)), in closed form for a Gaussian and N(0, I). L_G and L_E are
    linear in the logits: keep the discriminators Lipschitz by spectral normalisation (the default networks) or
    `r1_weight`.

    Args:
        encoder: E: [x, noise] -> codes (implicit), x -> codes (deterministic), x -> posterior parameters (explicit).
        decoder: G, codes -> observations.
        discriminator: psi, [x] -> logits (batch, 1).
        likelihood_discriminator: tau, [x, z, y] -> logits (batch, 1).
        posterior_discriminator: zeta, [x, z] -> logits (batch, 1); None with an explicit posterior.
        lam: lambda in [0, 1]; a run-time scalar. At 0 the encoder learns nothing (a warning says so). Under optimizers
            that ignore the scale of the loss, such as Adam, only the weights inside L_G depend on it.
        likelihood: r: "cyclic_shift" or "shift_gaussian" (images), "gaussian" or "laplace", all of scale 0.1 by name,
            or any `Likelihood` that is symmetric with a fixed scale; "auto" is "cyclic_shift" on images, "gaussian" on
            vectors; see `likelihoods.get_symmetric`. It perturbs what tau compares and is no noise of the model:
            samples are G(z).
        posterior: "implicit", "deterministic", "diagonal" or "full".
        discriminator_steps: k_D, each with fresh noise on the same batch.
        r1_weight: of R1, E ||grad D||^2 at label 1, of all discriminators, at least 0; a run-time scalar. None: there
            is no such term.
        common: see `Game`. With an explicit posterior the prior is any with a density wherever codes are,
            which this system does not train.

    References:
        Alanov, Kochurov, Sobolev, Yashkov & Vetrov 2019, "Implicit lambda-Jeffreys Autoencoders". The law of the
        shifts, networks, optimizers and the number of discriminator steps are open there, and choices here: so are the
        running averages of E and G (`ema`) and the spectral normalisation of the default discriminators. Therefore
        there is no preset "paper".
    """

    ROLES = labelled(
        ENCODER.but(takes_noise=True),
        DECODER.but(outputs=lambda arguments: "deterministic"),
        DISCRIMINATOR,
        LIKELIHOOD_DISCRIMINATOR,
        POSTERIOR_DISCRIMINATOR.but(
            needed=lambda arguments: arguments["posterior"] in conditionals.WITHOUT_DENSITY, because="posterior"
        ),
    )

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        likelihood_discriminator: keras.Model,
        posterior_discriminator: keras.Model | None = None,
        lam: float = 0.3,
        likelihood: Any = "auto",
        posterior: Any = "implicit",
        discriminator_steps: int = 1,
        r1_weight: float | None = None,
        **common: Unpack[Common],
    ):
        judges = {
            "discriminator": discriminator,
            "likelihood_discriminator": likelihood_discriminator,
            "posterior_discriminator": posterior_discriminator,
        }
        super().__init__({"encoder": encoder, "decoder": decoder, **judges}, **common)
        self.posterior_kind = posterior
        self.posterior_family = conditionals.posterior(posterior, encoder, self.latent_dim, self.classes)
        if self.posterior_family is not None:
            check_densities(self.posterior_family, self.prior)
        self.likelihood = likelihoods.get_symmetric(likelihood, self.data_shape)
        self.lam, self.r1_weight = self._lam(lam), self.weight("r1_weight", r1_weight, optional=True)
        self.discriminator_steps = checks.repeats("discriminator_steps", discriminator_steps)
        judges = tuple(role for role, network in judges.items() if network is not None)
        encoder = Move("encoder", ("encoder", *learned(self, "posterior_family")))
        self.moves = (encoder, *(Move(role, (role,)) for role in ("decoder", *judges)))
        self.phases = (
            Phase("discriminators", judges, repeats=self.discriminator_steps),
            Phase("players", ("encoder", "decoder"), reuse=True),
        )
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in self.moves}

    def noise(self, draws):
        shift = self.likelihood.noise_shape(self.data_shape)
        return {
            "z": draws.rows("z", self.prior.sample),
            "code": draws.normal("code", self.code_noise_dim),
            "real": draws.uniform("real", *shift),
            "rec": draws.uniform("rec", *shift),
            **prior_noise(self.prior, draws),
        }

    def forward(self, batch, noise, phase):
        x, labels = batch
        if self.posterior_family is None:
            code, kl = self.codes(x, noise["code"], labels, training=True), None
        else:
            params = self.parameters(x, labels, training=True)
            code, kl = code_and_kl(self.posterior_family, self.prior, params, noise["code"], noise.get("prior"))
        rec, fake = (self.outputs(z, labels=labels, training=True) for z in (code, noise["z"]))
        return {"code": code, "rec": rec, "fake": fake, "kl": kl}

    def losses(self, batch, noise, phase, forward):
        return (self._judge if phase == "discriminators" else self._play_players)(batch, noise, forward)

    def _judge(self, batch, noise, forward):
        """L_psi, L_tau and L_zeta: name -> (discriminator, its inputs of label 1, and of label 0)."""
        x, labels = batch
        code, rec, fake = (tf.stop_gradient(forward[key]) for key in ("code", "rec", "fake"))
        y_1, y_0 = self.likelihood.draw(x, noise["real"]), self.likelihood.draw(rec, noise["rec"])
        cases = {
            "discriminator": ([x], [fake]),
            "likelihood_discriminator": ([x, code, y_1], [x, code, y_0]),
            "posterior_discriminator": ([x, noise["z"]], [x, code]),
        }
        played = Played()
        for name, (real, fake) in cases.items():
            if getattr(self, name) is not None:
                self._judge_one(played, name, real, fake, labels)
        return played

    def _judge_one(self, played, name, real, fake, labels):
        network = getattr(self, name)
        real_logits, fake_logits = logits(network, [*real, labels], [*fake, labels])
        played.losses[name] = losses.discriminator_loss(real_logits, fake_logits)
        played.logs.update(losses.discriminator_logs(name, real_logits, fake_logits))
        if self.r1_weight is not None:
            penalty = losses.gradient_penalty(lambda inputs: logits(network, [*inputs, labels])[0], real)
            played.penalties[name] = tf.cast(tf.convert_to_tensor(self.r1_weight), penalty.dtype) * penalty
            played.logs[f"{name}_r1"] = penalty

    def _play_players(self, batch, noise, forward):
        """L_G + L_E, tau counted once: zeta does not depend on G, nor psi(x_f) on E, so both lower one tensor."""
        x, labels = batch
        psi = tf.reduce_mean(logits(self.discriminator, [forward["fake"], labels])[0])
        tau = tf.reduce_mean(logits(self.likelihood_discriminator, [x, forward["code"], forward["rec"], labels])[0])
        if self.posterior_family is None:
            divergence = -tf.reduce_mean(logits(self.posterior_discriminator, [x, forward["code"], labels])[0])
        else:
            divergence = tf.reduce_mean(forward["kl"])
        lam = tf.cast(tf.convert_to_tensor(self.lam), psi.dtype)
        loss = -(1 - lam) * psi - lam * (tau - tf.cast(divergence, tau.dtype))
        logs = {
            "decoder_loss": -(1 - lam) * psi - lam * tau,
            "encoder_loss": lam * (tf.cast(divergence, tau.dtype) - tau),
        }
        logs |= {"sample_logit": psi, "reconstruction_logit": tau, "kl_estimate_sum": divergence}
        logs["squared_error_sum"] = tf.reduce_sum((x - tf.cast(forward["rec"], x.dtype)) ** 2) / tf.cast(
            tf.shape(x)[0], x.dtype
        )
        return Played({"encoder": loss, "decoder": loss}, logs)

    def _lam(self, lam):
        if lam == 0:
            warnings.warn(
                "lam=0 takes the encoder out of the game: it learns nothing, and reconstructions are meaningless",
                stacklevel=3,
            )
        return self.scalar("lam", lam, least=0, most=1)
