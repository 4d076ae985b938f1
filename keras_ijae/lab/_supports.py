"""Where distributions of one number live: discrete or not, their bounds, their points, and where their mass is."""

from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.distributions.tfp import tfp

_SEED = (0, 0)
_DRAWS, _KNOTS = 1024, 65
_COUNTS = ("BetaBinomial", "Binomial", "Geometric", "NegativeBinomial", "Poisson", "Zipf")
_LATTICE = (*_COUNTS, "QuantizedDistribution", "Skellam")
_POINTS = ("Bernoulli", "Categorical", "Deterministic", "FiniteDiscrete")


def factor(distribution: Any) -> Any:
    """What `Independent` and `Sample` repeat (a batch, of the first); else the distribution itself."""
    while _of(distribution, "Independent", "Sample"):
        distribution = distribution.distribution
    return distribution


def leaves(distribution: Any) -> list[Any]:
    """The components of a mixture (batches among them), of mixtures within it too; else the distribution itself."""
    distributions, distribution = tfp().distributions, factor(distribution)
    if isinstance(distribution, distributions.MixtureSameFamily):
        return leaves(distribution.components_distribution)
    if isinstance(distribution, distributions.Mixture):
        return [leaf for component in distribution.components for leaf in leaves(component)]
    return [distribution]


def is_discrete(name: str, distribution: Any) -> bool:
    """Whether its mass lies on single points; ValueError for a mixture of both kinds."""
    kinds = {_of(leaf, *_POINTS, *_LATTICE) or leaf.dtype.is_integer for leaf in leaves(distribution)}
    if len(kinds) > 1:
        raise ValueError(f"Argument `{name}` must be discrete or continuous. Received: both in {distribution!r}")
    return kinds.pop()


def atoms(name: str, distribution: Any) -> np.ndarray:
    """All points of a discrete distribution, (n,); of a lattice, those that hold all of its mass but 1e-15."""
    known = [_points(leaf) for leaf in leaves(distribution)]
    if all(points is not None for points in known):
        return np.unique(np.concatenate(known))
    low, draws = _lowest(distribution), np.concatenate([_draws(leaf) for leaf in leaves(distribution)])
    left, right, mass = max(draws.min(), low), draws.max(), -1.0
    while right - left < 2**22:
        points = np.arange(left, right + 1)
        before, mass = mass, np.exp(log_prob(distribution, points)).sum()
        if mass <= before + 1e-15:
            return points
        width = right - left + 1
        left, right = max(left - width, low), right + width
    raise ValueError(f"Argument `{name}` must have its mass on fewer than 2^22 integers. Received: {distribution!r}")


def log_mass(distribution: Any, x: np.ndarray) -> np.ndarray:
    """Log-probabilities of a discrete distribution at points x, (n,); -inf where it has none."""
    known = [_points(leaf) for leaf in leaves(distribution)]
    if all(points is not None for points in known):
        held = np.isin(x, np.concatenate(known))
    else:
        held = (x == np.round(x)) & (x >= _lowest(distribution))
    values = np.full(len(x), -np.inf)
    values[held] = log_prob(distribution, x[held])
    return values


def support(leaf: Any) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value, of the shape of the batch; -inf and inf where TFP does not tell."""
    points = _points(leaf)
    if points is not None:
        return points.min(), points.max()
    if _of(leaf, *_COUNTS):
        return np.array(0.0), np.array(np.inf)
    bijector = leaf.experimental_default_event_space_bijector()
    if bijector is not None:
        ends = [bijector.forward(tf.constant(end, tf.float64)).numpy() for end in (-np.inf, np.inf)]
        if not np.isnan(ends).any():
            return np.minimum(*ends), np.maximum(*ends)
    return np.array(-np.inf), np.array(np.inf)


def bounds(distribution: Any) -> np.ndarray:
    """Ends of the supports of all its components, infinite ones among them, sorted."""
    return np.unique(np.concatenate([np.ravel(support(leaf)) for leaf in leaves(distribution)]))


def knots(distribution: Any) -> np.ndarray:
    """Places where its density may change, sorted, so that no component is missed, however narrow or light.

    These are quantiles of draws from each component, and beyond them distances that double, up to the width of all.
    """
    rows = [_draws(leaf).reshape(_DRAWS, -1) for leaf in leaves(distribution)]
    quantiles = np.concatenate([np.quantile(draws, np.linspace(0, 1, _KNOTS), axis=0) for draws in rows], axis=1)
    low, high = quantiles[0], quantiles[-1]
    doublings = np.log2(np.ptp(quantiles) / np.maximum(high - low, 1e-300)).max(initial=0)
    steps = (high - low) * 2.0 ** np.arange(-2, min(doublings, 1000) + 1)[:, None]
    return np.unique(np.concatenate([quantiles, low - steps, high + steps]))


def log_prob(distribution: Any, x: np.ndarray) -> np.ndarray:
    """log p(x) in float64, (n,); -inf where TFP has no number (it computes on outside of supports)."""
    values = distribution.log_prob(tf.constant(x, distribution.dtype)).numpy().astype(np.float64)
    return np.where(np.isnan(values), -np.inf, values)


def _points(leaf: Any) -> np.ndarray | None:
    if _of(leaf, "Deterministic", "FiniteDiscrete"):
        return np.ravel(leaf.loc if _of(leaf, "Deterministic") else leaf.outcomes).astype(np.float64)
    if _of(leaf, "Bernoulli", "Categorical"):
        classes = 2 if _of(leaf, "Bernoulli") else int(leaf._num_categories())
        return np.arange(float(classes))
    return None


def _lowest(distribution: Any) -> float:
    return 0 if all(_of(leaf, *_COUNTS, *_POINTS) for leaf in leaves(distribution)) else -np.inf


def _draws(leaf: Any) -> np.ndarray:
    return np.ravel(leaf.sample(_DRAWS, seed=_SEED)).astype(np.float64)


def _of(leaf: Any, *names: str) -> bool:
    return isinstance(leaf, tuple(getattr(tfp().distributions, name) for name in names))
