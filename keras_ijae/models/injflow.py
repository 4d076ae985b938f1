"""The injective flow, relaxed: an auto-encoder whose decoder's volume is bounded."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions.supports import REALS, described, holds
from keras_ijae.game import Move, Phase, Played
from keras_ijae.models.ae import AutoEncodingArguments, EncoderDecoder
from keras_ijae.models.bounds import learned

TINY = 1e-12  # of ||J u||^2, so that a decoder that has become constant has a finite logarithm


@keras.saving.register_keras_serializable("keras_ijae")
class InjFlow(EncoderDecoder):
    """Injective probability flow, relaxed to an auto-encoder. Experimental: see what was not verified below.

    For x = G(z) with an injective G: log p(x) = log p(z) - 1/2 log det J'J, with J = dG/dz, D x m. The volume has the
    bounds (arithmetic and geometric mean; then the tangent of the logarithm at 1), with u uniform on the unit sphere:

        log det J'J  <=  m E log ||J u||^2  <=  m log (||J||_F^2 / m)  <=  ||J||_F^2 - m,    ||J||_F^2 = m E ||J u||^2

    That E is G's left inverse is relaxed to a squared error. With one u for each code z = E(x):

        L = E [ reconstruction_weight ||x - G(z)||^2 - log p(z) + m/2 log ||J u||^2 ]     logarithm=True, "injflow_ln"
        L = E [ reconstruction_weight ||x - G(z)||^2 - log p(z) + m/2 (||J u||^2 - 1) ]   logarithm=False, "injflow"

    log p(z) is -||z||^2 / 2 - m/2 log 2 pi for the normal prior. With the logarithm a decoder that becomes constant
    gains without end (in float32 down to ||J u||^2 = 1e-12): `reconstruction_weight` must hold it. Where the codes do
    not come to the prior, `fit_prior(data, "gmm")` after training fits a mixture to them, as in the comparison rows
    with a mixture; with prior="gmm" `fit_prior(data)` is the same.

    Args:
        encoder: E, observations -> codes (batch, latent_dim); with noise as a second input, implicit.
        decoder: G, codes -> observations; nothing in it lacks a second derivative, as bilinear upsampling does.
        logarithm: whether the tighter bound, with the logarithm, is the one in the loss.
        reconstruction_weight: above, at least 0; a run-time scalar.
        auto_encoder: the rest is common to all systems, see `Game`. The prior has a density on all of R^m; one that
            learns ("mixture") moves with the networks.

    References:
        Kumar, Poole & Murphy 2020, "Regularized Autoencoders via Relaxed Injective Probability Flow". Only its abstract
        and introduction could be read: a Gaussian prior, a left inverse, lower bounds by stochastic products of
        Jacobian and vector. The formulas are recalled or derived here, and unverified: how the paper weighs the terms,
        where it takes the tangent, how it draws u and what its plain variant is; so are all numbers, which are choices
        of this library. There is no preset.
    """

    UNCONDITIONAL = "its density is of the codes of all labels at once, so that codes keep the label"

    def __init__(
        self,
        *,
        logarithm: bool = False,
        reconstruction_weight: float = 10.0,
        **auto_encoder: Unpack[AutoEncodingArguments],
    ):
        super().__init__(**auto_encoder)
        self.logarithm = checks.flag("logarithm", logarithm)
        self.reconstruction_weight = self.weight("reconstruction_weight", reconstruction_weight)
        _check_prior(self.prior)
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *learned(self, "prior"))),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def noise(self, draws):
        return {**super().noise(draws), "direction": draws.normal("direction", self.latent_dim)}

    def forward(self, batch, noise, phase):
        code = self.codes(batch.x, noise["code"], training=True)
        rec, slope = losses.pushed(lambda z: self.outputs(z, training=True), code, noise["direction"])
        return {"code": code, "rec": rec, "slope": slope}

    def losses(self, batch, noise, phase, forward):
        error = self.squared_error(batch.x, forward["rec"])
        log_prior = tf.cast(tf.reduce_mean(self.prior.log_prob(forward["code"])), error.dtype)
        volume = tf.cast(self._volume(forward["slope"]), error.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.reconstruction_weight), error.dtype)
        logs = {"squared_error_sum": error, "log_prior_density_nats_sum": log_prior, "log_volume_bound_sum": volume}
        return Played({"auto_encoder": weight * error - log_prior}, logs, {"auto_encoder": volume})

    def _volume(self, slope):
        """What bounds the mean of 1/2 log det J'J."""
        m = self.latent_dim
        norms = losses.jacobian_norm(slope, 1)
        if self.logarithm:
            return m / 2 * tf.reduce_mean(tf.math.log(tf.maximum(norms, tf.cast(TINY, norms.dtype))))
        return m / 2 * (tf.reduce_mean(norms) - 1)


def _check_prior(prior):
    if not (prior.has_log_prob and holds(prior.support, REALS) and not prior.density_noise_dim):
        where = described(prior.support) if prior.has_log_prob else "without a density"
        raise ValueError(
            "Argument `prior` must have an exact density on all of R^latent_dim, where codes are: 'normal', 'mixture' "
            f"or 'gmm'. Received: {type(prior).__name__}, {where}"
        )
