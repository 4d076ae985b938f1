"""The variational auto-encoder, with its test-time bounds."""

import math
from typing import Any, Unpack

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.distributions import likelihoods, posteriors
from keras_ijae.game import FixedPrior, Game, Move, Phase, Played
from keras_ijae.game.roles import DECODER, ENCODER, labelled


@keras.saving.register_keras_serializable("keras_ijae")
class VAE(Game):
    """Variational auto-encoder; with beta other than 1, beta-VAE.

        L = E_x [ -E_{q(z|x)} log p(x|z) + beta KL(q(z|x) || N(0, I)) ]

    log p(x|z) is in nats, summed over dimensions; one reparametrised code per example; the KL in closed form.

    Args:
        encoder: observations -> parameters of the posterior, (batch, posterior units).
        decoder: codes -> parameters of the likelihood, (batch, *data_shape): logits for "bernoulli", else means.
        posterior: "diagonal" or "full", or a `Posterior`.
        likelihood: "bernoulli", "gaussian", "laplace", "discretized_logistic" or a `Likelihood` with a density.
        beta: weight of the KL, at least 0; a run-time scalar.
        warm_up_steps: steps over which beta grows linearly from 0; 0: it does not.
        common: see `Game`; the prior is N(0, I).

    References:
        Kingma & Welling 2014, eqs. 3 and 10; Higgins et al. 2017, eq. 4 (beta); Burda et al. 2016, eq. 8.
    """

    ROLES = labelled(ENCODER, DECODER)
    has_bounds = True

    def __init__(
        self,
        *,
        encoder: keras.Model,
        decoder: keras.Model,
        posterior: Any = "diagonal",
        likelihood: Any = "bernoulli",
        beta: float = 1.0,
        warm_up_steps: int = 0,
        **common: Unpack[FixedPrior],
    ):
        super().__init__({"encoder": encoder, "decoder": decoder}, **common)
        self.posterior_family = self.posterior_kind = posteriors.get(posterior, self.latent_dim)
        self.likelihood = self.observation_model = likelihoods.get(likelihood, self.data_shape)
        if not self.likelihood.has_log_prob:
            raise ValueError(f"Argument `likelihood` must have a density. Received: {likelihood!r}")
        self.beta = self.weight("beta", beta)
        self.warm_up_steps = checks.whole("warm_up_steps", warm_up_steps, 0)
        learned = ("likelihood",) if self.likelihood.trainable_variables else ()
        self.moves = (Move("auto_encoder", ("encoder", "decoder", *learned)),)
        self.phases = (Phase("auto_encoder", ("auto_encoder",)),)
        self.ready()

    def default_optimizers(self):
        return {"auto_encoder": keras.optimizers.Adam(1e-3)}

    def noise(self, draws):
        return {"code": draws.normal("code", self.latent_dim)}

    def losses(self, batch, noise, phase, forward):
        log_likelihood, kl = self.bound_terms(batch, noise["code"], training=True)
        weight = tf.cast(tf.convert_to_tensor(self.beta), kl.dtype) * self._warmth(kl.dtype)
        terms = self._named(tf.reduce_mean(log_likelihood), tf.reduce_mean(kl))
        loss = weight * tf.reduce_mean(kl) - tf.reduce_mean(log_likelihood)
        return Played({"auto_encoder": loss}, {**terms, "beta": weight})

    def bound_terms(self, batch, noise, training=False):
        """log p(x|z) at z = E(x, noise), and KL(q(z|x) || p(z)): nats per example, (batch,) each."""
        x, labels = batch
        parameters = self.parameters(x, labels, training)
        outputs = self.outputs(self.posterior_family.draw(parameters, noise), labels=labels, training=training)
        return self.likelihood.log_prob(outputs, x), self.posterior_family.kl(parameters)

    def measures(self, batch, noise):
        log_likelihood, kl = self.bound_terms(batch, noise["code"])
        found = {"loss": kl - log_likelihood, **self._named(log_likelihood, kl)}
        if self.likelihood.has_bits_per_dim:
            found["bits_per_dim"] = self.likelihood.bits_per_dim(log_likelihood - kl, self.data_shape)
        return super().measures(batch, noise) | found

    def _named(self, log_likelihood, kl):
        """The terms of the bound under the names that training and evaluation share."""
        unit = "nats" if self.likelihood.discrete else "density_nats"
        elbo = log_likelihood - kl
        return {f"elbo_{unit}_sum": elbo, f"log_likelihood_{unit}_sum": log_likelihood, "kl_nats_sum": kl}

    def elbo(self, x: Any, seed: int = 0, labels: Any = None) -> np.ndarray:
        """Evidence lower bound with one code per example: (n,) nats."""
        batch = self._batch(x, labels)
        with self.averaged():
            noise = random.normal([batch.x.shape[0], self.latent_dim], random.fold(seed, "elbo"))
            log_likelihood, kl = self.bound_terms(batch, noise)
        return (log_likelihood - kl).numpy()

    def importance_weighted_bound(
        self, x: Any, samples: int = 100, chunk: int = 20, seed: int = 0, labels: Any = None
    ) -> np.ndarray:
        """log 1/K sum_k p(x, z_k) / q(z_k|x) with z_k ~ q(z|x): (n,) nats, at least the ELBO on average.

        Args:
            x: observations (n, ...).
            samples: K.
            chunk: how many of the K codes of all rows are decoded at once: bounds the memory.
            seed: of the codes.
            labels: of `x`, for conditional models.
        """
        x, labels = self._batch(x, labels)
        parts = []
        for at in range(0, samples, chunk):
            # a key for each of the K, so that the codes depend on neither chunks nor rows
            each = range(at, min(at + chunk, samples))
            noise = [random.normal([x.shape[0], self.latent_dim], random.fold(seed, "importance", k)) for k in each]
            parts.append(self._log_weights(x, labels, tf.stack(noise)))
        return tf.reduce_logsumexp(tf.concat(parts, 0), axis=0).numpy() - math.log(samples)

    def _log_weights(self, x, labels, noise):
        """log p(x, z) - log q(z|x) for noise (chunk, n, latent_dim): (chunk, n)."""
        with self.averaged():
            parameters = self.parameters(x, labels)
            q = self.posterior_family.distribution(parameters)
            codes = tf.stack([self.posterior_family.draw(parameters, part) for part in tf.unstack(noise)])
            flat = tf.reshape(codes, [-1, self.latent_dim])
            x, labels = (
                part if part is None else tf.tile(part, [noise.shape[0], *[1] * (part.shape.rank - 1)])
                for part in (x, labels)
            )
            joint = self.likelihood.log_prob(self.outputs(flat, labels=labels), x) + self.prior.log_prob(flat)
            return tf.reshape(joint, [noise.shape[0], -1]) - q.log_prob(codes)

    def _warmth(self, dtype):
        if not self.warm_up_steps:
            return tf.ones([], dtype)
        return tf.minimum(1.0, tf.cast(tf.convert_to_tensor(self.steps), dtype) / self.warm_up_steps)
