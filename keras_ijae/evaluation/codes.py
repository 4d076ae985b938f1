"""How a model uses its code space."""

from typing import Any

import numpy as np


def latent_covariance(model: Any, x: Any, seed: int = 0) -> np.ndarray:
    """Covariance (latent_dim, latent_dim) of codes z ~ q(z|x) over a data set, unbiased.

    Args:
        model: any model with an encoder.
        x: observations (n, *data_shape), at least two.
        seed: of the encoder's noise.
    """
    return _covariance(_codes(model, x, seed))


def aggregate_posterior_kl(model: Any, x: Any, seed: int = 0) -> float:
    """KL(N || N(0, I)) in nats of the Gaussian N with mean and covariance of the codes z ~ q(z|x).

    The KL of the aggregate posterior q(z) itself is this plus KL(q(z) || N), the log of N(0, I) being quadratic:
    so this is a lower bound, for any encoder, tight where q(z) is Gaussian. Where the posterior is explicit,
    `ki.metrics.elbo_terms` estimates the whole.

    Args:
        model, x, seed: as in `latent_covariance`. Infinite where the codes do not span their space.
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
