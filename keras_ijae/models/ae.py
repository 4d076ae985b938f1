"""The plain auto-encoder, and what the systems built on it share."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Common, Game, Move, Phase, Played, Preset
from keras_ijae.game.roles import CODE_DISCRIMINATOR, DECODER, ENCODER, labelled
from keras_ijae.models.judging import logits
from keras_ijae.networks import Networks


def _ghosh(model):
    return {"auto_encoder": keras.optimizers.Adam(5e-4)}


class AutoEncodingArguments(Common, total=False):
    """Arguments of the systems built on it."""

    encoder: keras.Model
    decoder: keras.Model


class CodeJudgingArguments(AutoEncodingArguments, total=False):
    """Arguments of those with a discriminator of codes."""

    code_discriminator: keras.Model


class AutoEncoding(Game):
    """Base of the systems that lower a squared error, whatever else they do to the codes."""

    ROLES = (ENCODER.but(takes_noise=True), DECODER)

    def noise(self, draws):
        return {"code": draws.normal("code", self.code_noise_dim)}

    def forward(self, batch, noise, phase):
        code = self.codes(batch.x, noise["code"], batch.labels, training=True)
        return {"code": code, "rec": self.outputs(code, labels=batch.labels, training=True)}

    def squared_error(self, x: tf.Tensor, rec: tf.Tensor) -> tf.Tensor:
        """E ||x - rec||^2: summed over dimensions, a mean over the batch."""
        error = tf.reshape(x - tf.cast(rec, x.dtype), [tf.shape(x)[0], -1])
        return tf.reduce_mean(tf.reduce_sum(error**2, axis=1))


class EncoderDecoder(AutoEncoding):
    """Base of those that have no other network."""

    def __init__(self, *, encoder: keras.Model, decoder: keras.Model, **common: Unpack[Common]):
        super().__init__({"encoder": encoder, "decoder": decoder}, **common)


class CodeJudging(AutoEncoding):
    """Base of those whose codes a discriminator tells from the prior."""

    ROLES = labelled(*AutoEncoding.ROLES, CODE_DISCRIMINATOR)

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        code_discriminator: keras.Model,
        **common: Unpack[Common],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder, "code_discriminator": code_discriminator}, **common)

    def noise(self, draws):
        return {**super().noise(draws), "z": draws.rows("z", self.prior.sample)}

    def judge_codes(self, z: tf.Tensor, code: tf.Tensor, labels: tf.Tensor | None) -> Played:
        """L_C = E softplus(-C(z)) + E softplus(C(code)), the code held fixed."""
        prior, posterior = logits(self.code_discriminator, [z, labels], [tf.stop_gradient(code), labels])
        judged = losses.discriminator_logs("code_discriminator", prior, posterior)
        return Played({"code_discriminator": losses.discriminator_loss(prior, posterior)}, judged)


@keras.saving.register_keras_serializable("keras_ijae")
class AE(EncoderDecoder):
    """Auto-encoder: codes are wherever the reconstruction is best.

        L = E ||x - G(E(x))||^2         a sum over dimensions, a mean over the batch

    Nothing matches the codes to the prior, so samples are good only where a density was fitted to the codes after
    training, by `fit_prior(data, "gmm")`; with prior="gmm" (the system "ae_gmm") `fit_prior(data)` is the same.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations.
        common: see `Game`.

    References:
        Ghosh et al. 2020, section 4, for the mixture of 10 Gaussians with full covariances. Their AE + GMM decays the
        decoder's weights by 1e-7 to 1e-6 of the mean error over pixels; here nothing is decayed: compile with
        `keras.optimizers.AdamW` for that. preset="paper" is their code's for MNIST and CIFAR-10 on networks of ours:
        batch normalisation, ReLU, Adam(5e-4). Not in it: their channels, 128 to 1,024 in four stages, and the halving
        of the rate when validation has not improved for 5 epochs, which
        `keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=5)` does. Theirs are batches of 100. The defaults differ
        from the paper: group normalisation, leaky ReLU in E, Adam(1e-3).
    """

    PRESETS = {"paper": Preset(_ghosh, Networks(norm="batch", hidden_activation="relu"))}
    UNCONDITIONAL = "nothing makes its codes independent of the label, so that none could be drawn for a label"

    def __init__(self, **auto_encoder: Unpack[AutoEncodingArguments]):
        super().__init__(**auto_encoder)
        self.moves = (Move("auto_encoder", ("encoder", "decoder")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def losses(self, batch, noise, phase, forward):
        return Played({"auto_encoder": self.squared_error(batch.x, forward["rec"])})
