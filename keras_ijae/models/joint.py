"""What sVAE, ALI and AS-VAE share: discriminators of pairs of observation and code."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions.supports import described, holds, is_box
from keras_ijae.game import Batch, Common, Game, Move, Phase, Played, Role
from keras_ijae.game.roles import DECODER, ENCODER, JOINT_DISCRIMINATOR, labelled
from keras_ijae.models import conditionals
from keras_ijae.models.bounds import Bounds, learned, prior_noise
from keras_ijae.models.judging import logits

CYCLES = ("l1", "squared", "likelihood", "adversarial")
CYCLE_DISCRIMINATOR = Role(
    "cycle_discriminator",
    "discriminator",
    ("x", "y"),
    needed=lambda arguments: arguments["cycle"] == "adversarial",
    because="cycle",
)


class JointArguments(Common, total=False):
    """Arguments that the joint games share; they are documented in the systems."""

    encoder: keras.Model
    decoder: keras.Model
    joint_discriminator: keras.Model
    cycle_discriminator: keras.Model | None
    cycle_weight: float | None
    discriminator_steps: int
    player_steps: int


def judge_into(played: Played, name: str, real: tf.Tensor, fake: tf.Tensor) -> None:
    """Into `played` the loss of the discriminator `name`, and what is logged of it."""
    played.losses[name] = losses.discriminator_loss(real, fake)
    played.logs.update(losses.discriminator_logs(name, real, fake))


class JointGame(Bounds, Game):
    """A decoder's joint p(x, z) and an encoder's joint q(x, z), matched to each other by a discriminator f of pairs.

    With data x, z_q ~ q(z|x), z ~ p(z), x_p ~ p(x|z), logits f:

        L_f     = E softplus(-f(x_p, z)) + E softplus(f(x, z_q))              1 = prior: f* = log p(x, z) - log q(x, z)
        L_{G,E} = -E g(f(x, z_q)) - E g(-f(x_p, z)) + cycle_weight (C_x + C_z)

    A system defines its optimizers and `gain`, its g: the identity in sVAE, log sigma in ALI. The adversarial terms
    alone do not tie x to z: where both joints are products p(z) q(x) they are at their optimum. C_x and C_z do, with
    x' ~ p(x|z_q) and z' ~ q(z|x_p):

        "l1"           E mean |x - x'|,            E mean |z - z'|             means over dimensions
        "squared"      E mean(x - x')^2,           E mean(z - z')^2
        "likelihood"   -E log p(x|z_q),            -E log q(z|x_p)             nats, sums over dimensions
        "adversarial"  E softplus(-eta(x, x')),        none; eta lowers E softplus(-eta(x, x)) + E softplus(eta(x, x'))

    The arguments are documented in the systems; `further` are those that only one of them has, networks by their roles
    and others.
    """

    ROLES = labelled(
        ENCODER.but(takes_noise=True), DECODER.but(takes_noise=True), JOINT_DISCRIMINATOR, CYCLE_DISCRIMINATOR
    )
    SIMULTANEOUS = False  # whether at one step each all networks move at once, from one evaluation of f

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        joint_discriminator: keras.Model,
        posterior: Any,
        likelihood: Any,
        cycle: str,
        cycle_discriminator: keras.Model | None = None,
        cycle_weight: float | None = None,
        discriminator_steps: int = 1,
        player_steps: int = 1,
        further: dict[str, Any] | None = None,
        **common: Unpack[Common],
    ):
        judges = {"joint_discriminator": joint_discriminator, "cycle_discriminator": cycle_discriminator}
        super().__init__({"encoder": encoder, "decoder": decoder, **judges}, **common)
        for name, value in (further or {}).items():
            setattr(self, name, value)
        self.posterior_kind = posterior
        self.posterior_family = conditionals.posterior(posterior, encoder, self.latent_dim, self.classes)
        self.observation_model = conditionals.likelihood(likelihood, decoder, self.data_shape, self.classes)
        self.likelihood = self.observation_model or likelihood
        self.cycle = checks.choice("cycle", cycle, CYCLES)
        self.cycle_weight = self.weight("cycle_weight", cycle_weight, optional=True)
        self._check_cycle(), self._check_supports()
        self.discriminator_steps = checks.repeats("discriminator_steps", discriminator_steps)
        self.player_steps = checks.repeats("player_steps", player_steps)
        self.moves, self.phases = self._game()
        self.ready()

    def gain(self, logit: tf.Tensor) -> tf.Tensor:
        """g: what the players gain by a logit on their side."""
        raise NotImplementedError

    def noise(self, draws):
        drawn = {"z": draws.rows("z", self.prior.sample)} | (prior_noise(self.prior, draws) if self.has_bounds else {})
        for name in ("code", "code_cycle"):
            drawn[name] = draws.normal(name, self.code_noise_dim)
        for name in ("observation", "observation_cycle"):
            drawn[name] = self._observation_noise(draws, name)
        return drawn

    def forward(self, batch, noise, phase):
        z_q = self.codes(batch.x, noise["code"], batch.labels, training=True)
        outputs = self.outputs(noise["z"], noise["observation"], batch.labels, training=True)
        return {"z_q": z_q, "x_p": self._drawn(outputs, noise["observation"])}

    def losses(self, batch, noise, phase, forward):
        played = Played()
        f_p, f_q = self.judge(played, batch, noise, phase, forward)
        if phase != "discriminators":
            loss = -tf.reduce_mean(self.gain(f_q)) - tf.reduce_mean(self.gain(-f_p))
            played.losses.update(encoder=loss, decoder=loss)
            played.logs["symmetric_kl_estimate_sum"] = tf.reduce_mean(f_p) - tf.reduce_mean(f_q)
        if self.cycle_weight is not None and (phase != "discriminators" or self.cycle == "adversarial"):
            self._add_cycle(played, batch, noise, forward)
        return played

    def judge(self, played: Played, batch: Batch, noise: dict, phase: str, forward: dict) -> tuple:
        """f of the decoder's pairs and of the encoder's; L_f into `played`, but in the phase "players"."""
        x, labels = batch
        pairs = [forward["x_p"], noise["z"], labels], [x, forward["z_q"], labels]
        f_p, f_q = logits(self.joint_discriminator, *pairs)
        if phase != "players":
            judge_into(played, "joint_discriminator", f_p, f_q)
        return f_p, f_q

    def _add_cycle(self, played, batch, noise, forward):
        x, labels = batch
        x_again = self.outputs(forward["z_q"], noise["observation_cycle"], labels, training=True)
        if self.cycle == "adversarial":
            drawn = self._drawn(x_again, noise["observation_cycle"])
            eta, eta_again = logits(self.cycle_discriminator, [x, x, labels], [x, drawn, labels])
            if "joint_discriminator" in played.losses:
                judge_into(played, "cycle_discriminator", eta, eta_again)
            terms = {"observation_cycle": losses.generator_loss(eta_again)}
        else:
            terms = self._explicit_cycle(batch, x_again, noise, forward)
        if "encoder" in played.losses:
            weight = tf.cast(tf.convert_to_tensor(self.cycle_weight), x.dtype)
            loss = played.losses["encoder"] + weight * tf.add_n(list(terms.values()))
            played.losses.update(encoder=loss, decoder=loss)
            played.logs.update(terms)

    def _explicit_cycle(self, batch, outputs, noise, forward):
        """C_x and C_z, given the decoder's outputs for z_q."""
        x, labels = batch
        z, x_p = noise["z"], forward["x_p"]
        if self.cycle == "likelihood":
            params = self.parameters(x_p, labels, training=True)
            c_x, c_z = -self.observation_model.log_prob(outputs, x), -self.posterior_family.log_prob(params, z)
        else:
            norm = tf.abs if self.cycle == "l1" else tf.square
            c_x = norm(x - self._drawn(outputs, noise["observation_cycle"]))
            c_z = norm(z - self.codes(x_p, noise["code_cycle"], labels, training=True))
        return {"observation_cycle": tf.reduce_mean(c_x), "code_cycle": tf.reduce_mean(c_z)}

    def _drawn(self, outputs, noise):
        """Observations of the decoder's outputs, reparametrised; implicit decoders have had their noise."""
        return outputs if self.observation_model is None else self.observation_model.draw(outputs, noise)

    def _observation_noise(self, draws, name):
        if self.observation_model is None:
            return draws.normal(name, self.decoder_noise_dim)
        return draws.uniform(name, *self.observation_model.noise_shape(self.data_shape))

    def _game(self):
        judges = tuple(role.name for role in self.ROLES if role.judges and getattr(self, role.name) is not None)
        scale = () if self.observation_model is None else learned(self, "likelihood")
        encoder = Move("encoder", ("encoder", *learned(self, "posterior_family")))
        players = (encoder, Move("decoder", ("decoder", *scale)))
        moves = (*(Move(judge, (judge,)) for judge in judges), *players)
        if self.SIMULTANEOUS and self.discriminator_steps == self.player_steps == 1:
            return moves, (Phase("all", tuple(move.name for move in moves)),)
        again = {"repeats": self.player_steps, "reuse": self.player_steps == 1}
        return moves, (
            Phase("discriminators", judges, repeats=self.discriminator_steps),
            Phase("players", ("encoder", "decoder"), **again),
        )

    def _check_supports(self):
        """Codes of prior and posterior are of one kind; where q(z|x) is asked for codes of the prior, it has some."""
        if self.posterior_family is None:
            return
        ours, theirs = self.posterior_family.support, self.prior.support
        asked = self.cycle_weight is not None and self.cycle == "likelihood"
        if holds(ours, theirs) or (is_box(ours) and is_box(theirs) and not asked):
            return
        raise ValueError(
            f"Argument `prior` must have its codes where those of {type(self.posterior_family).__name__} are, "
            f"{described(ours)}. Received: {type(self.prior).__name__}, {described(theirs)}"
        )

    def _check_cycle(self):
        explicit = self.posterior_family is not None and self.observation_model is not None
        explicit = explicit and self.posterior_family.has_log_prob
        if self.cycle_weight is None and self.cycle == "adversarial":
            raise ValueError("Argument `cycle`='adversarial' needs a `cycle_weight`; its authors take 0.1")
        if self.cycle_weight is not None and self.cycle == "likelihood" and not explicit:
            raise ValueError(
                "Argument `cycle`='likelihood' needs densities q(z|x) and p(x|z). Received: "
                f"posterior={self.posterior_kind!r}, likelihood={self.likelihood!r}"
            )
