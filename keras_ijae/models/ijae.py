"""The implicit lambda-Jeffreys auto-encoder."""

import warnings

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.distributions import likelihoods
from keras_ijae.models import checks, conditionals
from keras_ijae.models.game import Game
from keras_ijae.models.judging import logits
from keras_ijae.models.moves import Move, Phase, Played


@keras.saving.register_keras_serializable("keras_ijae")
class IJAE(Game):
    """lambda-IJAE: lowers lam KL(p* || p_G) + (1 - lam) KL(p_G || p*), the first through an implicit variational bound.

    With data x, z_p ~ p(z), z_q = E(x, xi), x_f = G(z_p), x_r = G(z_q), a symmetric likelihood r, y_1 ~ r(.|x),
    y_0 ~ r(.|x_r), logits psi = D(x), tau = D(x, z, y), zeta_ = D(x, z), and s = softplus:

        L_psi  = E s(-psi(x)) + E s(psi(x_f))                              1 = data
        L_tau  = E s(-tau(x, z_q, y_1)) + E s(tau(x, z_q, y_0))            1 = shifted data, 0 = shifted reconstruction
        L_zeta = E s(-zeta_(x, z_p)) + E s(zeta_(x, z_q))                  1 = prior
        L_G    = -(1 - lam) E psi(x_f) - lam E tau(x, z_q, x_r)            x_r is not shifted
        L_E    = -lam E [ tau(x, z_q, x_r) + zeta_(x, z_q) ]

    At the optimum psi estimates log p*/p_G, tau log r(y|x)/r(y|x_r) and zeta_ log p(z)/q(z|x). With an explicit
    Gaussian posterior, -E zeta_ is replaced by the closed-form KL(q(z|x) || N(0, I)). L_G and L_E are linear in the
    logits: keep the discriminators Lipschitz by spectral normalisation (the default networks) or `gradient_penalty`.

    Args:
        encoder: E: [x, noise] -> codes (implicit), x -> codes (deterministic), x -> posterior parameters (explicit).
        decoder: G, codes -> observations.
        discriminator: psi, [x] -> logits (batch, 1).
        likelihood_discriminator: tau, [x, z, y] -> logits (batch, 1).
        posterior_discriminator: zeta_, [x, z] -> logits (batch, 1); None with an explicit posterior.
        lam: lambda in [0, 1]; a run-time scalar. At 0 the encoder learns nothing (a warning says so). Under optimizers
            that ignore the scale of the loss, such as Adam, only the weights inside L_G depend on it.
        likelihood: r: "cyclic_shift" or "shift_gaussian" (images), "gaussian" or "laplace", all of scale 0.1 by name,
            or any `Likelihood` that is symmetric with a fixed scale; "auto" is "cyclic_shift" on images, "gaussian" on
            vectors; see `likelihoods.get_symmetric`. It is the discriminators' lens, not the model's noise: samples
            are G(z).
        posterior: "implicit", "deterministic", "diagonal" or "full".
        discriminator_steps: k_D, each with fresh noise.
        gradient_penalty: weight of R1, E ||grad D||^2 at label 1, of all discriminators, at least 0; 0 leaves it out.
        data_shape, latent_dim: None reads them off the decoder.
        prior, ema, seed, name: see `Game`.

    References:
        Alanov, Kochurov, Sobolev, Yashkov & Vetrov 2019, "Implicit lambda-Jeffreys Autoencoders". The law of the shifts
        and the number of discriminator steps are open there, and choices here.
    """

    NETWORKS = ("encoder", "decoder", "discriminator", "likelihood_discriminator", "posterior_discriminator")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        likelihood_discriminator: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        posterior_discriminator: keras.Model | None = None,
        lam: float = 0.3,
        likelihood="auto",
        posterior="implicit",
        discriminator_steps: int = 1,
        gradient_penalty: float = 0.0,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "ijae",
    ):
        data_shape, latent_dim = checks.sizes(decoder, data_shape, latent_dim)
        super().__init__(data_shape, latent_dim, prior, ema, seed, name)
        _check_numbers(lam, gradient_penalty)
        self.encoder, self.decoder, self.discriminator = encoder, decoder, discriminator
        self.likelihood_discriminator, self.posterior_discriminator = likelihood_discriminator, posterior_discriminator
        self.posterior_kind, self.posterior_family = posterior, conditionals.posterior(posterior, encoder, latent_dim)
        self._check_posterior()
        self.likelihood = likelihoods.get_symmetric(likelihood, self.data_shape)
        self.lam, self.discriminator_steps = self.scalar("lam", lam), discriminator_steps
        self.gradient_penalty = gradient_penalty
        judges = tuple(role for role in self.NETWORKS[2:] if getattr(self, role) is not None)
        self.moves = tuple(Move(role, (role,)) for role in ("encoder", "decoder", *judges))
        self.phases = (
            Phase("discriminators", judges, repeats=discriminator_steps),
            Phase("players", ("encoder", "decoder"), reuse=True),
        )
        self.ready(**self._shapes())

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for move in self.moves}

    def noise(self, draws):
        shift = self.likelihood.noise_shape(self.data_shape)
        return {
            "z": draws.rows("z", self.prior.sample),
            "code": draws.normal("code", self.code_noise_dim),
            "real": draws.uniform("real", *shift),
            "rec": draws.uniform("rec", *shift),
        }

    def forward(self, batch, noise):
        parameters = None if self.posterior_family is None else self.encoder(batch, training=True)
        code = (
            self.codes(batch, noise["code"], training=True)
            if parameters is None
            else self.posterior_family.draw(parameters, noise["code"])
        )
        rec, fake = self.decoder(code, training=True), self.decoder(noise["z"], training=True)
        return {"code": code, "rec": rec, "fake": fake, "parameters": parameters}

    def losses(self, batch, noise, phase, forward):
        return (self._judge if phase == "discriminators" else self._play_players)(batch, noise, forward)

    def _judge(self, x, noise, forward):
        """L_psi, L_tau and L_zeta: name -> (discriminator, its inputs of label 1, and of label 0)."""
        code, rec, fake = (tf.stop_gradient(forward[key]) for key in ("code", "rec", "fake"))
        y_1, y_0 = self.likelihood.draw(x, noise["real"]), self.likelihood.draw(rec, noise["rec"])
        cases = {
            "discriminator": ([x], [fake]),
            "likelihood_discriminator": ([x, code, y_1], [x, code, y_0]),
            "posterior_discriminator": ([x, noise["z"]], [x, code]),
        }
        played = Played({})
        for name, (real, fake) in cases.items():
            if getattr(self, name) is not None:
                self._judge_one(played, name, real, fake)
        return played

    def _judge_one(self, played, name, real, fake):
        network = getattr(self, name)
        real_logits, fake_logits = logits(network, real, fake)
        played.losses[name] = losses.discriminator_loss(real_logits, fake_logits)
        played.logs.update(losses.discriminator_logs(name, real_logits, fake_logits))
        if self.gradient_penalty:
            penalty = losses.gradient_penalty(lambda inputs: logits(network, inputs)[0], real)
            played.penalties[name] = self.gradient_penalty * penalty
            played.logs[f"{name}_penalty"] = penalty

    def _play_players(self, x, noise, forward):
        """L_G + L_E, tau counted once: zeta_ does not depend on G, nor psi(x_f) on E, so both lower one tensor."""
        psi = tf.reduce_mean(logits(self.discriminator, [forward["fake"]])[0])
        tau = tf.reduce_mean(logits(self.likelihood_discriminator, [x, forward["code"], forward["rec"]])[0])
        if self.posterior_family is None:
            divergence = -tf.reduce_mean(logits(self.posterior_discriminator, [x, forward["code"]])[0])
        else:
            divergence = tf.reduce_mean(self.posterior_family.kl(forward["parameters"]))
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

    def _shapes(self):
        x, z = self.data_shape, (self.latent_dim,)
        found = {"encoder": self.encoder_shapes, "decoder": ([z], x), "discriminator": ([x], (1,))}
        found["likelihood_discriminator"] = ([x, z, x], (1,))
        return found if self.posterior_discriminator is None else {**found, "posterior_discriminator": ([x, z], (1,))}

    def _check_posterior(self):
        implicit = self.posterior_family is None
        if implicit != (self.posterior_discriminator is not None):
            verb = "needs a" if implicit else "has a closed-form KL and takes no"
            raise ValueError(f"Argument `posterior`={self.posterior_kind!r} {verb} `posterior_discriminator`")


def _check_numbers(lam, gradient_penalty):
    if not 0 <= lam <= 1:
        raise ValueError(f"Argument `lam` must be in [0, 1]. Received: {lam}")
    if lam == 0:
        warnings.warn(
            "lam=0 takes the encoder out of the game: it learns nothing, and reconstructions are meaningless",
            stacklevel=3,
        )
    if gradient_penalty < 0:
        raise ValueError(f"Argument `gradient_penalty` must be at least 0. Received: {gradient_penalty}")
