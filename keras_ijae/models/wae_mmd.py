"""The Wasserstein auto-encoder with a kernel penalty."""

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.models.ae import AutoEncoding
from keras_ijae.models.moves import Move, Phase, Played
from keras_ijae.models.replicas import gathered

COST = 0.05  # of a unit of squared error


@keras.saving.register_keras_serializable("keras_ijae")
class WAEMMD(AutoEncoding):
    """Wasserstein auto-encoder whose codes are drawn to the prior by their maximum mean discrepancy.

    With z_q = E(x) and z ~ p(z):

        L = E c(x, G(z_q)) + penalty_weight MMD^2(z_q, z)           c(x, y) = 0.05 ||x - y||^2

    c sums over dimensions; the MMD is `ki.losses.mmd`, unbiased, over the global batch: its estimate may be below 0.
    The authors' pretraining of the encoder and noise on the input are left out.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        data_shape, latent_dim: None reads them off the decoder.
        penalty_weight: lambda, at least 0; a run-time scalar.
        prior, ema, seed, name: see `Game`. The kernels are as wide as suits a variance near 1.

    References:
        Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2; numbers from its code for MNIST.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        penalty_weight: float = 10.0,
        prior="normal",
        ema: float | None = None,
        seed: int = 0,
        name: str = "wae_mmd",
    ):
        super().__init__(encoder, decoder, data_shape, latent_dim, prior, ema, seed, name)
        self.penalty_weight = self.weight("penalty_weight", penalty_weight)
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready(encoder=self.encoder_shapes, decoder=([(self.latent_dim,)], self.data_shape))

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3, beta_1=0.5)}

    def noise(self, draws):
        return {**super().noise(draws), "z": draws.rows("z", self.prior.sample)}

    def losses(self, batch, noise, phase, forward):
        error = self.squared_error(batch, forward["rec"])
        mmd = tf.cast(losses.mmd(gathered(forward["code"]), gathered(noise["z"])), error.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.penalty_weight), error.dtype)
        return Played({"auto_encoder": COST * error + weight * mmd}, {"squared_error_sum": error, "mmd_squared": mmd})
