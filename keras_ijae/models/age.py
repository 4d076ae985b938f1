"""Adversarial generator-encoder networks."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.game import FixedPrior, Move, Phase, Played, Preset, gathered
from keras_ijae.game.roles import DECODER, ENCODER
from keras_ijae.models.generator import GeneratorGame
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks

DIVERGENCES = ("exact", "code")
LEAST = 1e-4  # a variance below it counts as it: far below 1/m, and E gains nothing by making samples more alike


def divergence(codes: tf.Tensor, kind: str = "exact") -> tf.Tensor:
    """Delta of codes (n, m) to N(0, 1), by a Gaussian fit to each dimension, and a mean over dimensions: a scalar.

    With the mean a and the variance v, not below 1e-4, of a dimension over the n codes:

        "exact"   KL(N(a, v) || N(0, 1)) = (v + a^2)/2 - (log v)/2 - 1/2
        "code"    (v^2 + a^2)/2 - log v - 1/2               v where the formula has the standard deviation

    Args:
        codes: (n, m), those of all replicas; a single one has no variance, which is then the least.
        kind: "exact" or "code".
    """
    mean, variance = tf.nn.moments(codes, [0])
    variance = tf.maximum(variance, LEAST)
    if kind == "exact":
        return tf.reduce_mean(variance + mean**2 - tf.math.log(variance) - 1) / 2
    return tf.reduce_mean((variance**2 + mean**2) / 2 - tf.math.log(variance) - 0.5)


EPOCH = 50_000 // 64  # steps of the authors' batches of 64 over CIFAR-10, of one move of E and two of G each


def _authors(model):
    """Rates that are halved as the 40th, 80th and 120th epochs begin, for each move after as many of its own steps."""
    adam = {}
    for phase in model.phases:
        boundaries = [epochs * EPOCH * phase.repeats for epochs in (39, 79, 119)]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, [2e-4, 1e-4, 5e-5, 2.5e-5])
        adam[phase.name] = keras.optimizers.Adam(rate, beta_1=0.5)
    return adam


def _authors_arguments(given):
    """Their weight of the cosine is of a mean over the elements of codes."""
    return {"divergence": "code", "decoder_steps": 2, "cosine_weight": 1000 / given["latent_dim"]}


@keras.saving.register_keras_serializable("keras_ijae")
class AGE(GeneratorGame):
    """Adversarial generator-encoder: encoder against generator, with no other network.

    Codes are on the unit sphere of R^m, on which z is uniform. With x_f = G(z) and Delta the divergence of a batch of
    codes from the prior:

        L_E = Delta(E(x)) - Delta(E(x_f)) + l1_mean_weight E mean |x - G(E(x))|
        L_G = Delta(E(x_f)) + cosine_weight (1 - E z'E(x_f))

    in this order, `encoder_steps` and `decoder_steps` of them on each batch, with fresh z (a single step of G has the z
    of the last one of E). E matches the codes of data to the prior and drives those of samples away from it; G matches
    the latter too. Delta is the KL to N(0, 1) of a Gaussian fit to each dimension, a mean over dimensions, over the
    global batch. On the sphere its variances are about 1/m, so that it never comes to 0; both kinds are least where all
    of them are, and the means 0.

    E's outputs are scaled to length 1, and so is what G is given: `encode` gives codes on the sphere, `interpolate`
    stays on it, and `decode(z)` depends on the direction of z alone.

    Args:
        encoder: E, observations -> codes (batch, latent_dim), of any length.
        decoder: G, codes -> observations.
        divergence: Delta, "exact" as the paper has it, or "code" as its code has it, which takes the variance for the
            standard deviation: at a standard deviation of .5 the slope is twice that of "exact" and a quarter more.
        l1_mean_weight, cosine_weight: at least 0; run-time scalars. The code has 10 for the first, on images in
            [-1, 1]: 20 on [0, 1].
        encoder_steps, decoder_steps: at least 1.
        common: see `Game`; the prior is the sphere.

    References:
        Ulyanov, Vedaldi & Lempitsky 2018, "It takes (only) two: adversarial generator-encoder networks"; weights and
        steps are those of its code, which takes new data for each step of either. preset="paper" is its code's for
        CIFAR-10 on networks of ours: divergence="code", one step of E and two of G, batch normalisation,
        Adam(2e-4, 0.5), halved as the 40th, 80th and 120th of its 150 epochs begin, of 781 steps each (batches of 64).
        Its weights are 10 and 1,000: 20 on [0, 1], and, since it takes the mean of z'E(x_f) over the m elements of a
        code, 1000 / m. For CelebA it has three steps of G, and a weight of 15 once batches are of 256. Not in it:
        codes of 128 dimensions (64 for CelebA). The defaults differ from the paper: the exact divergence, group
        normalisation, a rate of E that is a third of G's; and a variance has a floor of 1e-4, without which E can drive
        L_E to minus infinity. At equal rates, the paper's too, E took the codes of all samples to one point on MNIST,
        from where G learns nothing.
    """

    ROLES = (ENCODER, DECODER)
    PRESETS = {"paper": Preset(_authors, Networks(norm="batch"), _authors_arguments)}
    UNCONDITIONAL = "it compares the codes of all labels at once with the prior, so that codes keep the label"
    LEAST_ROWS = 2

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        divergence: str = "exact",
        l1_mean_weight: float = 20.0,
        cosine_weight: float = 8.0,
        encoder_steps: int = 1,
        decoder_steps: int = 2,
        **common: Unpack[FixedPrior],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder}, prior="sphere", **common)
        checks.size("latent_dim", self.latent_dim, 2)  # in one dimension a sphere is two points, without slopes
        self.divergence = checks.choice("divergence", divergence, DIVERGENCES)
        self.l1_mean_weight = self.weight("l1_mean_weight", l1_mean_weight)
        self.cosine_weight = self.weight("cosine_weight", cosine_weight)
        self.encoder_steps = checks.repeats("encoder_steps", encoder_steps)
        self.decoder_steps = checks.repeats("decoder_steps", decoder_steps)
        self.moves = (Move("encoder", ("encoder",)), Move("decoder", ("decoder",)))
        self.phases = (
            Phase("encoder", ("encoder",), repeats=encoder_steps),
            Phase("decoder", ("decoder",), repeats=decoder_steps, reuse=decoder_steps == 1),
        )
        self.ready()

    def default_optimizers(self):
        rates = {"encoder": 3e-4, "decoder": 1e-3}
        return {move: keras.optimizers.Adam(rate, beta_1=0.5) for move, rate in rates.items()}

    def codes(self, x, noise, labels=None, training=False):
        return losses.unit(super().codes(x, noise, labels, training))

    def outputs(self, z, noise=None, labels=None, training=False):
        return super().outputs(losses.unit(z), noise, labels, training)

    def losses(self, batch, noise, phase, forward):
        if phase == "decoder":
            (code,) = logits(self.encoder, [forward["fake"]])
            return self._play_decoder(noise["z"], losses.unit(code))
        pair = logits(self.encoder, [batch.x], [tf.stop_gradient(forward["fake"])])
        code, again = (losses.unit(outputs) for outputs in pair)
        rec = self.outputs(code, training=True)
        error = tf.reduce_mean(tf.abs(batch.x - tf.cast(rec, batch.x.dtype)))
        real, fake = self._delta(code), self._delta(again)
        loss = real - fake + tf.cast(tf.convert_to_tensor(self.l1_mean_weight), error.dtype) * error
        logs = {"divergence_real": real, "divergence_fake": fake, "absolute_error_mean": error}
        return Played({"encoder": loss}, logs)

    def _play_decoder(self, z, code):
        cosine = tf.reduce_mean(tf.reduce_sum(tf.cast(z, code.dtype) * code, axis=1))
        delta, weight = self._delta(code), tf.cast(tf.convert_to_tensor(self.cosine_weight), code.dtype)
        return Played({"decoder": delta + weight * (1 - cosine)}, {"code_cosine": cosine})

    def _delta(self, codes):
        return divergence(gathered(codes), self.divergence)
