"""What a measure can need of a model. Models, their likelihoods and priors declare it; nothing is probed."""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras_ijae.distributions.supports import is_box


class Capability(NamedTuple):
    """Something that a model offers or not.

    Attributes:
        what: in words, after "needs".
        offered: whether a model offers it.
    """

    what: str
    offered: Callable[[Any], bool]


def _has_density(likelihood: Any) -> bool:
    return likelihood is not None and likelihood.has_log_prob


ENCODER = Capability("an encoder", lambda model: model.has_encoder)
IMAGES = Capability("images", lambda model: len(model.data_shape) == 3)
TWO_DIMENSIONS = Capability("at least two latent dimensions", lambda model: model.latent_dim >= 2)
BOUNDS = Capability("an explicit posterior, likelihood and prior", lambda model: model.has_bounds)
CONDITIONAL = Capability("a conditional model, created with `classes`", lambda model: model.classes is not None)
LIKELIHOOD = Capability(
    "a likelihood with a density (`ki.evaluation.ais_log_likelihood` takes one)",
    lambda model: _has_density(model.observation_model),
)
PRIOR_DENSITY = Capability(
    "a prior with an exact density on R^latent_dim",
    lambda model: _has_volume(scored_prior(model)),
)


def _has_volume(prior: Any) -> bool:
    return prior.has_log_prob and is_box(prior.support) and not prior.density_noise_dim


def scored_prior(model: Any) -> Any:
    """p(z) of the likelihoods p(x): that of the model's own bounds, else of its samples."""
    return model.prior if model.has_bounds else model.sampling_prior
