"""Priors p(z) over codes: fixed, fitted after training, or learned in it."""

import functools
from collections.abc import Callable
from typing import Any

from keras_ijae.checks import choice
from keras_ijae.distributions._identified import identified
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.priors.fixed import Sphere, StandardNormal, Uniform
from keras_ijae.distributions.priors.flows import MAF, RealNVP
from keras_ijae.distributions.priors.generated import GeneratedPrior
from keras_ijae.distributions.priors.hierarchical import HierarchicalPrior
from keras_ijae.distributions.priors.implicit import ImplicitOptimalPrior
from keras_ijae.distributions.priors.learned_mixture import LearnedMixture
from keras_ijae.distributions.priors.mixture import GaussianMixture
from keras_ijae.distributions.priors.resampled import ResampledPrior
from keras_ijae.distributions.priors.sticks import Sticks
from keras_ijae.distributions.priors.two_stage import TwoStage
from keras_ijae.distributions.priors.vamp import VampPrior

PRIORS: dict[str, type[Prior]] = {
    "normal": StandardNormal,
    "uniform": Uniform,
    "sphere": Sphere,
    "gmm": GaussianMixture,
    "mixture": LearnedMixture,
    "realnvp": RealNVP,
    "maf": MAF,
    "vamp": VampPrior,
    "hierarchical": HierarchicalPrior,
    "resampled": ResampledPrior,
    "sticks": Sticks,
}
FITTED: dict[str, Callable[[int], Prior]] = {
    "gmm": GaussianMixture,
    "normal": functools.partial(GaussianMixture, components=1),
    "two_stage": TwoStage,
    "flow": MAF,
    "vamp": VampPrior,
    "sphere": functools.partial(Sphere, radius=None),
}
"""What can be fitted to codes, by name: latent_dim -> prior."""


def get(identifier: str | Prior | dict[str, Any], latent_dim: int) -> Prior:
    """The prior that `identifier` means: a name (a key of `PRIORS`), an instance, or a serialised instance.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim`.
    """
    return _sized("prior", identified("prior", identifier, Prior, PRIORS, latent_dim), latent_dim)


def get_sampling(identifier: str | Prior | dict[str, Any], latent_dim: int) -> Prior:
    """What samples are drawn from: by the name of what can be fitted (a key of `FITTED`), or an instance.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim`.
    """
    return _sized("sampling_prior", identified("sampling_prior", identifier, Prior, FITTED, latent_dim), latent_dim)


def _sized(argument, prior, latent_dim):
    if prior.event_shape != (latent_dim,):
        raise ValueError(
            f"Argument `{argument}` must have event shape ({latent_dim},). Received: event_shape={prior.event_shape}"
        )
    return prior


def to_fit(identifier: str | Prior, latent_dim: int) -> Prior:
    """A new prior that can be fitted: `identifier` is a key of `FITTED`, or an instance, copied without its weights.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim` or without `can_fit`.
    """
    if not isinstance(identifier, Prior):
        return FITTED[choice("prior", identifier, sorted(FITTED), "a `Prior` that can be fitted")](latent_dim)
    prior = get(identifier, latent_dim)
    if not prior.can_fit:
        raise ValueError(
            "Argument `prior` must be a `Prior` that can be fitted, as `GaussianMixture`. "
            f"Received: {type(prior).__name__}"
        )
    return type(prior).from_config(prior.get_config())


__all__ = [
    "FITTED",
    "MAF",
    "PRIORS",
    "GaussianMixture",
    "GeneratedPrior",
    "HierarchicalPrior",
    "ImplicitOptimalPrior",
    "LearnedMixture",
    "Prior",
    "RealNVP",
    "ResampledPrior",
    "Sphere",
    "StandardNormal",
    "Sticks",
    "TwoStage",
    "Uniform",
    "VampPrior",
    "get",
    "to_fit",
]
