"""Likelihoods p(x | params) of the data given a decoder's output."""

from collections.abc import Callable
from typing import Any

from keras_ijae.distributions._identified import identified
from keras_ijae.distributions.likelihoods.base import Likelihood
from keras_ijae.distributions.likelihoods.bernoulli import Bernoulli
from keras_ijae.distributions.likelihoods.cyclic_shift import CyclicShift, ShiftGaussian
from keras_ijae.distributions.likelihoods.discretized_logistic import DiscretizedLogistic
from keras_ijae.distributions.likelihoods.location_scale import Gaussian, Laplace
from keras_ijae.distributions.likelihoods.symmetric import SYMMETRIC, named

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
        identifier: a name in `LIKELIHOODS` (built with its default arguments: scale 1 for "gaussian" and
            "laplace"), an instance of `Likelihood` or
            of a subclass of it, or the dictionary of `keras.saving.serialize_keras_object`.
        data_shape: shape of one example, `(height, width, channels)` or `(features,)`.

    Raises:
        ValueError: for an unknown name, or where data of this shape cannot have this likelihood.
    """
    found = identified("likelihood", identifier, Likelihood, LIKELIHOODS)
    found.validate(tuple(data_shape))
    return found


def get_symmetric(identifier: str | Likelihood | dict[str, Any], data_shape: tuple[int, ...]) -> Likelihood:
    """A symmetric likelihood r(y | a) = r(a | y) of a fixed scale, as λ-IJAE compares data by.

    Args:
        identifier: "auto", a name in `SYMMETRIC`, an instance or a serialised one. By name the scale is 0.1 and
            shifts are of up to 2 pixels, 1 where height or width is below 16; "auto" is "cyclic_shift" on images and
            "gaussian" on vectors.
        data_shape: shape of one example, `(height, width, channels)` or `(features,)`.

    Raises:
        ValueError: an unknown name, a likelihood that is not symmetric or whose scale is learned, or one that data
            of this shape cannot have.
    """
    likelihood = get(named(identifier, tuple(data_shape)), data_shape)
    if not likelihood.symmetric or likelihood.trainable_variables:
        raise ValueError(
            f"Argument `likelihood` must be symmetric, r(y|a) = r(a|y), with a fixed scale. Received: {likelihood!r}"
        )
    return likelihood


__all__ = [
    "LIKELIHOODS",
    "SYMMETRIC",
    "Bernoulli",
    "CyclicShift",
    "DiscretizedLogistic",
    "Gaussian",
    "Laplace",
    "Likelihood",
    "ShiftGaussian",
    "get",
    "get_symmetric",
]
