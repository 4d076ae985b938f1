"""MaskAAE: an adversarial auto-encoder that finds how many dimensions its codes need."""

import math
from typing import Unpack

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.distributions import likelihoods
from keras_ijae.distributions.priors import GeneratedPrior
from keras_ijae.game import FixedPrior, Game, Move, Phase, Played, Preset, Role, gathered, networks
from keras_ijae.game.roles import CODE_CRITIC, DECODER, ENCODER
from keras_ijae.layers.mask import LatentMask
from keras_ijae.models.judging import criticise, logits
from keras_ijae.networks import Networks

RECONSTRUCTIONS = ("auto", "cross_entropy", "squared_error")
CAP_DOUBLINGS = 64  # more of them overflow, and 0 times infinity is not 0

NETWORKS = Networks(family="mlp", width=1024, depth=4, norm="none", hidden_activation="relu")


def _outputs(arguments):
    """What the decoder's outputs parametrise."""
    logits_of = _reconstruction(arguments["reconstruction"], arguments["data_shape"]) == "cross_entropy"
    return "bernoulli" if logits_of else "deterministic"


WAITING = 600  # steps of preset="images" in which the mask hardly moves


def _authors(model):
    return model.default_optimizers()


def _images_arguments(given):
    """The more dimensions, the longer c stays small: more have to close before it ends that."""
    period = round(25 * max(1, given["latent_dim"] / 32) ** 0.4)
    schedule = {"polynomial_weight": 0.004, "period": period, "mask_steps": 160 * period}
    weights = {"variance_weight": 1.0, "mask_reconstruction_weight": 100.0}
    return {"ema": "auto", "mask": 3.0, **schedule, **weights, "critic_steps": 3}


def _images(model):
    waiting = keras.optimizers.schedules.PiecewiseConstantDecay([WAITING], [2e-5, 4e-3])
    rates = {"auto_encoder": (1e-3, 0.5, 0.999), "code_critic": (1e-3, 0.0, 0.9)}
    rates |= {"encoder": (2e-4, 0.0, 0.9), "mask": (waiting, 0.5, 0.9)}
    return {move: keras.optimizers.Adam(*rate, epsilon=1e-10) for move, rate in rates.items()}


