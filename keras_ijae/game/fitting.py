"""Densities fitted to the codes of a trained model."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import checks, random
from keras_ijae.distributions import priors
from keras_ijae.distributions.priors import Prior
from keras_ijae.distributions.supports import REALS, described, holds
from keras_ijae.game.data import batches as batches_of
from keras_ijae.game.data import check_form, parts
from keras_ijae.progress import tracked


def fitted(model: Any, data: Any, prior: Prior | str | None, seed: int) -> Prior:
    """A new prior, fitted to the codes of `data`; arguments and errors of `GenerativeModel.fit_prior`."""
    if model.classes is not None:
        raise ValueError(
            "A prior cannot be fitted to the codes of a conditional model: it would be one density for those of all "
            f"labels. Received: a {type(model).__name__} with classes={model.classes}"
        )
    if prior is None and not model.sampling_prior.can_fit:
        raise ValueError(
            f"Argument `prior` must be one of {', '.join(map(repr, sorted(priors.FITTED)))}, or a `Prior` that can be "
            f"fitted: what samples are drawn from, {type(model.sampling_prior).__name__}, cannot. Received: prior=None"
        )
    checks.whole("seed", seed, least=0, most=2**32 - 1)
    with model.distribute_strategy.scope():
        made = priors.to_fit(model.sampling_prior if prior is None else prior, model.latent_dim)
        made.belong_to(model)
    check_support(model, made)
    given = {"codes": _codes, "draws": _draws, "observations": _observations}[made.fits]
    made.fit(given(model, data, seed), seed)
    return made


def check_named(model: Any, prior: Any) -> None:
    """ValueError where the argument `prior` is the name of what is fitted to codes, of which a game has none.

    An instance may have been fitted elsewhere, or have its weights from a file or by hand.

    Args:
        model: a `Game` whose networks are known.
        prior: the argument.
    """
    made = model.prior
    if isinstance(prior, str) and made.can_fit and not model.has_encoder and not made.trainable_variables:
        raise ValueError(
            "Argument `prior` must be one that is not fitted to codes, as 'normal', or an instance that has been: "
            f"{type(model).__name__} has no encoder that gives some. Received: prior={prior!r}"
        )


def check_support(model: Any, prior: Prior) -> None:
    """ValueError where a prior has no samples here, or they leave the set of an explicit posterior's codes."""
    prior.check()
    codes = REALS if model.posterior_family is None else model.posterior_family.support
    if codes != REALS and not holds(codes, prior.support):
        raise ValueError(
            f"A prior of samples must give codes in {described(codes)}, as {type(model.posterior_family).__name__} "
            f"does: the decoder knows no others. Take one of that support, or 'vamp'. Received: a "
            f"{type(prior).__name__}, whose codes are in {described(prior.support)}"
        )


def _codes(model, data, seed, noise_seed=None):
    """The codes, with noise zero unless it has a seed: (n, latent_dim)."""
    batches = enumerate(_rows(model, data))
    codes = [model.encode(x, None if noise_seed is None else noise_seed + at) for at, x in batches]
    return _finite(np.concatenate(codes))


def _draws(model, data, seed):
    """Number of a pass -> the codes, drawn anew; of an explicit posterior the encoder runs once for all passes."""
    family = model.posterior_family
    if not model.code_noise_dim:
        codes = _codes(model, data, seed)
        return lambda number: codes
    if family is None:
        return lambda number: _codes(model, data, seed, _key(seed, number))
    with model.averaged():
        parameters = np.concatenate([model.parameters(x) for x in _rows(model, data)])
    _finite(parameters)

    def draw(number):
        with model.averaged():
            noise = random.normal([len(parameters), model.code_noise_dim], random.fold(seed, "draws", number))
            return _finite(family.draw(tf.constant(parameters), noise).numpy())

    return draw


def _observations(model, data, seed):
    """k -> so many rows of the data, chosen at random, none twice, in the order of the data."""

    def choose(k):
        count = sum(len(x) for x in _rows(model, data))
        if count < k:
            raise ValueError(f"Argument `data` must have at least {k} rows, of which {k} are chosen. Received: {count}")
        wanted, found, at = np.sort(np.random.default_rng(seed).choice(count, k, replace=False)), [], 0
        for x in _rows(model, data):
            found.append(x[wanted[(wanted >= at) & (wanted < at + len(x))] - at])
            at += len(x)
        return np.concatenate(found)

    return choose


def _rows(model, data):
    """The observations, batch by batch, of large ones some hundred rows at a time."""
    if isinstance(data, Iterator):
        raise ValueError(
            "Argument `data` must be an array, a finite tf.data.Dataset or a PyDataset: a generator cannot be gone "
            f"through again. Received: a {type(data).__name__}"
        )
    check_form("data", data, model.classes)
    empty = True
    for batch in tracked(batches_of(data), "codes"):
        empty = False
        x = np.asarray(model.labelled(batch).x)
        yield from (x[part] for part in parts(len(x)))
    if empty:
        raise ValueError("Argument `data` is empty: there are no codes to fit a prior to")


def _key(seed, number):
    """A seed for the codes of a pass, of which each batch takes one more."""
    return int(np.random.default_rng([seed, number]).integers(2**30))


def _finite(codes):
    bad = np.count_nonzero(~np.isfinite(codes).all(axis=1))
    if bad:
        raise ValueError(
            "The codes of `data` must be finite: training has diverged. Load an earlier state of the model, or train "
            f"it anew at a lower rate. Received: {bad} of {len(codes)} codes with NaN or infinite values"
        )
    return codes
