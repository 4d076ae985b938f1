"""Mixtures of Gaussians on the line."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special
from numpy.typing import ArrayLike

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab._checks import probabilities, sized


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianMixture:
    """sum_k weights_k N(means_k, stddevs_k^2), in float64.

    Attributes:
        weights: (k,), at least 0, with sum 1.
        means: (k,).
        stddevs: (k,), above 0.

    Raises:
        ValueError: weights that are negative or do not sum to 1, standard deviations that are not positive, other
            lengths, NaN.

    Example:
        >>> [round(float(moment), 3) for moment in ki.lab.GaussianMixture([0.3, 0.7], [-1, 2], [0.5, 1]).moments()]
        [1.1, 1.632]
    """

    weights: ArrayLike
    means: ArrayLike
    stddevs: ArrayLike

    def __post_init__(self) -> None:
        weights = probabilities("weights", self.weights)
        means, stddevs = (sized(name, getattr(self, name), len(weights)) for name in ("means", "stddevs"))
        if stddevs.min() <= 0:
            raise ValueError(f"Argument `stddevs` must be positive. Received: {stddevs.tolist()}")
        for name, value in (("weights", weights), ("means", means), ("stddevs", stddevs)):
            object.__setattr__(self, name, value)

    def log_density(self, x: ArrayLike) -> np.ndarray:
        """log p(x), of the shape of `x`, finite however far x lies out."""
        standard = (np.asarray(x, np.float64)[..., None] - self.means) / self.stddevs
        logs = -(standard**2) / 2 - np.log(self.stddevs) - np.log(2 * np.pi) / 2
        return scipy.special.logsumexp(logs, axis=-1, b=self.weights)

    def moments(self, components: Sequence[int] | None = None) -> tuple[float, float]:
        """Mean and standard deviation of the whole, or of some components alone, given by index."""
        chosen = np.arange(len(self.weights)) if components is None else np.asarray(components)
        weights = self.weights[chosen] / self.weights[chosen].sum()
        mean = weights @ self.means[chosen]
        return float(mean), float(np.sqrt(weights @ (self.stddevs[chosen] ** 2 + (self.means[chosen] - mean) ** 2)))

    def distribution(self) -> Any:
        """As a distribution of TFP."""
        tfd = tfp().distributions
        return tfd.MixtureSameFamily(tfd.Categorical(probs=self.weights), tfd.Normal(self.means, self.stddevs))


TOY = GaussianMixture((0.15, 0.35, 0.3, 0.2), (-8, -3, 3, 8), (0.2, 0.8, 1, 0.2))
"""The four components p* of the lambda-IJAE slides."""