@keras.saving.register_keras_serializable("keras_ijae")
class MaskAAE(Game):
    """MaskAAE: a learned mask takes superfluous dimensions away from the codes and from their prior alike.

    With data x, n ~ N(0, I) of m dimensions, z = E(x), the mask alpha = 1 - exp(-a), a >= 0, z^ = alpha z and
    n^ = alpha n, a critic H that is high on the prior, zbar the mean of z over the batch, and u ~ U(0, 1):

        L_AE(E, D) = R + variance_weight V
        L_H        = E H(z^) - E H(n^) + gradient_penalty E (||grad H(u n^ + (1 - u) z^)|| - 1)^2
        L_E        = -E H(z^)
        L_a        = mask_reconstruction_weight R + (1 - (E H(z^) - E H(n^)))^2 + c sum_j |alpha_j (1 - alpha_j)|

        R = mean over pixels and batch of -x log D(z^) - (1 - x) log(1 - D(z^)), or of (x - D(z^))^2
        V = mean_bj (zbar_j - z_bj)^2 exp(-10 alpha_j^2)                    of codes before the mask
        c = polynomial_weight 2^{floor(step / 4T)}, at most polynomial_cap    drives every alpha_j to 0 or 1

    A step plays L_AE, `critic_steps` of L_H, L_E and L_a, all on the whole batch, each of L_H with fresh n and u. (The
    original draws a new batch for every one of them.) `encode` gives masked codes, `sample` decodes masked n.

    Args:
        encoder: E, observations -> codes (batch, latent_dim).
        decoder: D, codes -> observations, or their logits with "cross_entropy".
        code_critic: H, codes -> (batch, 1); without normalisation by the batch.
        mask: a `LatentMask`; or a number above 0, for a new one with a ~ U(0, mask).
        reconstruction: R, "cross_entropy" (data in [0, 1]) or "squared_error"; "auto" is the first on images, the
            second on vectors.
        variance_weight: of V in L_AE, at least 0; a run-time scalar.
        gradient_penalty: in L_H, at least 0; a run-time scalar.
        mask_reconstruction_weight: of R in L_a, at least 0; a run-time scalar.
        polynomial_weight: c at the start, at least 0; None: 2 / latent_dim. A run-time scalar.
        polynomial_cap: what c grows to, at least 0; a run-time scalar.
        period: T in steps, at least 1; None: 75 up to 20 dimensions, else 112.5 latent_dim, at most 10,000. After 5T
            steps the learning rates of L_AE and L_a fall to a fifth.
        critic_steps: steps of H for one of the others.
        mask_steps: after how many steps the mask stays as it is, at least 1, which saves about a quarter of a step
            where it is decided; None: it always moves.
        common: see `Game`; the prior is N(0, I), masked.

    References:
        Mondal, Chowdhury, Jayendran, Singla, Asnani & AP 2020, "MaskAAE: Latent space optimization for adversarial
        auto-encoders". Weights, schedule and optimizers are those of the authors' code for MNIST, except that
        it scales the losses, to which RMSProp is invariant, where here the learning rates fall. Ours are also RMSProp's
        epsilon of 1e-14 (Keras' own 1e-7 damps gradients of means over pixels, and with them the auto-encoder but not
        its adversaries) and the running averages of E, D and the mask (`ema`). preset="paper" has no averages, and the
        authors' networks, 4 x 1024 units each. preset="images" is ours, for minutes on images in the place of 500,000
        steps (docs/mask_aae.md). R does not depend on the scale of codes, to which D adapts, so codes that are smaller
        than the prior cost nothing, H tells them from it, and L_a closes their dimensions; V beside a mean over pixels
        makes them small wherever alpha is below about 0.8. So codes come to the prior's scale before the mask moves:
        V has the weight 1; Adam, at 1e-3 for E and D, at 1e-3 for three steps of H and at 2e-4 for E against H, these
        two without a first moment; a mask from a ~ U(0, 3) that hardly moves for 600 steps. Then R has the weight 100,
        which lets dimensions close until codes match, and c ends that early: it is 1 after 800 steps with codes of up
        to 32, later with more. How many stay depends on that moment: 12 of 32, and of 64 with T = 33 in the preset 23
        (7 with T = 35 and 19 with T = 30 in traces). On MNIST its samples after ten CPU minutes are 47 away with codes
        of 64, where WAE-GAN's are 77, and 38 with codes of 32, where they are 32.
    """

    ROLES = (ENCODER, DECODER.but(outputs=_outputs), CODE_CRITIC, Role("mask", None, ("z",), "z"))
    LEAST_ROWS = 2
    PRESETS = {"paper": Preset(_authors, NETWORKS), "images": Preset(_images, arguments=_images_arguments)}
    UNCONDITIONAL = "its mask counts the dimensions that the codes of all labels need together"

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        code_critic: keras.Model,
        mask: LatentMask | float = 5.0,
        reconstruction: str = "auto",
        variance_weight: float = 100.0,
        gradient_penalty: float = 10.0,
        mask_reconstruction_weight: float = 1000.0,
        polynomial_weight: float | None = None,
        polynomial_cap: float = 2048.0,
        period: int | None = None,
        critic_steps: int = 5,
        mask_steps: int | None = None,
        **common: Unpack[FixedPrior],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder, "code_critic": code_critic}, **common)
        self.mask = _mask(mask, self.latent_dim, self.seed)
        self.reconstruction = _reconstruction(reconstruction, self.data_shape)
        self.observation_model = likelihoods.Bernoulli() if self.reconstruction == "cross_entropy" else None
        self.variance_weight = self.weight("variance_weight", variance_weight)
        self.gradient_penalty = self.weight("gradient_penalty", gradient_penalty)
        self.mask_reconstruction_weight = self.weight("mask_reconstruction_weight", mask_reconstruction_weight)
        start = 2 / self.latent_dim if polynomial_weight is None else polynomial_weight
        self.polynomial_weight = self.weight("polynomial_weight", start)
        self.polynomial_cap = self.weight("polynomial_cap", polynomial_cap)
        self.period, self.critic_steps = _period(period, self.latent_dim), checks.repeats("critic_steps", critic_steps)
        self.mask_steps = None if mask_steps is None else checks.whole("mask_steps", mask_steps)
        self.moves = (
            Move("auto_encoder", ("encoder", "decoder")),
            Move("code_critic", ("code_critic",)),
            Move("encoder", ("encoder",)),
            Move("mask", ("mask",)),
        )
        self.phases = (
            Phase("auto_encoder", ("auto_encoder",)),
            Phase("code_critic", ("code_critic",), repeats=critic_steps, once=True),
            Phase("encoder", ("encoder",), reuse=True),
            Phase("mask", ("mask",), gate=None if mask_steps is None else self._mask_moves),
        )
        self.ready()
        self.prior = GeneratedPrior(self.mask, self.latent_dim, noise_dim=self.latent_dim)

    def default_optimizers(self):
        def falling():
            return keras.optimizers.schedules.PiecewiseConstantDecay([5 * self.period], [5e-4, 1e-4])

        rates = {"auto_encoder": falling(), "code_critic": 1e-4, "encoder": 1e-4, "mask": falling()}
        return {move: keras.optimizers.RMSprop(rate, epsilon=1e-14) for move, rate in rates.items()}

    def noise(self, draws):
        return {"n": draws.normal("n", self.latent_dim), "mix": draws.uniform("mix")}

    def forward(self, batch, noise, phase):
        return {"code": networks.call(self.encoder, [batch.x], training=True)}

    def losses(self, batch, noise, phase, forward):
        return getattr(self, f"_play_{phase}")(batch.x, noise, forward["code"])

    def _play_auto_encoder(self, x, noise, z):
        rec, variance = self._rec(x, z), self._variance(gathered(z))
        logs = {f"{self.reconstruction}_mean": rec, "variance_penalty": variance}
        return Played({"auto_encoder": rec + _of(self.variance_weight, rec) * variance}, logs)

    def _play_code_critic(self, x, noise, z):
        played, (z, n) = Played(), (tf.stop_gradient(self.mask(part)) for part in (z, noise["n"]))
        criticise(played, "code_critic", self.code_critic, n, z, noise["mix"], self.gradient_penalty)
        return played

    def _play_encoder(self, x, noise, z):
        return Played({"encoder": -tf.reduce_mean(logits(self.code_critic, [self.mask(z)])[0])})

    def _play_mask(self, x, noise, z):
        of_prior, of_codes = logits(self.code_critic, [self.mask(noise["n"])], [self.mask(z)])
        apart = tf.reduce_mean(gathered(of_codes)) - tf.reduce_mean(gathered(of_prior))
        rec, alpha, c = self._rec(x, z), self.mask.alpha(), self.polynomial_now()
        loss = _of(self.mask_reconstruction_weight, rec) * rec + (1 - tf.cast(apart, rec.dtype)) ** 2
        loss += tf.cast(c * tf.reduce_sum(tf.abs(alpha * (1 - alpha))), rec.dtype)
        active = tf.reduce_sum(tf.cast(self.mask.active(), tf.float32))
        return Played({"mask": loss}, {"active_dims": active, "polynomial_weight": c})

    def _mask_moves(self, step, happened):
        return step < self.mask_steps

    def _rec(self, x, z):
        """R of codes before the mask."""
        outputs = self.outputs(self.mask(z), training=True)
        x, outputs = tf.cast(x, self.variable_dtype), tf.cast(outputs, self.variable_dtype)
        if self.reconstruction == "cross_entropy":
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(x, outputs))
        return tf.reduce_mean((x - outputs) ** 2)

    def _variance(self, z):
        """V: codes of dimensions that the mask closes shall not move behind it."""
        closed = tf.cast(tf.exp(-10 * self.mask.alpha() ** 2), z.dtype)
        return tf.reduce_mean((tf.reduce_mean(z, axis=0) - z) ** 2 * closed)

    def polynomial_now(self) -> tf.Tensor:
        """c at the step that `steps` counts to, a scalar."""
        start, cap = tf.convert_to_tensor(self.polynomial_weight), tf.convert_to_tensor(self.polynomial_cap)
        doublings = tf.minimum(tf.convert_to_tensor(self.steps) // (4 * self.period), CAP_DOUBLINGS)
        return tf.minimum(start * 2 ** tf.cast(doublings, start.dtype), cap)

    @property
    def active_dims(self) -> np.ndarray:
        """The dimensions that `encode` and `sample` use, those with alpha >= 0.1: their indices, ascending."""
        with self.averaged():
            return np.flatnonzero(self.mask.active())

    @property
    def coders(self):
        return [self.encoder, self.mask]

    def codes(self, x, noise, labels=None, training=False):
        return self.mask(super().codes(x, noise, labels, training))


def _reconstruction(name, data_shape):
    if checks.choice("reconstruction", name, RECONSTRUCTIONS) == "auto":
        return "cross_entropy" if len(data_shape) == 3 else "squared_error"
    return name


def _mask(mask, latent_dim, seed):
    if isinstance(mask, keras.layers.Layer):
        return mask
    return LatentMask(latent_dim, checks.number("mask", mask, above=0, other="a LatentMask"), seed)


def _period(period, latent_dim):
    if period is None:
        return 75 if latent_dim <= 20 else min(10_000, math.floor(112.5 * latent_dim))
    return checks.whole("period", period)


def _of(weight, like):
    """A run-time weight in the dtype of what it weighs."""
    return tf.cast(tf.convert_to_tensor(weight), like.dtype)
