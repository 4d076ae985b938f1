"""Divergences between a mixture and a model of two Gaussians, on a grid, with gradients from TensorFlow."""

import math

import numpy as np
import tensorflow as tf

from keras_ijae.lab.gaussian_mixture import GaussianMixture
from keras_ijae.lab.grids import trapezoid_weights

_MOST = 2**21


class MixtureObjective:
    """lam KL(p || q) + (1 - lam) KL(q || p), or the Jensen-Shannon divergence, at (m1, log s1^2, m2, log s2^2).

    Args:
        target: p.
        lam: weight of the forward KL; None for Jensen-Shannon.
        bounds: of the parameters, (4, 2).
        per_width: points of the grid per least standard deviation of a component of q.
    """

    def __init__(self, target: GaussianMixture, lam: float | None, bounds: np.ndarray, per_width: int) -> None:
        self.target, self.bounds, self._lam = target, bounds, lam
        (low, high), (narrow, wide) = bounds[0], np.exp(bounds[1] / 2)
        low, high = low - 9 * wide, high + 9 * wide
        count = math.ceil((high - low) / narrow * per_width) + 1
        if count > _MOST:
            raise ValueError(
                f"Argument `target` must have scales that a grid of {_MOST} points can hold. Received: means from "
                f"{target.means.min():g} to {target.means.max():g}, standard deviations from {target.stddevs.min():g}"
            )
        x = np.linspace(low, high, count)
        log_p = target.log_density(x)
        self._grid = tuple(tf.constant(values) for values in (x, log_p, trapezoid_weights(x)))

    def value_and_gradient(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The value, and its gradient (4,)."""
        value, gradient = _value_and_gradient(tf.constant(point), *self._grid, self._constant_lam(), self._lam is None)
        return float(value), gradient.numpy()

    def hessian(self, point: np.ndarray) -> np.ndarray:
        """(4, 4)."""
        return _hessian(tf.constant(point), *self._grid, self._constant_lam(), self._lam is None).numpy()

    def _constant_lam(self) -> tf.Tensor:
        return tf.constant(self._lam or 0.0, tf.float64)


def _value(point, x, log_p, weights, lam, symmetric):
    """The trapezoid rule, with log-sum-exp throughout; weights sum to lengths of the grid's cells."""
    means, log_variances = point[::2, None], point[1::2, None]
    logs = -((x - means) ** 2) * tf.exp(-log_variances) / 2 - (log_variances + math.log(2 * math.pi)) / 2
    log_q = tf.reduce_logsumexp(logs, axis=0) - math.log(2)
    p, q = tf.exp(log_p), tf.exp(log_q)
    if symmetric:
        log_m = tf.reduce_logsumexp([log_p, log_q], axis=0) - math.log(2)
        return tf.reduce_sum(weights * (p * (log_p - log_m) + q * (log_q - log_m))) / 2
    return tf.reduce_sum(weights * (lam * p * (log_p - log_q) + (1 - lam) * q * (log_q - log_p)))


@tf.function(reduce_retracing=True)
def _value_and_gradient(point, x, log_p, weights, lam, symmetric):
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = _value(point, x, log_p, weights, lam, symmetric)
    return value, tape.gradient(value, point)


@tf.function(reduce_retracing=True)
def _hessian(point, x, log_p, weights, lam, symmetric):
    with tf.GradientTape() as outer:
        outer.watch(point)
        with tf.GradientTape() as inner:
            inner.watch(point)
            value = _value(point, x, log_p, weights, lam, symmetric)
        gradient = inner.gradient(value, point)
    return outer.jacobian(gradient, point)
