"""Likelihoods of data, posteriors and priors of codes, on TensorFlow Probability."""

from keras_ijae.distributions import likelihoods, posteriors, priors
from keras_ijae.distributions.likelihoods import (
    Bernoulli,
    CyclicShift,
    DiscretizedLogistic,
    Gaussian,
    Laplace,
    Likelihood,
    ShiftGaussian,
)
from keras_ijae.distributions.posteriors import DiagonalGaussian, FullGaussian, PlanarFlow, Posterior
from keras_ijae.distributions.priors import (
    GaussianMixture,
    GeneratedPrior,
    LearnedMixture,
    Prior,
    Sphere,
    StandardNormal,
    TwoStage,
    Uniform,
)

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
    "LearnedMixture",
    "Likelihood",
    "PlanarFlow",
    "Posterior",
    "Prior",
    "ShiftGaussian",
    "Sphere",
    "StandardNormal",
    "TwoStage",
    "Uniform",
    "likelihoods",
    "posteriors",
    "priors",
]
