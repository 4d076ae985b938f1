"""The common ground of two distributions, on which every divergence between them is a sum, a mean or known."""

import math
from typing import Any

import numpy as np

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab._checks import probabilities
from keras_ijae.lab._float64 import distributions_as_float64
from keras_ijae.lab._pairs import Pair, on_atoms, on_line
from keras_ijae.lab._supports import factor, is_discrete, support
from keras_ijae.lab.estimates import monte_carlo
from keras_ijae.lab.grids import GridDensity, trapezoid_weights


class Singular:
    """Two distributions without common mass."""

    def kl(self) -> float:
        return math.inf

    def jensen_shannon(self) -> float:
        return math.log(2)

    def total_variation(self) -> float:
        return 1.0

    def wasserstein(self) -> float:
        raise ValueError("Arguments `p` and `q` must be both discrete or both continuous. Received: one of each")


class Drawn:
    """Two densities of several numbers, known by draws."""

    def __init__(self, p: Any, q: Any) -> None:
        self.p, self.q = p, q

    def kl(self) -> float:
        return monte_carlo("forward_kl", self.p, self.q).value

    def jensen_shannon(self) -> float:
        return monte_carlo("jensen_shannon", self.p, self.q).value

    def total_variation(self) -> float:
        return monte_carlo("total_variation", self.p, self.q).value

    def wasserstein(self) -> float:
        raise ValueError(
            "Arguments `p` and `q` must be distributions of one number; for finite sets of points in more dimensions "
            f"there is `optimal_transport`. Received: events of shape {tuple(self.p.event_shape)}"
        )


class Vectors(Pair):
    """Two vectors of probabilities."""

    def wasserstein(self) -> float:
        raise ValueError(
            "Arguments `p` and `q` must be distributions on the line; for points with probabilities there is "
            f"`wasserstein_1d`. Received: vectors of length {len(self.x)}"
        )


def alike(p: Any, q: Any) -> tuple[Any, Any]:
    """Both arguments checked: float64 distributions of TFP, vectors of probabilities, or densities on one grid."""
    if isinstance(p, GridDensity) and isinstance(q, GridDensity):
        if not np.array_equal(p.x, q.x):
            raise ValueError(f"Arguments `p` and `q` must be on one grid. Received: {p.x.shape} and {q.x.shape} points")
        return p, q
    if any(isinstance(argument, GridDensity) or hasattr(argument, "log_prob") for argument in (p, q)):
        return distributions_as_float64(p, q)
    p, q = probabilities("p", p), probabilities("q", q)
    if len(p) != len(q):
        raise ValueError(f"Arguments `p` and `q` must have one length. Received: {len(p)} and {len(q)}")
    return p, q


def common(p: Any, q: Any) -> Pair | Singular | Drawn:
    """The common ground of two arguments that passed `alike`."""
    if isinstance(p, GridDensity):
        return Pair(p.x, p.log_density, q.log_density, trapezoid_weights(p.x))
    if isinstance(p, np.ndarray):
        with np.errstate(divide="ignore"):
            return Vectors(np.arange(len(p)), np.log(p), np.log(q), np.ones(len(p)))
    discrete = is_discrete("p", p), is_discrete("q", q)
    if discrete[0] != discrete[1]:
        return Singular()
    if p.event_shape.rank:
        return Drawn(p, q)
    return on_atoms(p, q) if discrete[0] else on_line(p, q)


def closed_form_kl(p: Any, q: Any) -> float | None:
    """TFP's KL(p || q) of two densities, or of several discrete numbers on the same points; else (or if nan) None."""
    if isinstance(p, np.ndarray | GridDensity):
        return None
    discrete = is_discrete("p", p) or is_discrete("q", q)
    if discrete and not (p.event_shape.rank and np.array_equal(*(support(factor(side)) for side in (p, q)))):
        return None
    try:
        value = float(tfp().distributions.kl_divergence(p, q))
    except NotImplementedError:
        return None
    return None if math.isnan(value) else value
