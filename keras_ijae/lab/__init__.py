"""The texts' small exact experiments; `keras-ijae lab` runs them."""

from keras_ijae.lab.adversarial_mixture import AdversarialFit, fit_mixture_adversarially
from keras_ijae.lab.amortized import amortised_inference
from keras_ijae.lab.change_of_variables import pushforward_log_prob
from keras_ijae.lab.clutter import clutter_adf, clutter_ep, clutter_exact
from keras_ijae.lab.critic import train_critic
from keras_ijae.lab.divergences import (
    forward_kl,
    jeffreys_divergence,
    jensen_shannon,
    reverse_kl,
    total_variation,
    wasserstein_1,
)
from keras_ijae.lab.em import evidence_bound, expectation_maximisation
from keras_ijae.lab.estimates import Estimate, monte_carlo
from keras_ijae.lab.gaussian_mixture import TOY, GaussianMixture
from keras_ijae.lab.generator_objectives import (
    divergence_gradient,
    generator_gradient,
    train_discriminator,
    trained_gradient,
)
from keras_ijae.lab.grids import GridDensity
from keras_ijae.lab.mean_field import mean_field_gaussian, moment_matching_gaussian
from keras_ijae.lab.mixture import MixtureFit, fit_mixture
from keras_ijae.lab.regression import exact_linear_regression, variational_linear_regression
from keras_ijae.lab.score_function import (
    quadratic_gradient_moments,
    reparameterised_gradients,
    score_function_gradients,
)
from keras_ijae.lab.topologies import distances
from keras_ijae.lab.transport import kantorovich_rubinstein, optimal_transport, wasserstein_1d
from keras_ijae.lab.unimodal import GaussianFit, IsotropicMixture, fit_gaussian

__all__ = [
    "AdversarialFit",
    "Estimate",
    "GaussianFit",
    "GaussianMixture",
    "GridDensity",
    "IsotropicMixture",
    "MixtureFit",
    "TOY",
    "amortised_inference",
    "clutter_adf",
    "clutter_ep",
    "clutter_exact",
    "distances",
    "divergence_gradient",
    "evidence_bound",
    "exact_linear_regression",
    "expectation_maximisation",
    "fit_gaussian",
    "fit_mixture",
    "fit_mixture_adversarially",
    "forward_kl",
    "generator_gradient",
    "jeffreys_divergence",
    "jensen_shannon",
    "kantorovich_rubinstein",
    "mean_field_gaussian",
    "moment_matching_gaussian",
    "monte_carlo",
    "optimal_transport",
    "pushforward_log_prob",
    "quadratic_gradient_moments",
    "reparameterised_gradients",
    "reverse_kl",
    "score_function_gradients",
    "total_variation",
    "train_critic",
    "train_discriminator",
    "trained_gradient",
    "variational_linear_regression",
    "wasserstein_1",
    "wasserstein_1d",
]
