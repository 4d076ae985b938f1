"""FlexAE: an auto-encoder whose prior is learned by a generator of codes."""

import warnings
from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.distributions.priors import GeneratedPrior
from keras_ijae.game import FixedPrior, Game, Move, Phase, Played, Preset, Role, gathered, networks
from keras_ijae.game.roles import CODE_CRITIC, CRITIC, DECODER, ENCODER
from keras_ijae.models.judging import criticise, logits
from keras_ijae.networks import Networks

COLLAPSED = 1e-2  # a standard deviation of codes below which they are said to collapse
PRIOR_GENERATOR = Role(
    "prior_generator",
    "prior_generator",
    ("n",),
    "z",
    noise_dim=lambda arguments: arguments["noise_dim"] or arguments["latent_dim"],
)
WIDE = {"width": 1024, "depth": 4, "hidden_activation": "relu"}


def _optimizers(model, auto_encoder, code_critic, prior_generator, encoder):
    """Adam at these rates with the authors' betas; moves that the smooth variant has besides are as the authors'."""
    adam = keras.optimizers.Adam
    rates = {"code_critic": code_critic, "prior_generator": prior_generator, "encoder": encoder}
    found = {"auto_encoder": adam(auto_encoder)}
    found |= {move: adam(rate, beta_1=0.0, beta_2=0.9) for move, rate in rates.items()}
    if model.smooth:
        found |= {move: adam(2e-4, beta_1=0.5, beta_2=0.9) for move in ("critic", "smooth")}
    return found


def _authors(model):
    return _optimizers(model, auto_encoder=2e-4, code_critic=1e-4, prior_generator=2e-4, encoder=1e-5)


