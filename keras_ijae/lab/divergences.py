"""Divergences in nats between distributions of TFP, vectors of probabilities, or densities on a grid.

Every function takes two arguments of one kind, p (the data) and q (the model):

- vectors of probabilities, (n,): exact sums, with 0 log 0 = 0;
- `GridDensity`: the trapezoid rule on the grid they share;
- distributions of TFP, in float64 whatever they were made of. KL is TFP's closed form where it has one. Otherwise
  densities of one number are integrated by an adaptive rule that knows the bounds, the tails and every component of
  a mixture; discrete ones are summed over their points; distributions of several numbers are estimated from
  100,000 draws, and `monte_carlo` says how far to trust that. A discrete and a continuous distribution have no mass
  in common.

What is infinite is `inf`: KL where q has no mass and p has, or where the integral diverges.
"""

import math
from typing import Any

from keras_ijae.checks import number
from keras_ijae.lab._ground import alike, closed_form_kl, common


def forward_kl(p: Any, q: Any) -> float:
    """KL(p || q) = E_p[log p - log q]: p the data, q the model; punishes a model that misses data.

    Args:
        p, q: two vectors of probabilities, two `GridDensity` on one grid, or two distributions of TFP.

    Returns:
        Nats, at least 0; inf where q has no mass and p has.

    Raises:
        ValueError: arguments of different kinds, lengths, grids or event shapes; negative or non-normalised
            probabilities; parameters that TFP refuses; NaN.

    Example:
        >>> round(ki.lab.forward_kl([0.5, 0.5], [0.25, 0.75]), 5)
        0.14384
        >>> round(ki.lab.forward_kl(tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 0.5)), 5)
        2.80685
    """
    return _kl(*alike(p, q))


def reverse_kl(p: Any, q: Any) -> float:
    """KL(q || p) = E_q[log q - log p]: p the data, q the model; punishes a model that leaves the data.

    Arguments, result and errors as in `forward_kl`.
    """
    p, q = alike(p, q)
    return _kl(q, p)


def jeffreys_divergence(p: Any, q: Any, lam: float) -> float:
    """lam KL(p || q) + (1 - lam) KL(q || p): from mode-seeking (lam = 0) to mass-covering (lam = 1).

    Args:
        p, q: as in `forward_kl`; p is the data.
        lam: in [0, 1]; a direction of weight 0 does not count even if it is infinite.

    Raises:
        ValueError: as `forward_kl`; `lam` outside [0, 1].

    References:
        Alanov et al. 2019 (lambda-IJAE).

    Example:
        >>> round(ki.lab.jeffreys_divergence(tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 0.5), 0.3), 5)
        1.41476
    """
    lam = number("lam", lam, least=0, most=1)
    p, q = alike(p, q)
    return sum(weight * _kl(*pair) for weight, pair in ((lam, (p, q)), (1 - lam, (q, p))) if weight)


def jensen_shannon(p: Any, q: Any, halves: bool = True) -> float:
    """(KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2: symmetric, between 0 and log 2.

    Args:
        p, q: as in `forward_kl`.
        halves: False leaves out the division by 2 (the lecture's convention: at most 2 log 2).

    Raises:
        ValueError: as `forward_kl`.

    References:
        Lin 1991, eq. 4.1.

    Example:
        >>> round(ki.lab.jensen_shannon(tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 1.0)), 5)
        0.11142
    """
    value = common(*alike(p, q)).jensen_shannon()
    return min(max(value, 0.0), math.log(2)) * (1 if halves else 2)


def total_variation(p: Any, q: Any) -> float:
    """The integral (or sum) of |p - q|, halved: the largest difference of the probabilities of one event, in [0, 1].

    Arguments and errors as in `forward_kl`.

    Example:
        >>> round(ki.lab.total_variation(tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 1.0)), 5)
        0.38292
    """
    return min(common(*alike(p, q)).total_variation(), 1.0)


def wasserstein_1(p: Any, q: Any) -> float:
    """The integral of |F - G|, F and G the distribution functions: the least mean distance mass must be moved.

    Args:
        p, q: two distributions of TFP of one number, both discrete or both continuous, or two `GridDensity`.

    Returns:
        In the unit of x, at least 0; inf where the integral diverges.

    Raises:
        ValueError: as `forward_kl`; vectors of probabilities, which say nothing of places: `wasserstein_1d` takes both.

    References:
        Vallender 1974.

    Example:
        >>> round(ki.lab.wasserstein_1(tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 2.0)), 5)
        1.16663
    """
    return common(*alike(p, q)).wasserstein()


def _kl(p: Any, q: Any) -> float:
    exact = closed_form_kl(p, q)
    return max(common(p, q).kl() if exact is None else exact, 0.0)
