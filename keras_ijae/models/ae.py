"""The plain auto-encoder, and what the systems built on it share."""

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.models import checks
from keras_ijae.models.game import Game
from keras_ijae.models.judging import logits
from keras_ijae.models.moves import Move, Phase, Played


class AutoEncoding(Game):
    """Base of the systems that lower a squared error, whatever else they do to the codes."""

    NETWORKS = ("encoder", "decoder")

    def __init__(self, encoder, decoder, data_shape, latent_dim, prior, ema, seed, name):
        data_shape, latent_dim = checks.sizes(decoder, data_shape, latent_dim)
        super().__init__(data_shape, latent_dim, prior, ema, seed, name)
        self.encoder, self.decoder = encoder, decoder

    def noise(self, draws):
        return {"code": draws.normal("code", self.code_noise_dim)}

    def forward(self, batch, noise):
        code = self.codes(batch, noise["code"], training=True)
        return {"code": code, "rec": self.decoder(code, training=True)}

    def squared_error(self, x: tf.Tensor, rec: tf.Tensor) -> tf.Tensor:
        """E ||x - rec||^2: summed over dimensions, a mean over the batch."""
        error = tf.reshape(x - tf.cast(rec, x.dtype), [tf.shape(x)[0], -1])
        return tf.reduce_mean(tf.reduce_sum(error**2, axis=1))


class CodeJudging(AutoEncoding):
    """Base of those whose codes a discriminator tells from the prior."""

    NETWORKS = ("encoder", "decoder", "code_discriminator")

    def noise(self, draws):
        return {**super().noise(draws), "z": draws.rows("z", self.prior.sample)}

    def judge_codes(self, z: tf.Tensor, code: tf.Tensor) -> Played:
        """L_C = E zeta(-C(z)) + E zeta(C(code)), the code held fixed."""
        prior, posterior = logits(self.code_discriminator, [z], [tf.stop_gradient(code)])
        judged = losses.discriminator_logs("code_discriminator", prior, posterior)
        return Played({"code_discriminator": losses.discriminator_loss(prior, posterior)}, judged)


@keras.saving.register_keras_serializable("keras_ijae")
class AE(AutoEncoding):
    """Auto-encoder: codes are wherever the reconstruction is best.

        L = E ||x - G(E(x))||^2         a sum over dimensions, a mean over the batch

    Nothing draws the codes to the prior, so that samples are good only where a prior was fitted to the codes after
    training: with prior="gmm" (the system "ae_gmm") `fit_prior(data)` fits a Gaussian mixture, N(0, I) until then.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        data_shape, latent_dim: None reads them off the decoder.
        prior, ema, seed, name: see `Game`.

    References:
        Ghosh et al. 2020, section 4, for the mixture of 10 Gaussians with full covariances.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        data_shape: tuple[int, ...] | None = None,
        latent_dim: int | None = None,
        prior="normal",
        ema: float | None = None,
        seed: int = 0,
        name: str = "ae",
    ):
        super().__init__(encoder, decoder, data_shape, latent_dim, prior, ema, seed, name)
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready(encoder=self.encoder_shapes, decoder=([(self.latent_dim,)], self.data_shape))

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def losses(self, batch, noise, phase, forward):
        return Played({"auto_encoder": self.squared_error(batch, forward["rec"])})
