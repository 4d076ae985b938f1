"""Log-likelihoods of decoders by annealed importance sampling, and how far off they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.evaluation.annealing import Joint


@dataclass(frozen=True)
class AIS:
    """Estimates for n observations; as an array, `log_likelihood`.

    Attributes:
        log_likelihood: (n,) nats; nats of a density where the likelihood is continuous. For steps of a fixed size exp
            of each is an unbiased estimate of p(x), so that each is a lower bound of log p(x) on average; here the size
            follows the acceptance, a bias that falls with the number of chains and steps.
        acceptance: (n,) the share of recent proposals that were accepted; steps are adapted to make it 0.65. It does
            not show that there were too few steps, as for sharp likelihoods: compare with the estimate of more steps,
            with `bdmc` and, where the model has it, `importance_weighted_bound`.
    """

    log_likelihood: np.ndarray
    acceptance: np.ndarray

    @property
    def mean(self) -> float:
        """The mean of `log_likelihood` over the images, in nats."""
        return float(self.log_likelihood.mean())

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.log_likelihood, dtype, copy=copy)


@dataclass(frozen=True)
class BDMC:
    """Bounds for n observations sampled from the model itself.

    Attributes:
        lower, upper: (n,) nats: forward chains from the prior, reverse chains from the exact posterior.
    """

    lower: np.ndarray
    upper: np.ndarray

    @property
    def gap(self) -> float:
        """Mean of upper - lower: on average at least the error of AIS with these settings on the model's own data."""
        return float(np.mean(self.upper - self.lower))


def ais_log_likelihood(
    model: Any,
    x: Any,
    steps: int = 1000,
    chains: int = 16,
    *,
    leapfrog_steps: int = 10,
    likelihood: Any = None,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = False,
    labels: Any = None,
) -> AIS:
    """log p(x) = log of the integral of p(u) p(x|u) over all latents u, by annealed importance sampling.

    u is the code z, or the pair of z and the decoder's noise n ~ N(0, I) where the decoder is implicit. From u ~ p(u),
    for t = 1 ... T: log w += (beta_t - beta_{t-1}) log p(x|u), then a step of Hamiltonian Monte Carlo that leaves
    p(u) p(x|u)^beta_t invariant. The estimate is the log of the mean of w over chains. beta is a sigmoid between -4 and
    4, scaled to [0, 1]. Steps are in units of each latent's standard deviation, rounded to a power of two; their size
    of each observation follows its acceptance rate. All observations and chains move at once. In a bounded prior,
    proposals outside it are rejected.

    Args:
        model: any model whose prior has a density on R^latent_dim: "normal", "uniform", "gmm",
            "mixture", "realnvp", "maf", "vamp".
        x: observations (n, *data_shape).
        steps: T. The papers use 10,000.
        chains: per observation.
        leapfrog_steps: of one Hamiltonian step.
        likelihood: p(x|u), a name or a `Likelihood` with a density; by default the model's own. Adversarial systems
            have none. The output of their decoder is then the mean of the one given, and the result depends on this
            choice, so state it with the number: for `Gaussian(sigma)` the standard deviation sigma decides it. For
            "bernoulli" the outputs are probabilities, clipped to [1e-6, 1 - 1e-6] and turned into logits. Where a model
            with a likelihood is given one of another kind, the mean of its own is the mean of that one. The name of one
            whose scale is learned, as "learned_gaussian", stands for the model's own, where that is of this kind.
        batch_size: observations whose chains move at once; bounds the memory.
        seed: of latents and moves.
        progress: show a bar.
        labels: of `x`, for conditional models, or (x, labels) as `x`: the estimate is of log p(x | label).

    Raises:
        ValueError: `x` does not fit or is out of the likelihood's range, numbers below 1, no likelihood or one without
            a density, or a prior without one.

    Example:
        svae = ki.create("svae", (28, 28, 1), 16)
        nats = ais_log_likelihood(svae, x, likelihood="bernoulli").mean  # binary x
        nats = ais_log_likelihood(svae, x, likelihood=ki.distributions.likelihoods.Gaussian(0.1)).mean

    References:
        Neal 2001; Wu, Burda, Salakhutdinov & Grosse 2017, sections 2.3 and 3.
    """
    counts = {"steps": steps, "chains": chains, "leapfrog_steps": leapfrog_steps, "batch_size": batch_size}
    checks.seed(seed), checks.flag("progress", progress)
    joint = Joint(model, likelihood, **counts)
    batch, found = model.labelled(x, labels), []
    joint.likelihood.check_range(batch.x)
    for part in range(0, batch.x.shape[0], batch_size):
        rows = batch.each(lambda values, at=part: values[at : at + batch_size])
        key = random.fold(seed, "ais", part)
        start = joint.sample(chains, rows.x.shape[0], random.fold(key, "start"))
        found.append(joint.anneal(rows, start, key, reverse=False, progress=progress))
    return AIS(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def bdmc(
    model: Any,
    n: int = 32,
    steps: int = 1000,
    chains: int = 16,
    *,
    leapfrog_steps: int = 10,
    likelihood: Any = None,
    seed: int = 0,
    progress: bool = False,
) -> BDMC:
    """Bidirectional Monte Carlo: how accurate annealed importance sampling is, on data sampled from the model.

    For such data the latents that made them are an exact sample of the posterior. The chain run backwards from there
    gives a stochastic upper bound of log p(x), the chain from the prior a lower bound.

    Args:
        n: how many observations are sampled: from the likelihood, at the decoder's outputs; of a conditional model with
            the labels of `sample_labels(n, seed)`.
        model, steps, chains, leapfrog_steps, likelihood, seed, progress: see `ais_log_likelihood`.

    References:
        Grosse, Ghahramani & Adams 2015; Wu et al. 2017, section 3.2.
    """
    checks.seed(seed), checks.flag("progress", progress)
    joint = Joint(model, likelihood, steps=steps, chains=chains, leapfrog_steps=leapfrog_steps, n=n)
    key = random.fold(seed, "bdmc")
    exact = joint.sample(1, n, random.fold(key, "exact"))
    labels = None if model.classes is None else tf.one_hot(model.sample_labels(n, seed), model.classes)
    x = joint.observe(exact[0], labels, random.fold(key, "observation"))
    start = joint.sample(chains, n, random.fold(key, "start"))
    lower, _ = joint.anneal(x, start, key, reverse=False, progress=progress)
    upper, _ = joint.anneal(x, tf.tile(exact, [chains, 1, 1]), key, reverse=True, progress=progress)
    return BDMC(lower, upper)
