"""The VAE whose codes keep information on the data: the divergence of their whole distribution is weighed by itself."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.game import Move, Phase, Played, gathered
from keras_ijae.game.roles import DECODER, ENCODER
from keras_ijae.models.bounds import learned
from keras_ijae.models.vae import Variational, VariationalArguments


@keras.saving.register_keras_serializable("keras_ijae")
class InfoVAE(Variational):
    """InfoVAE with maximum mean discrepancy; at alpha = 1 it is the MMD-VAE, at alpha = 0 and lam = 1 the VAE.

        L = E_x [ -E_{q(z|x)} log p(x|z) + (1 - alpha) KL(q(z|x) || p(z)) ] + (alpha + lam - 1) MMD^2(q(z), p(z))

    In expectation KL(q(z|x) || p(z)) = I(x; z) + KL(q(z) || p(z)): alpha rewards the information of codes on the data,
    which the KL alone destroys, and lam brings the distribution q(z) of all codes to the prior. log p(x|z) and the KL
    are in nats, summed over dimensions; the MMD is `ki.losses.mmd` between one code of each example and as many of the
    prior, unbiased, over the global batch: its estimate may be below 0.

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape).
        alpha: above, at most 1; a run-time scalar.
        lam: above, at least 1 - alpha; a run-time scalar. The larger, the more the noise of the estimate counts.
        posterior, likelihood: as of `VAE`.
        variational: these two, and what is common to all systems, see `Game`. The prior has
            a density and nothing to learn; the kernels are as wide as suits its `variance`.

    References:
        Zhao, Song & Ermon 2019, "InfoVAE: Balancing Learning and Inference in Variational Autoencoders". The kernels
        are those of Tolstikhin et al. 2018, as in other public code; the authors' is one Gaussian kernel, recalled and
        unverified. The numbers are choices of this library, and so there is no preset.
    """

    ROLES = (ENCODER, DECODER)
    UNCONDITIONAL = "its discrepancy compares the codes of all labels at once with the prior, so that codes keep them"
    LEAST_ROWS = 2

    def __init__(self, *, alpha: float = 0.5, lam: float = 20.0, **variational: Unpack[VariationalArguments]):
        super().__init__(**variational)
        self.alpha, self.lam = self.scalar("alpha", alpha, most=1), self.scalar("lam", lam)
        if alpha + lam < 1:
            raise ValueError(f"Argument `lam` must be at least 1 - `alpha`. Received: lam={lam!r}, alpha={alpha!r}")
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *learned(self, "likelihood", "posterior_family"))),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def noise(self, draws):
        return {**super().noise(draws), "z": draws.rows("z", self.prior.sample)}

    def losses(self, batch, noise, phase, forward):
        code, outputs, kl = self.code_outputs_and_kl(batch, noise, training=True)
        log_likelihood = self.observation_model.log_prob(outputs, batch.x)
        log_likelihood, kl = tf.reduce_mean(log_likelihood), tf.reduce_mean(kl)
        z = gathered(tf.cast(noise["z"], code.dtype))
        mmd = tf.cast(losses.mmd(gathered(code), z, self.prior.variance), kl.dtype)
        alpha, lam = (tf.cast(tf.convert_to_tensor(weight), kl.dtype) for weight in (self.alpha, self.lam))
        loss = (1 - alpha) * kl - log_likelihood + (alpha + lam - 1) * mmd
        return Played({"auto_encoder": loss}, {**self.named_terms(log_likelihood, kl), "mmd_squared": mmd})
