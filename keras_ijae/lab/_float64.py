"""Distributions of TFP checked and rebuilt in float64, whatever they were made of."""

import types
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.distributions.tfp import tfp

_POSITIVE = ("scale_diag", "scale_identity_multiplier")
"""Parameters that TFP lets be negative, though they are standard deviations."""

_FINITE = ("loc", "scale", "rate", "concentration")
"""Parameters that begin so may not be infinite; bounds and log-odds may."""

_LARGEST = np.finfo(np.float32).max


def distributions_as_float64(p: Any, q: Any) -> tuple[Any, Any]:
    """Arguments `p` and `q` by `as_float64`; ValueError unless their events have one shape."""
    p, q = as_float64("p", p), as_float64("q", q)
    if p.event_shape != q.event_shape:
        shapes = f"{tuple(p.event_shape)} and {tuple(q.event_shape)}"
        raise ValueError(f"Arguments `p` and `q` must have events of one shape. Received: {shapes}")
    return p, q


def as_float64(name: str, distribution: Any) -> Any:
    """`distribution` with all its parameters in float64: Python numbers keep all their digits.

    Args:
        name: of the argument, for the errors.
        distribution: one TFP distribution, not a batch of them.

    Raises:
        ValueError: not a distribution, a batch of them, or parameters that TFP's own checks refuse.
    """
    distributions = tfp().distributions
    if not isinstance(distribution, distributions.Distribution):
        raise ValueError(
            f"Argument `{name}` must be a distribution of TFP, a vector of probabilities or a GridDensity, of one kind "
            f"with the other argument. Received: {distribution!r}"
        )
    if isinstance(distribution, distributions.OneHotCategorical):
        distribution = distributions.Categorical(distribution.logits, distribution.probs, validate_args=False)
    if distribution.batch_shape != [] or not isinstance(distribution.event_shape, tf.TensorShape):
        raise ValueError(f"Argument `{name}` must be one distribution of one tensor. Received: {distribution!r}")
    return _rebuilt(name, distribution)


def _rebuilt(name: str, thing: Any) -> Any:
    """A distribution, bijector or linear operator with its parameters, and theirs, in float64."""
    if isinstance(thing, tfp().distributions.Empirical):
        raise ValueError(
            f"Argument `{name}` must not be an Empirical distribution: for points with probabilities there are "
            f"FiniteDiscrete, `wasserstein_1d` and `optimal_transport`. Received: {thing!r}"
        )
    changed = {}
    properties = type(thing).parameter_properties() if hasattr(type(thing), "parameter_properties") else {}
    for key, value in thing.parameters.items():
        known = properties.get(key)
        numeric = isinstance(known, tfp().util.ParameterProperties) and not known.specifies_shape
        changed[key] = _cast(f"{name}.{key}", value, numeric)
    if isinstance(thing, tf.linalg.LinearOperator):
        if "dtype" in changed:
            changed["dtype"] = tf.float64
        return type(thing)(**changed)
    if isinstance(thing, tfp().distributions.Distribution):
        _validate(name, thing)
    return thing.copy(**changed)


def _cast(name: str, value: Any, numeric: bool) -> Any:
    if _has_parameters(value):
        return _rebuilt(name, value)
    if isinstance(value, list | tuple) and any(_has_parameters(part) for part in value):
        return [_rebuilt(f"{name}[{index}]", part) for index, part in enumerate(value)]
    if value is None or isinstance(value, bool | str | tf.DType | types.FunctionType):
        return value
    array = np.asarray(value)
    if array.dtype.kind != "f" and not (numeric and array.dtype.kind in "iu"):
        return value
    bounded = any(part.startswith(_FINITE) for part in name.split("."))
    if np.isnan(array).any() or (bounded and np.isinf(array).any()) or (name.endswith(_POSITIVE) and array.min() <= 0):
        raise ValueError(f"Argument `{name}` must be a valid parameter. Received: {array.tolist()}")
    return tf.constant(array, tf.float64)


def _has_parameters(value: Any) -> bool:
    kinds = tfp().distributions.Distribution, tfp().bijectors.Bijector, tf.linalg.LinearOperator
    return isinstance(value, kinds)


def _validate(name: str, distribution: Any) -> None:
    """ValueError where TFP's own checks refuse the parameters."""
    given = distribution.parameters
    if "validate_args" not in given or any(isinstance(value, tf.linalg.LinearOperator) for value in given.values()):
        return
    ends = [
        key for key in ("low", "high") if given.get(key) is not None
    ]  # infinite ones TFP serves, but not its checks
    try:
        distribution.copy(validate_args=True, **{key: np.clip(given[key], -_LARGEST, _LARGEST) for key in ends})
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        numeric = (tf.Tensor, tf.Variable, np.ndarray, float, int, list, tuple)
        shown = {key: value for key, value in given.items() if isinstance(value, numeric)}
        shown = {key: np.asarray(value).tolist() for key, value in shown.items() if not isinstance(value, bool)}
        reason = str(error).splitlines()[0]
        raise ValueError(f"Argument `{name}` must be a valid distribution. Received: {shown}: {reason}") from error
