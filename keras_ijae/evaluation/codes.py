"""How a model uses its code space."""

from typing import Any

import numpy as np

from keras_ijae import metrics


def active_codes(model: Any, x: Any, codes: np.ndarray) -> np.ndarray:
    """Which dimensions of the code are in use, (latent_dim,) booleans, by the definition that fits the model.

    These are the mask, where the model has one; the posteriors' means, where it is explicit; else the codes' spread.

    Args:
        model: any model with an encoder.
        x: observations (n, *data_shape), at least two; of a conditional model with their labels, (x, labels).
        codes: of these, (n, latent_dim), with the encoder's noise.

    References: see `ki.metrics.active_dimensions`.
    """
    if model.active_dims is not None:
        return np.isin(np.arange(model.latent_dim), model.active_dims)
    if model.posterior_family is not None:
        return metrics.active_dimensions(model.encode(x), "posterior_mean")
    return metrics.active_dimensions(codes, "stddev")


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
        At least 0; infinite where the codes lie in fewer dimensions than they have.
    """
    codes = _codes(model, x, seed)
    covariance = _covariance(codes)
    sign, log_determinant = np.linalg.slogdet(covariance)
    if sign <= 0:
        return float("inf")
    mean = codes.mean(axis=0)
    return float((np.trace(covariance) + mean @ mean - len(mean) - log_determinant) / 2)


def _codes(model, x, seed):
    codes = np.asarray(model.encode(x, seed=seed), np.float64)
    if len(codes) < 2:
        raise ValueError(f"Argument `x` must have at least two rows. Received: {len(codes)}")
    return codes


def _covariance(codes):
    return np.atleast_2d(np.cov(codes, rowvar=False))
