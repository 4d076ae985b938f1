"""Two unbiased estimators of the gradient of an expectation, and their variances, in closed form for quadratics."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.checks import number, whole
from keras_ijae.lab._checks import of_rank, sized
from keras_ijae.random import fold


def score_function_gradients(
    function: Callable, make: Callable, parameters: ArrayLike, samples: int, seed: int
) -> np.ndarray:
    """f(x) d log p(x; theta) / d theta for each of many x ~ p: REINFORCE. f need not have a gradient.

    Args:
        function: f, maps x (n, ...) to (n,).
        make: maps theta (n, k) to a TFP distribution of batch shape (n,).
        parameters: theta, (k,), float64.
        samples: how many x.
        seed: of the x.

    Returns:
        (samples, k), independent estimates; each has the gradient of E f(x) as its mean.

    Raises:
        ValueError: parameters of another rank or not finite; a `make` or `function` whose result has another shape.

    References:
        Williams 1992; Mohamed, Rosca, Figurnov & Mnih: Monte Carlo gradient estimation (2020), eq. 13.

    Example:
        >>> make = lambda theta: tfd.Normal(theta[:, 0], np.float64(1.0))
        >>> ki.lab.score_function_gradients(lambda x: x**2, make, [1.0], 1000, seed=0).shape
        (1000, 1)
    """

    def surrogate(p):
        x = tf.stop_gradient(p.sample(seed=fold(seed)))
        return _per_sample("function", tf.stop_gradient(function(x)), samples) * p.log_prob(x)

    return _gradients(surrogate, make, parameters, samples)


def reparameterised_gradients(
    function: Callable, make: Callable, parameters: ArrayLike, samples: int, seed: int
) -> np.ndarray:
    """d f(x(theta, noise)) / d theta for each of many draws of the noise: the pathwise estimator.

    f must have a gradient, and the distribution must draw its samples as a smooth function of theta.

    Args, Returns, Raises: as in `score_function_gradients`; ValueError also for a distribution that is not
    reparameterised.

    References:
        Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014; Mohamed et al. 2020, eq. 25.
    """

    def surrogate(p):
        if "FULLY_REPARAMETERIZED" not in str(p.reparameterization_type):
            raise ValueError(f"Argument `make` must make a reparameterised distribution. Received: {p.name}")
        return _per_sample("function", function(p.sample(seed=fold(seed))), samples)

    return _gradients(surrogate, make, parameters, samples)


@dataclasses.dataclass(frozen=True, eq=False)
class GradientMoments:
    """For theta = (mean, stddev), arrays of (2 d,).

    Attributes:
        gradient: of E f, which both estimators have as their mean.
        score_function, reparameterised: variance of one estimate, per entry of theta.
    """

    gradient: np.ndarray
    score_function: np.ndarray
    reparameterised: np.ndarray


def quadratic_gradient_moments(
    mean: ArrayLike, stddev: ArrayLike, matrix: ArrayLike, vector: ArrayLike, constant: float = 0.0
) -> GradientMoments:
    """Both estimators for x ~ N(mean, diag(stddev^2)) and f(x) = x'Ax + b.x + c, without drawing anything.

    With e = (x - mean) / stddev, f is k + h.e + e'Be. Given the other entries of e it is quadratic in e_i, and the
    moments of e_i up to the eighth give the variances. A constant c changes only the score function's.

    Args:
        mean, stddev: (d,); stddev above 0.
        matrix: A, (d, d); only its symmetric part matters.
        vector: b, (d,).
        constant: c.

    Raises:
        ValueError: a stddev that is not above 0, other shapes, values that are not finite.
    """
    mean = of_rank("mean", mean, 1)
    s, b = sized("stddev", stddev, len(mean)), sized("vector", vector, len(mean))
    if s.min() <= 0:
        raise ValueError(f"Argument `stddev` must be above 0. Received: smallest {s.min():.6g}")
    a = sized("matrix", matrix, len(mean), len(mean))
    a = (a + a.T) / 2
    slope, curvature = 2 * a @ mean + b, np.diag(a)
    level = mean @ a @ mean + b @ mean + number("constant", constant)
    h, quadratic = s * slope, a * np.outer(s, s)
    gradient = np.r_[slope, 2 * curvature * s]
    second = np.r_[_second_moment(level, h, quadratic, 1, 3, 15), _second_moment(level, h, quadratic, 2, 10, 78)]
    spread = 4 * a**2 @ s**2
    pathwise = np.r_[spread, slope**2 + spread + 4 * (curvature * s) ** 2]
    return GradientMoments(gradient, second / np.r_[s, s] ** 2 - gradient**2, pathwise)


def _second_moment(level, h, quadratic, zeroth, second, fourth) -> np.ndarray:
    """E f^2 g(e_i)^2 for each i, given E g^2, E g^2 e_i^2 and E g^2 e_i^4 (g is e for means, e^2 - 1 for stddevs)."""
    squares, diagonal = quadratic**2, np.diag(quadratic)
    rows = squares.sum(axis=1)
    rest_mean = level + diagonal.sum() - diagonal
    rest_square = rest_mean**2 + h @ h - h**2 + 2 * (squares.sum() - 2 * rows + diagonal**2)
    linear_square = h**2 + 4 * (rows - diagonal**2)
    return zeroth * rest_square + second * (linear_square + 2 * rest_mean * diagonal) + fourth * diagonal**2


def _gradients(surrogate, make, parameters, samples) -> np.ndarray:
    """The gradient of each sample's surrogate with respect to its own copy of the parameters."""
    theta = tf.constant(np.tile(of_rank("parameters", parameters, 1), (whole("samples", samples), 1)))
    with tf.GradientTape() as tape:
        tape.watch(theta)
        p = make(theta)
        if p.batch_shape != (samples,):
            raise ValueError(f"Argument `make` must give batch shape {(samples,)}. Received: {tuple(p.batch_shape)}")
        values = surrogate(p)
    return tape.gradient(values, theta, unconnected_gradients="zero").numpy()


def _per_sample(name, values, samples):
    if values.shape != (samples,):
        raise ValueError(f"Argument `{name}` must return shape {(samples,)}. Received: {tuple(values.shape)}")
    return values
