"""Log-likelihoods of decoders by annealed importance sampling, and how far off they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import whole
from keras_ijae.distributions import likelihoods, priors
from keras_ijae.distributions.tfp import tfp
from keras_ijae.evaluation.progress import tracked
from keras_ijae.models import checks

_SEGMENTS = 50  # calls into TensorFlow for one chain, between which the progress bar moves


@dataclass(frozen=True)
class AIS:
    """Estimates for n observations; as an array, `log_likelihood`.

    Attributes:
        log_likelihood: (n,) nats; nats of a density where the likelihood is continuous. Of each, the exponential is
            unbiased, so that on average the estimate is a lower bound.
        acceptance: (n,) share of the last proposals that were accepted, aimed at 0.65.
    """

    log_likelihood: np.ndarray
    acceptance: np.ndarray

    @property
    def mean(self) -> float:
        return float(self.log_likelihood.mean())

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.log_likelihood, dtype, copy=copy)


@dataclass(frozen=True)
class BDMC:
    """Bounds for n observations drawn from the model itself.

    Attributes:
        lower, upper: (n,) nats: forward chains from the prior, reverse chains from the exact posterior.
    """

    lower: np.ndarray
    upper: np.ndarray

    @property
    def gap(self) -> float:
        """Mean of upper - lower: on average an upper bound of what AIS with these settings loses."""
        return float(np.mean(self.upper - self.lower))


def ais_log_likelihood(
    model: Any,
    x: Any,
    steps: int = 1000,
    chains: int = 16,
    leapfrog_steps: int = 10,
    likelihood: Any = None,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> AIS:
    """log p(x) = log of the integral of p(z) p(x|z), by annealed importance sampling.

    From z ~ p(z), for t = 1 ... T: log w += (beta_t - beta_{t-1}) log p(x|z), then a Hamiltonian move that leaves
    p(z) p(x|z)^beta_t invariant; the estimate is the log of the mean of w over chains. beta is a sigmoid between -4
    and 4, scaled to [0, 1]. The step size of each observation follows its acceptance. All observations and chains
    move at once.

    Args:
        model: any model with a decoder without noise and a prior that has a density on R^d.
        x: observations (n, *data_shape).
        steps: T. The papers use 10,000.
        chains: per observation.
        leapfrog_steps: of one Hamiltonian move.
        likelihood: p(x|z) given the decoder's output; by default the model's own. For implicit decoders
            `ki.distributions.likelihoods.Gaussian(sigma)`, whose sigma (a standard deviation) decides the result.
        batch_size: observations whose chains move at once; bounds the memory.
        seed: of codes and moves.
        progress: show a bar.

    Raises:
        ValueError: `x` does not fit, numbers below 1, no likelihood, or one without a density.

    References:
        Neal 2001; Wu, Burda, Salakhutdinov & Grosse 2017, sections 2.3 and 3.
    """
    counts = {"steps": steps, "chains": chains, "leapfrog_steps": leapfrog_steps, "batch_size": batch_size}
    joint = Joint(model, likelihood, **counts)
    x = checks.observations(checks.unpack(x), model.data_shape)
    found = []
    for part in range(0, x.shape[0], batch_size):
        rows, key = x[part : part + batch_size], random.fold(seed, "ais", part)
        z = joint.prior_codes(chains, rows.shape[0], key)
        found.append(joint.anneal(rows, z, key, reverse=False, progress=progress))
    return AIS(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def bdmc(
    model: Any,
    n: int = 32,
    steps: int = 1000,
    chains: int = 16,
    leapfrog_steps: int = 10,
    likelihood: Any = None,
    seed: int = 0,
    progress: bool = False,
) -> BDMC:
    """Bidirectional Monte Carlo: how accurate annealed importance sampling is, on data drawn from the model.

    For such data the code that made them is an exact draw of the posterior; the chain run backwards from there gives
    a stochastic upper bound of log p(x), the chain from the prior a lower bound.

    Args:
        n: how many observations are drawn.
        model, steps, chains, leapfrog_steps, likelihood, seed, progress: see `ais_log_likelihood`.

    References:
        Grosse, Ghahramani & Adams 2015; Wu et al. 2017, section 3.2.
    """
    joint = Joint(model, likelihood, steps=steps, chains=chains, leapfrog_steps=leapfrog_steps, n=n)
    key = random.fold(seed, "bdmc")
    exact = model.prior.sample(n, random.fold(key, "exact"))
    x = joint.observe(exact, random.fold(key, "observation"))
    start = joint.prior_codes(chains, n, key)
    lower, _ = joint.anneal(x, start, key, reverse=False, progress=progress)
    upper, _ = joint.anneal(x, tf.tile(exact[None], [chains, 1, 1]), key, reverse=True, progress=progress)
    return BDMC(lower, upper)


class Joint:
    """p(z) p(x|z)^beta of a model for (chains, n) codes at once, and the chain along beta."""

    TARGET, SMOOTHING, FACTOR, SMALLEST, LARGEST = 0.65, 0.9, 1.02, 1e-4, 0.5

    def __init__(self, model, likelihood, **counts: int):
        for name, count in counts.items():
            whole(name, count, 1)
        if isinstance(model.prior, priors.Sphere):
            raise ValueError("Argument `model` must have a prior with a density on all of R^d. Received: a Sphere")
        chosen = model.observation_model if likelihood is None else likelihood
        if chosen is None:
            raise ValueError(
                f"Argument `likelihood` is needed: {type(model).__name__} has no p(x|z) of its own. Received: None"
            )
        if model.decoder_noise_dim:
            raise ValueError(
                "Argument `model` must have a decoder without noise: an implicit one has no p(x|z). Received: a "
                f"{type(model).__name__} whose decoder takes noise of size {model.decoder_noise_dim}"
            )
        self.likelihood = likelihoods.get(chosen, model.data_shape)
        if not self.likelihood.has_log_prob:
            raise ValueError(f"Argument `likelihood` must have a density. Received: {chosen!r}")
        self.model, self.steps, self.leapfrog_steps = model, counts["steps"], counts["leapfrog_steps"]
        self._outputs = model.decoder if likelihood is None else lambda z: model.observe(model.decoder(z))
        schedule = 1 / (1 + np.exp(-np.linspace(-4, 4, self.steps + 1)))
        self.betas = tf.constant((schedule - schedule[0]) / (schedule[-1] - schedule[0]), tf.float32)
        self._segment = tf.function(self._moves)

    def prior_codes(self, chains, n, key):
        z = self.model.prior.sample(chains * n, random.fold(key, "start"))
        return tf.reshape(z, [chains, n, -1])

    def observe(self, z, key):
        """x ~ p(x|z)."""
        with self.model.averaged():
            shape = self.likelihood.noise_shape(self.model.data_shape)
            return tf.cast(self.likelihood.draw(self._outputs(z), random.uniform([len(z), *shape], key)), tf.float32)

    def anneal(self, x, z, key, reverse, progress):
        """The estimate and the last acceptance, (n,) each, of chains that start at z (chains, n, latent_dim)."""
        length = -(-self.steps // min(_SEGMENTS, self.steps))
        state = (z, tf.zeros(z.shape[:2], tf.float64), tf.fill([len(x)], 0.01), tf.fill([len(x)], self.TARGET))
        title = "AIS backwards" if reverse else "AIS"
        for start in tracked(range(0, self.steps, length), title, progress):
            stop = min(start + length, self.steps)
            state = self._segment(x, key, tf.constant(start), tf.constant(stop), *state, reverse=reverse)
        _, log_weights, _, acceptance = state
        mean = tf.reduce_logsumexp(log_weights, axis=0) - np.log(len(z))
        return (-mean if reverse else mean).numpy(), acceptance.numpy()

    def _moves(self, x, key, start, stop, z, log_weights, step_size, acceptance, *, reverse):
        with self.model.averaged():
            for count in tf.range(start, stop):
                t = self.steps - count if reverse else count + 1
                if reverse:
                    z, step_size, acceptance = self._move(
                        x, random.fold(key, t), self.betas[t], z, step_size, acceptance
                    )
                    log_weights -= self._increment(x, z, t)
                else:
                    log_weights += self._increment(x, z, t)
                    z, step_size, acceptance = self._move(
                        x, random.fold(key, t), self.betas[t], z, step_size, acceptance
                    )
        return z, log_weights, step_size, acceptance

    def _increment(self, x, z, t):
        return tf.cast(self.betas[t] - self.betas[t - 1], tf.float64) * tf.cast(self._terms(x, z)[1], tf.float64)

    def _terms(self, x, z):
        """log p(z) and log p(x|z), (chains, n) each."""
        chains, n = z.shape[0], tf.shape(x)[0]
        flat = tf.reshape(z, [-1, self.model.latent_dim])
        repeated = tf.tile(x, [chains, *[1] * len(self.model.data_shape)])
        terms = self.model.prior.log_prob(flat), self.likelihood.log_prob(self._outputs(flat), repeated)
        return [tf.reshape(term, [chains, n]) for term in terms]

    def _move(self, x, key, beta, z, step_size, acceptance):
        def target(codes):
            prior, likelihood = self._terms(x, codes)
            return prior + beta * likelihood

        kernel = tfp().mcmc.HamiltonianMonteCarlo(target, step_size[:, None], self.leapfrog_steps)
        z, results = kernel.one_step(z, kernel.bootstrap_results(z), seed=key)
        accepted = tf.reduce_mean(tf.exp(tf.minimum(results.log_accept_ratio, 0)), axis=0)
        acceptance = self.SMOOTHING * acceptance + (1 - self.SMOOTHING) * accepted
        step_size *= tf.where(acceptance > self.TARGET, self.FACTOR, 2 - self.FACTOR)
        return z, tf.clip_by_value(step_size, self.SMALLEST, self.LARGEST), acceptance
