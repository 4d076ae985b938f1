"""The Wasserstein auto-encoder with an adversarial penalty."""

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.models.ae import CodeJudging
from keras_ijae.models.judging import logits
from keras_ijae.models.moves import Move, Phase, Played
from keras_ijae.models.wae_mmd import COST


@keras.saving.register_keras_serializable("keras_ijae")
class WAEGAN(CodeJudging):
    """Wasserstein auto-encoder whose codes are drawn to the prior by a discriminator.

    With z_q = E(x), z ~ p(z), logits C and zeta = softplus:

        L_C     = E zeta(-C(z)) + E zeta(C(z_q))                                  1 = prior
        L_{E,G} = E c(x, G(z_q)) + penalty_weight E zeta(-C(z_q))                 c(x, y) = 0.05 ||x - y||^2

    c sums over dimensions. The discriminator moves first, then both players on the same pass. The authors' code also
    weighs L_C, which Adam ignores; their pretraining of the encoder and noise on the input are left out.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        code_discriminator: C, codes -> logits (batch, 1).
        data_shape, latent_dim: None reads them off the decoder.
        penalty_weight: lambda, at least 0; a run-time scalar.
        prior, ema, seed, name: see `Game`.

    References:
        Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 1; numbers from its code for MNIST.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        code_discriminator: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        penalty_weight: float = 10.0,
        prior="normal",
        ema: float | None = 0.999,
        seed: int = 0,
        name: str = "wae_gan",
    ):
        super().__init__(encoder, decoder, data_shape, latent_dim, prior, ema, seed, name)
        self.code_discriminator = code_discriminator
        self.penalty_weight = self.weight("penalty_weight", penalty_weight)
        judge = "code_discriminator"
        self.moves = (Move(judge, (judge,)), Move("auto_encoder", ("encoder", "decoder")))
        self.phases = (Phase(judge, (judge,)), Phase("auto_encoder", ("auto_encoder",), reuse=True))
        z = (self.latent_dim,)
        self.ready(encoder=self.encoder_shapes, decoder=([z], self.data_shape), code_discriminator=([z], (1,)))

    def default_optimizers(self):
        return {
            "code_discriminator": keras.optimizers.Adam(5e-4, beta_1=0.5),
            "auto_encoder": keras.optimizers.Adam(1e-3, beta_1=0.5),
        }

    def losses(self, batch, noise, phase, forward):
        code = forward["code"]
        if phase == "code_discriminator":
            return self.judge_codes(noise["z"], code)
        error, (posterior,) = self.squared_error(batch, forward["rec"]), logits(self.code_discriminator, [code])
        penalty = tf.cast(losses.generator_loss(posterior), error.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.penalty_weight), error.dtype)
        logs = {"squared_error_sum": error, "code_penalty": penalty}
        return Played({"auto_encoder": COST * error + weight * penalty}, logs)
