"""The Wasserstein auto-encoder with a kernel penalty."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Move, Phase, Played, Preset, gathered
from keras_ijae.models.ae import AutoEncodingArguments, EncoderDecoder
from keras_ijae.networks import Networks

COST = 0.05  # of a unit of squared error; in the authors' code for images in [0, 1] (MNIST) and in [-1, 1] (CelebA)
EPOCH = 600  # steps of the authors' batches of 100 over MNIST


def falling(rate: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """The authors' schedule for MNIST: half the rate after 30 epochs of 600 steps, a fifth after 50."""
    return keras.optimizers.schedules.PiecewiseConstantDecay([30 * EPOCH, 50 * EPOCH], [rate, rate / 2, rate / 5])


def _authors(model):
    return {"auto_encoder": keras.optimizers.Adam(falling(1e-3), beta_1=0.5)}


@keras.saving.register_keras_serializable("keras_ijae")
class WAEMMD(EncoderDecoder):
    """Wasserstein auto-encoder whose codes are matched to the prior by maximum mean discrepancy.

    With z_q = E(x) and z ~ p(z):

        L = E c(x, G(z_q)) + penalty_weight MMD^2(z_q, z)           c(x, y) = 0.05 ||x - y||^2

    c sums over dimensions; the MMD is `ki.losses.mmd`, unbiased, over the global batch: its estimate may be below 0.
    The authors' pretraining of the encoder and noise on the input are left out; so is their schedule of rates, which
    preset="paper" has. For CelebA they take the same c on images in [-1, 1], where errors are four times as large: that
    is c = 0.2 ||x - y||^2 here, or a fourth of the `penalty_weight`.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        penalty_weight: lambda, at least 0; a run-time scalar.
        common: see `Game`. The kernels are as wide as suits the `variance` of the prior.

    References:
        Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2; numbers from its code for MNIST.
        preset="paper" has batch normalisation, as there, on networks of ours.
    """

    PRESETS = {"paper": Preset(_authors, Networks(norm="batch"))}
    UNCONDITIONAL = "its penalty compares the codes of all labels at once with the prior, so that codes keep the label"
    LEAST_ROWS = 2

    def __init__(self, *, penalty_weight: float = 10.0, **auto_encoder: Unpack[AutoEncodingArguments]):
        super().__init__(**auto_encoder)
        self.penalty_weight = self.weight("penalty_weight", penalty_weight)
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3, beta_1=0.5)}

    def noise(self, draws):
        return {**super().noise(draws), "z": draws.rows("z", self.prior.sample)}

    def losses(self, batch, noise, phase, forward):
        error = self.squared_error(batch.x, forward["rec"])
        mmd = tf.cast(losses.mmd(gathered(forward["code"]), gathered(noise["z"]), self.prior.variance), error.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.penalty_weight), error.dtype)
        return Played({"auto_encoder": COST * error + weight * mmd}, {"squared_error_sum": error, "mmd_squared": mmd})
