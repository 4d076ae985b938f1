"""Which divergences of a sequence of distributions vanish: the order of topologies."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.lab._checks import probabilities, sized
from keras_ijae.lab.divergences import forward_kl, jensen_shannon, reverse_kl, total_variation
from keras_ijae.lab.transport import wasserstein_1d


@dataclasses.dataclass(frozen=True)
class Distances:
    """Between P and Q: KL(P || Q), KL(Q || P) and Jensen-Shannon (with halves) in nats, total variation, W_1."""

    forward_kl: float
    reverse_kl: float
    jensen_shannon: float
    total_variation: float
    wasserstein: float


def distances(x: ArrayLike, a: ArrayLike, y: ArrayLike, b: ArrayLike) -> Distances:
    """Five divergences of two finite distributions on the line, P at x with weights a, and Q at y with weights b.

    On a compact set, for a sequence Q_n: KL -> 0 implies JS -> 0, that is TV -> 0, which implies W_1 -> 0, that is
    Q_n -> P weakly; no arrow can be turned round. Points at 0 and at t > 0 have W_1 = t, but TV 1, JS log 2 and
    infinite KL however small t is.

    Args:
        x, a: points (n,) and probabilities (n,) of P.
        y, b: points (m,) and probabilities (m,) of Q.

    Raises:
        ValueError: weights that are negative or do not sum to 1, other shapes, values that are not finite.

    References:
        Arjovsky, Chintala & Bottou: Wasserstein GAN (2017), theorem 2 and example 1.

    Example:
        >>> found = ki.lab.distances([0.0], [1.0], [0.1], [1.0])
        >>> found.wasserstein, found.total_variation, round(found.jensen_shannon, 3), found.forward_kl
        (0.1, 1.0, 0.693, inf)
    """
    a, b = probabilities("a", a), probabilities("b", b)
    x, y = sized("x", x, len(a)), sized("y", y, len(b))
    points, index = np.unique(np.r_[x, y], return_inverse=True)
    p = np.bincount(index[: len(x)], a, len(points))
    q = np.bincount(index[len(x) :], b, len(points))
    of_vectors = (measure(p, q) for measure in (forward_kl, reverse_kl, jensen_shannon, total_variation))
    return Distances(*of_vectors, wasserstein_1d(x, a, y, b))
