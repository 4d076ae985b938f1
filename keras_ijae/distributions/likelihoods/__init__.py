"""Likelihoods p(x | params) of the data given a decoder's output."""

from collections.abc import Callable
from typing import Any

import keras

from keras_ijae.checks import choice
from keras_ijae.distributions.likelihoods.base import Likelihood
from keras_ijae.distributions.likelihoods.bernoulli import Bernoulli
from keras_ijae.distributions.likelihoods.cyclic_shift import CyclicShift, ShiftGaussian
from keras_ijae.distributions.likelihoods.discretized_logistic import DiscretizedLogistic
from keras_ijae.distributions.likelihoods.location_scale import Gaussian, Laplace

LIKELIHOODS: dict[str, Callable[[], Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "learned_gaussian": lambda: Gaussian("learned"),
    "laplace": Laplace,
    "learned_laplace": lambda: Laplace("learned"),
    "discretized_logistic": DiscretizedLogistic,
    "cyclic_shift": CyclicShift,
    "shift_gaussian": ShiftGaussian,
}


def get(identifier: str | Likelihood | dict[str, Any], data_shape: tuple[int, ...]) -> Likelihood:
    """A likelihood from its name, an instance, or a serialised instance.

    Args:
        identifier: a name in `LIKELIHOODS` (built with its default arguments), an instance of `Likelihood` or
            of a subclass of it, or the dictionary of `keras.saving.serialize_keras_object`.
        data_shape: shape of one example, `(height, width, channels)` or `(features,)`.

    Raises:
        ValueError: for an unknown name, or where data of this shape cannot have this likelihood.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if not isinstance(identifier, Likelihood):
        identifier = LIKELIHOODS[choice("likelihood", identifier, sorted(LIKELIHOODS), "a `Likelihood`")]()
    identifier.validate(tuple(data_shape))
    return identifier


__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "CyclicShift",
    "DiscretizedLogistic",
    "Gaussian",
    "Laplace",
    "Likelihood",
    "ShiftGaussian",
    "get",
]
