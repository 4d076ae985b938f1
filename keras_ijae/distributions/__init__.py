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
from keras_ijae.distributions.posteriors import IAF, DiagonalGaussian, FullGaussian, PlanarFlow, Posterior
from keras_ijae.distributions.priors import (
    MAF,
    GaussianMixture,
    GeneratedPrior,
    LearnedMixture,
    Prior,
    RealNVP,
    Sphere,
    StandardNormal,
    TwoStage,
    Uniform,
    VampPrior,
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
    "IAF",
    "Laplace",
    "LearnedMixture",
    "Likelihood",
    "MAF",
    "PlanarFlow",
    "Posterior",
    "Prior",
    "RealNVP",
    "ShiftGaussian",
    "Sphere",
    "StandardNormal",
    "TwoStage",
    "Uniform",
    "VampPrior",
    "likelihoods",
    "posteriors",
    "priors",
]
