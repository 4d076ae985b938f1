"""Approximate posteriors q(z | x), whose parameters are the output of an encoder."""

from typing import Any

from keras_ijae.distributions._identified import identified
from keras_ijae.distributions._scales import positive_scale
from keras_ijae.distributions.posteriors.base import Posterior
from keras_ijae.distributions.posteriors.gaussian import DiagonalGaussian, FullGaussian
from keras_ijae.distributions.posteriors.inverse_autoregressive import IAF
from keras_ijae.distributions.posteriors.planar import PlanarFlow
from keras_ijae.distributions.posteriors.sticks import StickBreaking

POSTERIORS: dict[str, type[Posterior]] = {
    "diagonal": DiagonalGaussian,
    "full": FullGaussian,
    "planar": PlanarFlow,
    "iaf": IAF,
    "sticks": StickBreaking,
}


def get(identifier: str | Posterior | dict[str, Any], latent_dim: int) -> Posterior:
    """The posterior that `identifier` means: a name (a key of `POSTERIORS`), an instance, or a serialised instance.

    Raises:
        ValueError: for an unknown name, or an instance of another `latent_dim`.
    """
    found = identified("posterior", identifier, Posterior, POSTERIORS, latent_dim)
    if found.latent_dim != latent_dim:
        raise ValueError(
            f"Argument `posterior` must have latent_dim={latent_dim}. Received: latent_dim={found.latent_dim}"
        )
    return found


__all__ = [
    "IAF",
    "POSTERIORS",
    "DiagonalGaussian",
    "FullGaussian",
    "PlanarFlow",
    "Posterior",
    "StickBreaking",
    "get",
    "positive_scale",
]
