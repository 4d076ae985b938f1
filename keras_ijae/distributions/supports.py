"""Where codes can be, as posteriors and priors declare it."""

import math

import numpy as np

from keras_ijae.distributions._sticks import LEAST

Support = tuple[float, float] | str
"""The open interval (low, high) that every dimension lies in, or the name of another set: "sphere" is the unit one."""

REALS: Support = (-math.inf, math.inf)
SPHERE: Support = "sphere"
STICKS: Support = "sticks"  # weights above 0 that add up to 1


def is_box(support: Support) -> bool:
    """Whether it has a volume in R^latent_dim, on which densities are."""
    return not isinstance(support, str)


def holds(outer: Support, inner: Support) -> bool:
    """Whether `inner` is in `outer`, with densities of the same kind: else KL(inner || outer) is infinite."""
    if isinstance(outer, str) or isinstance(inner, str):
        return outer == inner
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def described(support: Support) -> str:
    """In words: "R^latent_dim", "(-1, 1)^latent_dim", "the set 'sphere'"."""
    if isinstance(support, str):
        return f"the set {support!r}"
    return "R^latent_dim" if support == REALS else f"({support[0]:g}, {support[1]:g})^latent_dim"


def brought(support: Support, codes: np.ndarray) -> np.ndarray:
    """Codes (..., latent_dim) that were moved, on sticks again: none below 0, adding up to 1; others as they are."""
    if support != STICKS:
        return codes
    weights = np.maximum(codes, math.exp(LEAST))
    return weights / weights.sum(axis=-1, keepdims=True)
