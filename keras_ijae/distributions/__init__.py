"""Likelihoods of data, posteriors and priors of codes, on TensorFlow Probability."""

from keras_ijae.distributions import likelihoods, posteriors, priors
from keras_ijae.distributions.kumaraswamy import kumaraswamy_beta_kl
from keras_ijae.distributions.likelihoods import (
    Bernoulli,
    CyclicShift,
    DiscretizedLogistic,
    Gaussian,
    Laplace,
    Likelihood,
    ShiftGaussian,
)
from keras_ijae.distributions.posteriors import DiagonalGaussian, FullGaussian, PlanarFlow, Posterior, StickBreaking
from keras_ijae.distributions.priors import (
    GaussianMixture,
    GeneratedPrior,
    HierarchicalPrior,
    ImplicitOptimalPrior,
    LearnedMixture,
    Prior,
    ResampledPrior,
    Sphere,
    StandardNormal,
    Sticks,
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
    "HierarchicalPrior",
    "ImplicitOptimalPrior",
    "Laplace",
    "LearnedMixture",
    "Likelihood",
    "PlanarFlow",
    "Posterior",
    "Prior",
    "ResampledPrior",
    "ShiftGaussian",
    "Sphere",
    "StandardNormal",
    "StickBreaking",
    "Sticks",
    "TwoStage",
    "Uniform",
    "kumaraswamy_beta_kl",
    "likelihoods",
    "posteriors",
    "priors",
]
