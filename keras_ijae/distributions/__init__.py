"""Likelihoods of data, posteriors and priors of codes, on TensorFlow Probability."""

from keras_ijae.distributions import likelihoods, posteriors, priors
from keras_ijae.distributions.generated import GeneratedPrior
from keras_ijae.distributions.likelihoods import (
    Bernoulli,
    CyclicShift,
    DiscretizedLogistic,
    Gaussian,
    Laplace,
    Likelihood,
    ShiftGaussian,
)
from keras_ijae.distributions.mixture import GaussianMixture
from keras_ijae.distributions.posteriors import DiagonalGaussian, FullGaussian, Posterior
from keras_ijae.distributions.priors import Prior, Sphere, StandardNormal, Uniform

__all__ = [
    "Bernoulli",
    "CyclicShift",
    "DiagonalGaussian",
    "DiscretizedLogistic",
    "FullGaussian",
    "Gaussian",
    "GeneratedPrior",
    "GaussianMixture",
    "Laplace",
    "Likelihood",
    "Posterior",
    "Prior",
    "ShiftGaussian",
    "Sphere",
    "StandardNormal",
    "Uniform",
    "likelihoods",
    "posteriors",
    "priors",
]
