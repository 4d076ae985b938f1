"""Densities fitted to the codes of a trained model."""

from typing import Any

import numpy as np

from keras_ijae import checks
from keras_ijae.distributions import priors
from keras_ijae.distributions.priors import Prior
from keras_ijae.game import data as batches


def fitted(model: Any, data: Any, prior: Prior | str | None, seed: int) -> Prior:
    """A new prior, fitted to the codes of `data`; arguments and errors of `GenerativeModel.fit_prior`."""
    if model.classes is not None:
        raise ValueError(
            "A prior cannot be fitted to the codes of a conditional model: it would be one density for those of all "
            f"labels. Received: a {type(model).__name__} with classes={model.classes}"
        )
    if prior is None and not model.prior.can_fit:
        raise ValueError(
            f"Argument `prior` must be one of {', '.join(map(repr, sorted(priors.FITTED)))}, or a `Prior` that can be "
            f"fitted: the one named at creation, {type(model.prior).__name__}, cannot. Received: prior=None"
        )
    checks.whole("seed", seed, least=0, most=2**32 - 1)
    with model.distribute_strategy.scope():
        made = priors.to_fit(model.prior if prior is None else prior, model.latent_dim)
    made.fit(_codes(model, data), seed)
    return made


def _codes(model, data):
    codes = [model.encode(batch) for batch in batches.batches(data)]
    if not codes:
        raise ValueError("Argument `data` is empty: there are no codes to fit a prior to")
    codes = np.concatenate(codes)
    bad = np.count_nonzero(~np.isfinite(codes).all(axis=1))
    if bad:
        raise ValueError(
            "The codes of `data` must be finite: training has diverged. Load an earlier state of the model, or train "
            f"it anew at a lower rate. Received: {bad} of {len(codes)} codes with NaN or infinite values"
        )
    return codes
