"""The texts' small exact experiments. Names are loaded when first used; `keras-ijae lab` runs them."""

import importlib
from typing import Any

_HOMES = {
    "AdversarialFit": "adversarial_mixture",
    "fit_mixture_adversarially": "adversarial_mixture",
    "amortised_inference": "amortized",
    "pushforward_log_prob": "change_of_variables",
    "clutter_adf": "clutter",
    "clutter_ep": "clutter",
    "clutter_exact": "clutter",
    "train_critic": "critic",
    "forward_kl": "divergences",
    "jeffreys_divergence": "divergences",
    "jensen_shannon": "divergences",
    "reverse_kl": "divergences",
    "total_variation": "divergences",
    "wasserstein_1": "divergences",
    "Estimate": "estimates",
    "monte_carlo": "estimates",
    "evidence_bound": "em",
    "expectation_maximisation": "em",
    "GaussianMixture": "gaussian_mixture",
    "TOY": "gaussian_mixture",
    "divergence_gradient": "generator_objectives",
    "generator_gradient": "generator_objectives",
    "train_discriminator": "generator_objectives",
    "trained_gradient": "generator_objectives",
    "GridDensity": "grids",
    "mean_field_gaussian": "mean_field",
    "moment_matching_gaussian": "mean_field",
    "MixtureFit": "mixture",
    "fit_mixture": "mixture",
    "exact_linear_regression": "regression",
    "variational_linear_regression": "regression",
    "quadratic_gradient_moments": "score_function",
    "reparameterised_gradients": "score_function",
    "score_function_gradients": "score_function",
    "distances": "topologies",
    "kantorovich_rubinstein": "transport",
    "optimal_transport": "transport",
    "wasserstein_1d": "transport",
    "GaussianFit": "unimodal",
    "IsotropicMixture": "unimodal",
    "fit_gaussian": "unimodal",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
