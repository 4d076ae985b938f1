"""The VAE whose dimensions of the code are made independent, by a discriminator of permuted codes."""

from typing import Unpack

import keras
import tensorflow as tf

from keras_ijae import checks, losses
from keras_ijae.distributions.supports import described, is_box
from keras_ijae.game import Move, Phase, Played, Preset, gathered, own_rows
from keras_ijae.game.roles import CODE_DISCRIMINATOR, DECODER, ENCODER, labelled
from keras_ijae.models.bounds import learned
from keras_ijae.models.judging import logits
from keras_ijae.models.vae import Variational, VariationalArguments
from keras_ijae.networks import Networks

JUDGE = "code_discriminator"
NETWORKS = Networks(norm="none", spectral=False, roles={JUDGE: {"width": 1000, "depth": 6}})


def _authors(model):
    adam = keras.optimizers.Adam
    return {"auto_encoder": adam(1e-4), JUDGE: adam(1e-4, beta_1=0.5, beta_2=0.9)}


@keras.saving.register_keras_serializable("keras_ijae")
class FactorVAE(Variational):
    """VAE that also lowers the total correlation of its codes, KL(q(z) || prod_j q(z_j)).

    With z ~ q(z|x), z~ its dimensions permuted over the batch, each for itself, logits C:

        L_{E,G} = E_x [ -E_{q(z|x)} log p(x|z) + KL(q(z|x) || p(z)) ] - gamma E C(z)
        L_C     = E softplus(-C(z~)) + E softplus(C(z))         1 = permuted: C* = sum_j log q(z_j) - log q(z)

    so that -E C*(z) is the total correlation. Label 1 is what the codes are to become, independent in their dimensions,
    as it is the prior in the other systems; the paper has it the other way round. L_{E,G} is linear in C. With labels
    C sees them too, and with the dimensions of a code its label is to be independent.

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape).
        code_discriminator: C, codes -> logits (batch, 1).
        gamma: weight of the total correlation, at least 0; a run-time scalar.
        fresh_batches: whether C learns from a batch of its own, after encoder and decoder have moved, as in the paper:
            batches are then cut in two, so give batches twice as large. By default it learns from the same codes at the
            same time, and sees them once for both.
        posterior, likelihood: as of `VAE`.
        variational: these two, and what is common to all systems, see `Game`.

    References:
        Kim & Mnih 2018, "Disentangling by Factorising", eq. 2 and algorithm 2. preset="paper" has batches of its own
        for C, C of 6 x 1,000 leaky ReLUs, no normalisation, and Adam(1e-4), for C with betas 0.5 and 0.9; the betas are
        recalled and unverified, and its channels are not in it. There C has two logits, of which C here is the
        difference. They sweep gamma, from 10 to 100 as recalled: 10 here. The defaults differ from the paper:
        running averages of E and G (`ema`), spectral normalisation of C in the default networks, one batch for all,
        Adam(1e-3) and Adam(5e-4, 0.5).
    """

    ROLES = labelled(ENCODER, DECODER, CODE_DISCRIMINATOR)
    LEAST_ROWS = 2
    PRESETS = {"paper": Preset(_authors, NETWORKS, {"fresh_batches": True})}

    def __init__(
        self,
        *,
        code_discriminator: keras.Model,
        gamma: float = 10.0,
        fresh_batches: bool = False,
        **variational: Unpack[VariationalArguments],
    ):
        super().__init__({JUDGE: code_discriminator}, **variational)
        if not is_box(self.posterior_family.support):
            raise ValueError(
                "Argument `posterior` must have codes whose dimensions can be exchanged, each for itself, between "
                f"images: on {described(self.posterior_family.support)} their total correlation is infinite. Received: "
                f"posterior={type(self.posterior_family).__name__}"
            )
        self.gamma = self.weight("gamma", gamma)
        self.fresh_batches = checks.flag("fresh_batches", fresh_batches)
        parts = learned(self, "likelihood", "posterior_family", "prior")
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *parts)), Move(JUDGE, (JUDGE,)))
        if fresh_batches:
            players = Phase("auto_encoder", ("auto_encoder",), slices=2)
            self.phases = (players, Phase(JUDGE, (JUDGE,), slices=2, first=1))
        else:
            self.phases = (Phase("all", ("auto_encoder", JUDGE)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3), JUDGE: keras.optimizers.Adam(5e-4, beta_1=0.5)}

    def noise(self, draws):
        return {**super().noise(draws), "order": draws.uniform("order", self.latent_dim)}

    def losses(self, batch, noise, phase, forward):
        if phase == JUDGE:
            code = self.codes(batch.x, noise["code"], batch.labels, training=True)
            return self._judged(*self._logits(code, batch, noise))
        code, outputs, kl = self.code_outputs_and_kl(batch, noise, training=True)
        log_likelihood = self.observation_model.log_prob(outputs, batch.x)
        if phase == "all":
            permuted, joint = self._logits(code, batch, noise)
            played = self._judged(permuted, joint)
        else:
            (joint,), played = logits(self.code_discriminator, [code, batch.labels]), Played()
        log_likelihood, kl = tf.reduce_mean(log_likelihood), tf.reduce_mean(kl)
        correlation = -tf.cast(tf.reduce_mean(joint), kl.dtype)
        weight = tf.cast(tf.convert_to_tensor(self.gamma), kl.dtype)
        played.losses["auto_encoder"] = kl - log_likelihood + weight * correlation
        played.logs |= {**self.named_terms(log_likelihood, kl), "total_correlation_estimate_sum": correlation}
        return played

    def _logits(self, code, batch, noise):
        """C of permuted codes and of the codes themselves, one by one: no gradient goes back to the first."""
        seen = permuted(tf.stop_gradient(code), noise["order"]), code
        return [logits(self.code_discriminator, [z, batch.labels])[0] for z in seen]

    def _judged(self, permuted, joint):
        judged = losses.discriminator_logs(JUDGE, permuted, joint)
        return Played({JUDGE: losses.discriminator_loss(permuted, joint)}, judged)


def permuted(code: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
    """The codes with each dimension permuted over the global batch: of its rows, those of this replica.

    Args:
        code: (batch, latent_dim).
        order: (batch, latent_dim) uniform numbers, whose ranks in each column are the permutation of that dimension.
    """
    ranks = tf.argsort(gathered(order), axis=0)
    columns = tf.gather(tf.transpose(gathered(code)), tf.transpose(ranks), batch_dims=1)
    return tf.ensure_shape(own_rows(tf.transpose(columns), tf.shape(code)[0]), code.shape)
