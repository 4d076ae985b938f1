"""The chains of annealed importance sampling."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import whole
from keras_ijae.distributions import likelihoods
from keras_ijae.distributions.likelihoods import Likelihood
from keras_ijae.distributions.tfp import tfp
from keras_ijae.evaluation.capabilities import PRIOR_DENSITY, scored_prior
from keras_ijae.game import Batch
from keras_ijae.progress import tracked

_DRAWS = 1000  # of the prior, by which steps are scaled
_SEGMENTS = 50  # calls into TensorFlow for one chain, between which the progress bar moves


class Joint:
    """p(u) p(x|u)^beta of (chains, n) latents u at once, and the chain along beta.

    x is a `Batch`, whose labels are given throughout. u, of size latent_dim + decoder_noise_dim, is the code and after
    it the decoder's noise.
    """

    TARGET, SMOOTHING, FACTOR = 0.65, 0.9, 1.02
    SMALLEST, LARGEST = 1e-4, 0.5  # steps, in units of `scale`

    def __init__(self, model: Any, likelihood: Any, **counts: int) -> None:
        for name, count in counts.items():
            whole(name, count, 1)
        if not PRIOR_DENSITY.offered(model):
            raise ValueError(
                f"Argument `model` must have {PRIOR_DENSITY.what}. Received: a {type(model).__name__} whose prior is a "
                f"{type(scored_prior(model)).__name__}"
            )
        self.model, self.prior, self.likelihood = model, scored_prior(model), _likelihood(model, likelihood)
        self.steps, self.leapfrog_steps = counts["steps"], counts["leapfrog_steps"]
        schedule = 1 / (1 + np.exp(-np.linspace(-4, 4, self.steps + 1)))
        self.betas = tf.constant((schedule - schedule[0]) / (schedule[-1] - schedule[0]), tf.float32)
        self._segment = tf.function(self._moves)
        spread = tf.math.reduce_std(self.sample(1, _DRAWS, random.fold(0, "scale")), axis=[0, 1])
        self.scale = 2.0 ** tf.round(tf.math.log(spread) / math.log(2))  # of each latent; of N(0, I) exactly 1

    def sample(self, chains: int, n: int, key: tf.Tensor) -> tf.Tensor:
        """u ~ p(u), (chains, n, size)."""
        with self.model.averaged():  # in which its density is taken too
            z = self.prior.sample(chains * n, key)
        noise = random.normal([chains * n, self.model.decoder_noise_dim], random.fold(key, "noise"))
        return tf.reshape(tf.concat([z, noise], axis=1), [chains, n, -1])

    def observe(self, u: tf.Tensor, labels: tf.Tensor | None, key: tf.Tensor) -> Batch:
        """x ~ p(x|u) for u (n, size), with these labels."""
        with self.model.averaged():
            uniform = random.uniform([len(u), *self.likelihood.noise_shape(self.model.data_shape)], key)
            x = self.likelihood.draw(self._parameters(*self._parts(u), labels), uniform)
        return Batch(tf.cast(x, tf.float32), labels)

    def anneal(self, x: Batch, u: tf.Tensor, key: tf.Tensor, reverse: bool, progress: bool) -> tuple:
        """The estimate and the last acceptance, (n,) each, of chains that start at u (chains, n, size)."""
        length = -(-self.steps // min(_SEGMENTS, self.steps))
        state = (u, tf.zeros(u.shape[:2], tf.float64), tf.fill([u.shape[1]], 0.01), tf.fill([u.shape[1]], self.TARGET))
        title = "AIS backwards" if reverse else "AIS"
        for start in tracked(range(0, self.steps, length), title, progress):
            stop = min(start + length, self.steps)
            state = self._segment(x, key, tf.constant(start), tf.constant(stop), *state, reverse=reverse)
        _, log_weights, _, acceptance = state
        mean = tf.reduce_logsumexp(log_weights, axis=0) - np.log(len(u))
        return (-mean if reverse else mean).numpy(), acceptance.numpy()

    def _moves(self, x, key, start, stop, u, log_weights, step_size, acceptance, *, reverse):
        with self.model.averaged():
            for count in tf.range(start, stop):
                t = self.steps - count if reverse else count + 1
                if reverse:
                    u, step_size, acceptance = self._move(
                        x, random.fold(key, t), self.betas[t], u, step_size, acceptance
                    )
                    log_weights -= self._increment(x, u, t)
                else:
                    log_weights += self._increment(x, u, t)
                    u, step_size, acceptance = self._move(
                        x, random.fold(key, t), self.betas[t], u, step_size, acceptance
                    )
        return u, log_weights, step_size, acceptance

    def _increment(self, x, u, t):
        return tf.cast(self.betas[t] - self.betas[t - 1], tf.float64) * tf.cast(self._terms(x, u)[1], tf.float64)

    def _terms(self, x, u):
        """log p(u) and log p(x|u), (chains, n) each."""
        chains, n = u.shape[0], x.rows
        z, noise = self._parts(tf.reshape(u, [-1, u.shape[-1]]))
        repeated, labels = x.each(lambda part: tf.concat([part] * chains, 0))
        of_noise = -tf.reduce_sum(noise**2 + math.log(2 * math.pi), axis=1) / 2
        of_x = self.likelihood.log_prob(self._parameters(z, noise, labels), repeated)
        return [tf.reshape(term, [chains, n]) for term in (self.prior.log_prob(z) + of_noise, of_x)]

    def _parts(self, u):
        return u[:, : self.model.latent_dim], u[:, self.model.latent_dim :]

    def _parameters(self, z, noise, labels):
        """Of p(x|u): the decoder's outputs where they are its parameters, else those whose mean they are."""
        outputs = self.model.outputs(z, noise, labels)
        if type(self.likelihood) is type(self.model.observation_model):
            return outputs
        return self.likelihood.params_of_mean(self.model.observe(outputs))

    def _move(self, x, key, beta, u, step_size, acceptance):
        def target(latents):
            prior, likelihood = self._terms(x, latents)
            return prior + beta * tf.cast(likelihood, prior.dtype)

        kernel = tfp().mcmc.HamiltonianMonteCarlo(target, step_size[:, None] * self.scale, self.leapfrog_steps)
        u, results = kernel.one_step(u, kernel.bootstrap_results(u), seed=key)
        accepted = tf.reduce_mean(tf.exp(tf.minimum(results.log_accept_ratio, 0)), axis=0)
        acceptance = self.SMOOTHING * acceptance + (1 - self.SMOOTHING) * accepted
        step_size *= tf.where(acceptance > self.TARGET, self.FACTOR, 2 - self.FACTOR)
        return u, tf.clip_by_value(step_size, self.SMALLEST, self.LARGEST), acceptance


def _likelihood(model: Any, given: Any) -> Likelihood:
    """The likelihood given, else the model's own; ValueError if there is none, or none with a density."""
    chosen = model.observation_model if given is None else given
    if chosen is None:
        raise ValueError(
            f"Argument `likelihood` is needed: {type(model).__name__} has no p(x|z) of its own. Received: None"
        )
    found = likelihoods.get(chosen, model.data_shape)
    if found.trainable_variables and (not isinstance(chosen, Likelihood) or chosen.owner is None):
        if isinstance(chosen, Likelihood) or type(found) is not type(model.observation_model):
            has = "none" if model.observation_model is None else f"a {type(model.observation_model).__name__}"
            raise ValueError(
                "Argument `likelihood` must have a scale, which nothing has learned here: give a number, as in "
                f"`Gaussian(0.1)`. Received: {chosen!r}, for a {type(model).__name__} that has {has}"
            )
        found = model.observation_model
    if not found.has_log_prob:
        raise ValueError(f"Argument `likelihood` must have a density. Received: {chosen!r}")
    return found
