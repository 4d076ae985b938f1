"""A density given by its values on a grid."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.lab._checks import doubles, of_rank


@dataclasses.dataclass(frozen=True, eq=False)
class GridDensity:
    """A density of one number on a grid, integrated by the trapezoid rule.

    Its logarithm is kept, so that the far tails, where the density itself is 0 in floating point, still count.

    Attributes:
        x: (n,), increasing, n >= 2; the spacing may vary.
        log_density: (n,), -inf allowed; the integral must be 1 within 1e-3 and is then made 1.

    Raises:
        ValueError: a grid that does not increase, other lengths, NaN, or another integral.

    Example:
        >>> x = np.linspace(-10, 10, 2001)
        >>> p, q = (ki.lab.GridDensity(x, tfd.Normal(mean, 1.0).log_prob(x)) for mean in (0.0, 1.0))
        >>> round(ki.lab.forward_kl(p, q), 4)
        0.5
    """

    x: ArrayLike
    log_density: ArrayLike

    def __post_init__(self) -> None:
        x, log_density = of_rank("x", self.x, 1), doubles("log_density", self.log_density)
        if len(x) < 2 or not (np.diff(x) > 0).all():
            raise ValueError(f"Argument `x` must have at least 2 increasing points. Received: {x[:5]} ...")
        if log_density.shape != x.shape or np.isnan(log_density).any() or (log_density == np.inf).any():
            raise ValueError(
                f"Argument `log_density` must have shape {x.shape}, without NaN or +inf. "
                f"Received: shape {log_density.shape}, smallest {log_density.min()}, largest {log_density.max()}"
            )
        mass = trapezoid_weights(x) @ np.exp(log_density)
        if not abs(mass - 1) <= 1e-3:
            raise ValueError(f"Argument `log_density` must integrate to 1 on the grid. Received: integral {mass:.6g}")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "log_density", log_density - np.log(mass))


def trapezoid_weights(x: np.ndarray) -> np.ndarray:
    """Weights (n,) with weights @ f(x) the trapezoid rule on the grid x, (n,)."""
    steps = np.diff(x) / 2
    return np.concatenate([steps, [0]]) + np.concatenate([[0], steps])