@keras.saving.register_keras_serializable("keras_ijae")
class FlexAE(Game):
    """FlexAE: codes and a learned prior meet each other half-way, over the Wasserstein distance between them.

    With data x, z = E(x), n ~ N(0, I), codes G(n) of the prior generator, and a critic C that is high on z:

        L_AE(E, D) = E ||x - D(z)||^2      a sum over dimensions
        L_C        = E C(G(n)) - E C(z) + gradient_penalty E (||grad C(v z + (1 - v) G(n))|| - 1)^2
        L_G        = -E C(G(n))
        L_E        = E C(z)                                                   slowly: fast, all codes become one

    With smooth=True (FlexAE-SR) a critic C_x of observations holds decodings of points between two codes z, z' to look
    like data, with x~ = D(u z + (1 - u) z') and v, u ~ U(0, 1) for each example:

        L_{C_x}   = E C_x(x~) - E C_x(x) + gradient_penalty E (||grad C_x(v x + (1 - v) x~)|| - 1)^2
        L_S(E, D) = -E C_x(x~)

    A step plays L_AE, `critic_steps` of L_C (and L_{C_x}) with fresh n, u and v, then L_G, L_E (and L_S) together, with
    the last n and u: all on the whole batch, in which each example's partner z' is its neighbour's code. Standard
    deviations of codes over the batch are logged; `fit` warns when that of a dimension falls below 0.01. At constant
    rates G may circle about the codes; rates that fall, C's excepted, bring it to them (docs/mask_aae.md).

    Args:
        encoder: E, observations -> codes (batch, latent_dim).
        decoder: D, codes -> observations.
        prior_generator: G, (batch, noise_dim) -> codes (batch, latent_dim).
        code_critic: C, codes -> (batch, 1); critics are without normalisation by the batch.
        smooth: whether it is FlexAE-SR.
        critic: C_x, observations -> (batch, 1); for smooth=True alone.
        noise_dim: size of n, at least 1; None: latent_dim.
        gradient_penalty: of both critics, at least 0; a run-time scalar.
        critic_steps: steps of the critics for one of the others.
        common: see `Game`; the prior is what G makes of N(0, I).

    References:
        Mondal, Asnani, Singla & AP 2021, "FlexAE: flexibly learning latent priors for Wasserstein auto-encoders".
        The order of moves is that of the authors' code, which has the smooth variant alone and takes its last three
        moves in turn, and a new batch for each step of the critics. What is left without C_x is taken to be the plain
        one. preset="paper" has the authors' rates (2e-4 for E and D, 1e-4 for C, 2e-4 for G, 1e-5 for E against C),
        five critic steps, batch normalisation in E and D, and C and G of 4 x 1024 units. The defaults differ from the
        paper: running averages of E, D and G (`ema`), rates of 1e-3, 5e-4, 5e-4 and 5e-5, two critic steps, group
        normalisation, 2 x 256 units; rates and steps were chosen on MNIST (docs/flex_ae.md), for the plain variant.
    """

    LEAST_ROWS = 2
    ROLES = (
        ENCODER,
        DECODER,
        PRIOR_GENERATOR,
        CODE_CRITIC,
        CRITIC.but(needed=lambda arguments: arguments["smooth"], because="smooth"),
    )
    PRESETS = {
        "paper": Preset(
            _authors,
            Networks(norm="batch", roles={"code_critic": WIDE, "prior_generator": WIDE}),
            {"critic_steps": 5},
        )
    }
    UNCONDITIONAL = "its generated prior is one density for the codes of all labels"

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        prior_generator: keras.Model,
        code_critic: keras.Model,
        smooth: bool = False,
        critic: keras.Model | None = None,
        noise_dim: int | None = None,
        gradient_penalty: float = 10.0,
        critic_steps: int = 2,
        **common: Unpack[FixedPrior],
    ):
        players = {"encoder": encoder, "decoder": decoder, "prior_generator": prior_generator}
        super().__init__({**players, "code_critic": code_critic, "critic": critic}, **common)
        size = self.latent_dim if noise_dim is None else noise_dim
        self.prior = GeneratedPrior(prior_generator, self.latent_dim, size)
        self.noise_dim, self.critic_steps = self.prior.noise_dim, checks.repeats("critic_steps", critic_steps)
        self.smooth = checks.flag("smooth", smooth)
        self.gradient_penalty = self.weight("gradient_penalty", gradient_penalty)
        critics, smooth = (("code_critic", "critic"), ("smooth",)) if smooth else (("code_critic",), ())
        auto_encoder = ("encoder", "decoder")
        self.moves = (
            Move("auto_encoder", auto_encoder),
            *(Move(role, (role,)) for role in (*critics, "prior_generator", "encoder")),
            *(Move(name, auto_encoder) for name in smooth),
        )
        self.phases = (
            Phase("auto_encoder", ("auto_encoder",)),
            Phase("critics", critics, repeats=critic_steps, once=True),
            Phase("players", ("prior_generator", "encoder", *smooth), reuse=True),
        )
        self.ready()
        self._warned = False

    def default_optimizers(self):
        return _optimizers(self, auto_encoder=1e-3, code_critic=5e-4, prior_generator=5e-4, encoder=5e-5)

    def noise(self, draws):
        uniform = {name: draws.uniform(name) for name in ("mix", "image_mix")}
        return {"n": draws.normal("n", self.noise_dim), "between": draws.uniform("between", 1), **uniform}

    def forward(self, batch, noise, phase):
        return {"code": networks.call(self.encoder, [batch.x], training=True)}

    def losses(self, batch, noise, phase, forward):
        return getattr(self, f"_play_{phase}")(batch.x, noise, forward["code"])

    def _play_auto_encoder(self, x, noise, z):
        error = x - tf.cast(self.outputs(z, training=True), x.dtype)
        error = tf.reduce_sum(error**2) / tf.cast(tf.shape(x)[0], x.dtype)
        stddev = tf.math.reduce_std(tf.cast(gathered(z), x.dtype), axis=0)
        logs = {"code_std_min": tf.reduce_min(stddev), "code_std_mean": tf.reduce_mean(stddev)}
        return Played({"auto_encoder": error}, logs)

    def _play_critics(self, x, noise, z):
        played = Played()
        fake = networks.call(self.prior_generator, [noise["n"]], training=True)
        pairs = {"code_critic": (z, fake, noise["mix"])}
        if self.smooth:
            pairs["critic"] = (x, self._between(z, noise["between"]), noise["image_mix"])
        for name, (real, fake, mix) in pairs.items():
            real, fake = tf.stop_gradient(real), tf.stop_gradient(fake)
            criticise(played, name, getattr(self, name), real, fake, mix, self.gradient_penalty)
        return played

    def _play_players(self, x, noise, z):
        fake = networks.call(self.prior_generator, [noise["n"]], training=True)
        found = {"prior_generator": -tf.reduce_mean(logits(self.code_critic, [fake])[0])}
        found["encoder"] = tf.reduce_mean(logits(self.code_critic, [z])[0])
        if self.smooth:
            between = self._between(z, noise["between"])
            found["smooth"] = -tf.reduce_mean(logits(self.critic, [between])[0])
        return Played(found)

    def _between(self, z, u):
        """x~, where z' are the codes of the rows with their pairs exchanged: 1, 0, 3, 2, ..."""
        rows = tf.shape(z)[0]
        partner = tf.minimum(tf.bitwise.bitwise_xor(tf.range(rows), 1), rows - 1)
        u = tf.cast(u, z.dtype)
        return self.outputs(u * z + (1 - u) * tf.gather(z, partner), training=True)

    def notice(self, logs):
        least = float(logs["code_std_min"])
        if least < COLLAPSED and not self._warned:
            self._warned = True
            warnings.warn(
                f"The codes collapse: the standard deviation of one of their dimensions over a batch is {least:.1e}. "
                "A lower rate of the move 'encoder' or fewer dimensions may help",
                stacklevel=2,
            )
