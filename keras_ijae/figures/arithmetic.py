"""What the figures compute of codes: arrays in, arrays out."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.arrays import finite, real
from keras_ijae.checks import choice, number, whole

WAYS = ("linear", "sphere")
_NEARLY = 1e-6
_NAMED = 10
"""Of what is left out, at most."""


def class_directions(codes: ArrayLike, labels: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """For each attribute: the mean code of the examples that have it, minus that of the examples that have it not.

    Args:
        codes: (n, d).
        labels: classes (n,), integers, -1 for unknown: each class is an attribute, named by its number. Or several
            labels to an example, name -> (n,): of booleans one attribute, of integers one for each value, "name 3".

    Returns:
        attribute -> (d,), in the order of the labels. An attribute that all examples have, or that none has, is left
        out with a warning.

    Raises:
        ValueError: other shapes, codes that are not finite, labels that are none, or no attribute that is left.
    """
    codes = _codes("codes", codes)
    found = _attributes(labels, len(codes))
    told = {name: (has, known & ~has) for name, (has, known) in found.items() if has.any() and (known & ~has).any()}
    _say_left_out({name: part for name, part in found.items() if name not in told}, bool(told))
    return {name: codes[has].mean(axis=0) - codes[without].mean(axis=0) for name, (has, without) in told.items()}


def gaussian_kl(means: ArrayLike, stddevs: ArrayLike) -> np.ndarray:
    """KL(N(mean_j, stddev_j^2) || N(0, 1)) of each dimension in nats, mean over the rows: (d,).

    Args:
        means, stddevs: of the posteriors q(z_j | x), (n, d) each; deviations above 0.

    Raises:
        ValueError: other shapes, values that are not finite, or deviations that are not above 0.

    References:
        Kingma & Welling 2014, appendix B.
    """
    means, stddevs = _codes("means", means), _codes("stddevs", stddevs)
    if means.shape != stddevs.shape or stddevs.min() <= 0:
        raise ValueError(
            f"Argument `stddevs` must be above 0, of shape {means.shape} as `means` is. "
            f"Received: shape {stddevs.shape}, at least {stddevs.min():g}"
        )
    return np.mean((means**2 + stddevs**2 - 1) / 2 - np.log(stddevs), axis=0)


def between(start: ArrayLike, end: ArrayLike, steps: int, way: str = "linear") -> np.ndarray:
    """Codes on the way from `start` to `end`, both included: (n, steps, d).

    Args:
        start, end: (n, d) each.
        steps: at least 2.
        way: "linear", or "sphere": directions on the great circle at constant speed, lengths linearly, so that a way
            between codes of N(0, I) does not lead through the middle, where there are hardly any of them.

    Raises:
        ValueError: shapes that differ, or codes between which there is no such way: zero, or opposite to each other.

    References:
        Shoemake 1985, section 3.3 (great circle); White 2016, "Sampling generative networks", section 2.1.
    """
    start, end = _codes("start", start), _codes("end", end)
    if start.shape != end.shape:
        raise ValueError(f"Arguments `start` and `end` must have one shape. Received: {start.shape} and {end.shape}")
    t = np.linspace(0, 1, whole("steps", steps, 2))[:, None]
    if choice("way", way, WAYS) == "linear":
        return start[:, None] * (1 - t) + end[:, None] * t
    lengths = [np.linalg.norm(part, axis=1)[:, None, None] for part in (start, end)]
    if min(length.min() for length in lengths) == 0:
        raise ValueError('Arguments `start` and `end` must not be zero on way="sphere". Received: a code of zeros')
    a, b = start[:, None] / lengths[0], end[:, None] / lengths[1]
    angle = np.arctan2(np.linalg.norm(a - b, axis=2), np.linalg.norm(a + b, axis=2))[..., None] * 2
    if np.pi - angle.max() < _NEARLY:
        raise ValueError('Arguments `start` and `end` must not be opposite on way="sphere". Received: such codes')
    angle = np.maximum(angle, _NEARLY)  # of equal directions: there the great circle is the line
    direction = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return direction * (lengths[0] * (1 - t) + lengths[1] * t)


def along(code: ArrayLike, direction: ArrayLike, factors: ArrayLike) -> np.ndarray:
    """code + factor * direction for each factor: (factors, d)."""
    return np.asarray(code, np.float64) + np.outer(factors, direction)


def embedded(points: ArrayLike, seed: int = 0, perplexity: float = 30.0) -> np.ndarray:
    """t-SNE of points (n, d) in the plane, (n, 2): near is near, distances and axes mean nothing.

    Args:
        points: at least 4.
        seed: of t-SNE.
        perplexity: about how many neighbours of a point count, above 1; less where there are few points.

    References:
        van der Maaten & Hinton 2008; by scikit-learn.
    """
    import threadpoolctl
    from sklearn.manifold import TSNE

    points = _codes("points", points, 4)
    perplexity = min(number("perplexity", perplexity, above=1), (len(points) - 1) / 3)
    with threadpoolctl.threadpool_limits(1):  # several threads wait for each other on a machine that is used
        found = TSNE(init="pca", perplexity=perplexity, random_state=whole("seed", seed, 0)).fit_transform(points)
    return found.astype(np.float64)


def _attributes(labels: Any, rows: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """attribute -> which examples have it, and of which that is known."""
    if not isinstance(labels, Mapping):
        return _classes("", labels, rows)
    return {k: v for name, values in labels.items() for k, v in _classes(name, values, rows).items()}


def _classes(name, values, rows):
    values = np.asarray(values)
    if values.shape != (rows,) or values.dtype.kind not in "biu":
        raise ValueError(
            f"Argument `labels` must be integers or booleans ({rows},), or a dictionary of such. "
            f"Received: {values.dtype} of shape {values.shape}{' for ' * bool(name)}{name}"
        )
    if values.dtype == bool:
        return {name: (values, np.ones(rows, bool))}
    known = values >= 0
    return {f"{name} {value}".strip(): (values == value, known) for value in np.unique(values[known])}


def _say_left_out(left_out, are_others):
    if not left_out:
        return
    said = [f"{has.sum()} with {name!r}, and {(known & ~has).sum()} without" for name, (has, known) in left_out.items()]
    received = "; ".join([*said[:_NAMED], *(["..."] if len(said) > _NAMED else [])])
    if not are_others:
        raise ValueError(
            "Argument `labels` must hold examples with an attribute and examples without. Received: " + received
        )
    warnings.warn(
        f"Attributes that all examples have, or none, have no direction and are left out: {received}", stacklevel=3
    )


def _codes(name: str, values: ArrayLike, least: int = 1) -> np.ndarray:
    array = real(name, values).astype(np.float64)
    if array.ndim != 2 or len(array) < least or not array.shape[1]:
        raise ValueError(f"Argument `{name}` must be of shape (n >= {least}, d). Received: shape {array.shape}")
    return finite(name, array)
