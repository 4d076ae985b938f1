"""The VAE with a hierarchical prior, whose reconstruction error is bounded."""

from typing import Any, Unpack

import keras
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.game import Move, Phase, Played
from keras_ijae.game.roles import DECODER, ENCODER
from keras_ijae.models.bounds import learned
from keras_ijae.models.vae import OwnPriorArguments, Variational
from keras_ijae.replicas import gathered

LEAST = 1e-6
"""Of beta: a product that has come to 0 would stay there."""


class Constraint(keras.layers.Layer):
    """beta, moved by how far a running average of the error is from what is allowed; see `HierarchicalVAE`.

    Args:
        start: beta until the error is first in bounds.
        rate: nu.
        slope: tau.
        decay: of the running average.
    """

    def __init__(self, start: float, rate: float, slope: float, decay: float):
        super().__init__(name="constraint")
        self.rate, self.slope, self.decay = rate, slope, decay
        self.beta, self.error, self.met = (
            self.add_weight(
                (),
                keras.initializers.Constant(value),
                dtype="float32",
                trainable=False,
                autocast=False,
                name=name,
                aggregation="only_first_replica",
            )
            for name, value in (("beta", start), ("error", -1.0), ("met", 0.0))
        )
        self.built = True

    def move(self, error: tf.Tensor, allowed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """beta after a batch with this mean error, the same on all replicas; and whether it has ever been in bounds."""
        before, beta = tf.convert_to_tensor(self.error), tf.convert_to_tensor(self.beta)
        average = tf.where(before < 0, error, self.decay * before + (1 - self.decay) * error)
        excess = average / allowed - 1
        met = (tf.convert_to_tensor(self.met) > 0) | (excess < 0)
        direction = tf.where(excess > 0, -1.0, tf.tanh(self.slope * (beta - 1)))
        moved = tf.clip_by_value(beta * tf.exp(self.rate * direction * excess), LEAST, 1.0)
        beta = tf.where(met, moved, beta)
        self.error.assign(average), self.beta.assign(beta), self.met.assign(tf.cast(met, tf.float32))
        return beta, met


@keras.saving.register_keras_serializable("keras_ijae")
class HierarchicalVAE(Variational):
    """VAE with a hierarchical prior ("VHP-VAE"), trained as a constrained problem: KL -> min with error <= kappa^2.

        L_{E,G}   = E_x [ -E_{q(z|x)} log p(x|z) + beta KL(q(z|x) || p(z)) ]
        L_{prior} = E_x KL(q(z|x) || p(z))                    p(z) by the bound of `HierarchicalPrior`

    beta, which is 1 / lambda of the Lagrangian, follows a running average C of the error, the mean over dimensions of
    (x - x')^2, over all replicas. It stays at its start, and the prior where it is, until C < kappa^2 once. Then

        beta <- beta exp(nu f (C / kappa^2 - 1)),    f = -1 where C > kappa^2, else tanh(tau (beta - 1))

    so that it falls while the error is too large, and else rises to 1, where the loss is the negative ELBO. beta, C and
    whether C has been in bounds are saved with the model. Reported bounds have beta = 1.

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape): logits for "bernoulli", else means.
        prior: "hierarchical" or a `Prior` with a density wherever codes are.
        posterior: "diagonal", "full" or "planar", or a `Posterior`.
        likelihood: "bernoulli", "gaussian", "laplace", "discretized_logistic" or a `Likelihood` with a density.
        rms_error: kappa > 0, the root of the mean squared error over dimensions that is allowed; a run-time scalar. For
            data in [0, 1]; other data need a value of their own.
        start: of beta, in (0, 1].
        rate: nu > 0, with rate * slope at most 1, so that beta does not leap over 1.
        slope: tau > 0.
        decay: of the running average of the error, in [0, 1).
        variational: the rest is common to all systems, see `Game`.

    References:
        Klushyn, Chen, Kurle, Cseke & van der Smagt 2019, "Learning Hierarchical Priors in VAEs", algorithm 1 (REWO),
        after Rezende & Viola 2018, "Taming VAEs". The algorithm is recalled and could not be checked: the update with
        f and tau, the start at a small beta, and that the prior waits. Theirs has C - kappa^2 in the place of
        C / kappa^2 - 1, by which nu depends on the scale of errors. The values of kappa, nu, tau, of the decay and of
        the start, networks and optimizers are choices of this library. Their graphs for interpolation are left out.
        There is no preset.
    """

    ROLES = (ENCODER, DECODER)
    UNCONDITIONAL = "its hierarchical prior is one density for the codes of all labels"

    def __init__(
        self,
        *,
        prior: Any = "hierarchical",
        rms_error: float = 0.15,
        start: float = 0.01,
        rate: float = 0.05,
        slope: float = 3.0,
        decay: float = 0.95,
        **variational: Unpack[OwnPriorArguments],
    ):
        super().__init__(prior=prior, **variational)
        self.rms_error = self.scalar("rms_error", checks.number("rms_error", rms_error, above=0))
        self.start = checks.number("start", start, least=LEAST, most=1)
        self.slope = checks.number("slope", slope, above=0)
        self.rate = checks.number("rate", rate, above=0)
        if self.rate * self.slope > 1:
            raise ValueError(
                f"Arguments `rate` and `slope` must have a product of at most 1. Received: rate={rate}, slope={slope}"
            )
        self.decay = checks.number("decay", decay, least=0, below=1)
        self.constraint = Constraint(self.start, self.rate, self.slope, self.decay)
        parts = learned(self, "likelihood", "posterior_family")
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *parts, "constraint")),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        if learned(self, "prior"):
            self.moves += (Move("prior", ("prior",)),)
            self.phases += (Phase("prior", ("prior",), reuse=True, balance=lambda logs: logs["constraint_met"] > 0.5),)
        self.ready()

    def default_optimizers(self):
        return {move.name: keras.optimizers.Adam(1e-3) for move in self.moves}

    def forward(self, batch, noise, phase):
        _, outputs, kl = self.code_outputs_and_kl(batch, noise, training=True)
        error = tf.cast((batch.x - tf.cast(self.observe(outputs), batch.x.dtype)) ** 2, tf.float32)
        error = tf.reduce_mean(gathered(tf.stop_gradient(tf.reduce_mean(error, list(range(1, error.shape.rank))))))
        beta, met = self.constraint.move(error, tf.cast(tf.convert_to_tensor(self.rms_error), tf.float32) ** 2)
        kl = tf.reduce_mean(kl)
        log_likelihood = tf.reduce_mean(self.observation_model.log_prob(outputs, batch.x))
        return {"kl": kl, "log_likelihood": log_likelihood, "error": error, "beta": beta, "met": met}

    def losses(self, batch, noise, phase, forward):
        kl, log_likelihood, met = forward["kl"], forward["log_likelihood"], tf.cast(forward["met"], tf.float32)
        if phase == "prior":
            return Played({"prior": kl}, {"constraint_met": met})
        logs = self.named_terms(log_likelihood, kl)
        logs |= {"beta": forward["beta"], "batch_error_mean": forward["error"], "constraint_met": met}
        return Played({"auto_encoder": tf.cast(forward["beta"], kl.dtype) * kl - log_likelihood}, logs)
