"""How a model uses its code space."""

from typing import Any

import numpy as np

from keras_ijae import metrics
from keras_ijae.distributions.supports import is_box

_DRAWS = 10_000
_ROUNDING = np.finfo(np.float32).eps ** 2
"""Of variances of codes, relative: what is less is no variance."""


def active_codes(model: Any, x: Any, codes: np.ndarray) -> np.ndarray:
    """Which dimensions of the code are in use, (latent_dim,) booleans, by the definition that fits the model.

    These are the mask, where the model has one; else the spread of `encode(x)`, where the posterior is explicit, or of
    the codes. On a sphere, and of weights that add up to 1, it is measured in units of the prior's, which are
    1 / sqrt(latent_dim) on the sphere.

    Args:
        model: any model with an encoder.
        x: observations (n, *data_shape), at least two; of a conditional model with their labels, (x, labels).
        codes: of these, (n, latent_dim), with the encoder's noise.

    References: see `ki.metrics.active_dimensions`.
    """
    if model.active_dims is not None:
        return np.isin(np.arange(model.latent_dim), model.active_dims)
    if model.posterior_family is not None:
        return metrics.active_dimensions(model.encode(x) / _spread(model.prior), "posterior_mean")
    return metrics.active_dimensions(codes / _spread(model.prior), "stddev")


def _spread(prior):
    """What a deviation of 1 is: 1 in R^latent_dim and its parts, elsewhere the prior's own, (latent_dim,)."""
    return 1.0 if is_box(prior.support) else np.std(prior.sample(_DRAWS, 0), axis=0)


def latent_covariance(model: Any, x: Any, seed: int = 0) -> np.ndarray:
    """Unbiased covariance (latent_dim, latent_dim) of the codes of a data set, one sample z ~ q(z|x) of each example.

    Args:
        model: any model with an encoder.
        x: observations (n, *data_shape), at least two; of a conditional model with their labels, (x, labels).
        seed: of the encoder's noise.
    """
    return _covariance(_codes(model, x, seed))


def aggregate_posterior_kl(model: Any, x: Any, seed: int = 0) -> float:
    """KL(N || N(0, I)) in nats, where the Gaussian N has the mean and the covariance of the codes z ~ q(z|x).

    For the aggregate posterior q(z) itself, KL(q(z) || N(0, I)) = KL(q(z) || N) + this value, because log N(0, I) is
    quadratic. So this is a lower bound for any encoder, and exact where q(z) is Gaussian. Where the posterior is
    explicit, `ki.metrics.elbo_terms` estimates the KL of q(z).

    Args:
        model, x, seed: as in `latent_covariance`.

    Returns:
        At least 0; infinite where the codes lie in fewer dimensions than they have, as weights that add up to 1 do, or
        no more rows than dimensions. Biased upwards where there are not many more.
    """
    codes = _codes(model, x, seed)
    covariance = _covariance(codes)
    variances, mean = np.linalg.eigvalsh(covariance), codes.mean(axis=0)
    if len(codes) <= len(mean) or variances[0] <= len(mean) * _ROUNDING * variances[-1]:
        return float("inf")
    return float((variances.sum() + mean @ mean - len(mean) - np.log(variances).sum()) / 2)


def _codes(model, x, seed):
    codes = np.asarray(model.encode(x, seed=seed), np.float64)
    if len(codes) < 2:
        raise ValueError(f"Argument `x` must have at least two rows. Received: {len(codes)}")
    return codes


def _covariance(codes):
    return np.atleast_2d(np.cov(codes, rowvar=False))
