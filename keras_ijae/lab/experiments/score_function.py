"""Two unbiased gradient estimators of E f(x): how their variances grow with the dimension."""

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.score_function import (
    quadratic_gradient_moments,
    reparameterised_gradients,
    score_function_gradients,
)

DIMENSIONS, SAMPLES = (1, 2, 4, 8, 16, 32, 64, 128), 20_000


def run(seed: int = 0) -> Outcome:
    """f(x) = |x|^2 for x ~ N((1, ..., 1), I), the gradient taken with respect to the mean."""
    estimators = score_function_gradients, reparameterised_gradients
    rows, drawn = [], {}
    for d in DIMENSIONS:
        theta = np.ones(d)
        moments = quadratic_gradient_moments(theta, theta, np.eye(d), 0 * theta)
        exact = moments.score_function[0], moments.reparameterised[0]
        drawn[d] = [estimator(_square, _normal, theta, SAMPLES, seed) for estimator in estimators]
        measured = [(float(draws.mean()), float(draws.var(axis=0).mean())) for draws in drawn[d]]
        rows.append((d, float(moments.gradient[0]), *_interleaved(exact, measured)))
    return Outcome(
        f"Gradient of E|x|^2 with respect to the mean, per entry, {SAMPLES:,} estimates",
        ("d", "exact", "score", "variance", "measured", "pathwise", "variance", "measured"),
        tuple(rows),
        "Both estimators have the right mean, 2. The variance of the score function's grows with the square of the "
        "dimension, since it multiplies all of f with each entry's score; the pathwise one differentiates f and stays "
        "at 4.",
        lambda figure: _draw(figure, rows, drawn[16]),
    )


def _square(x):
    return tf.reduce_sum(x**2, axis=1)


def _normal(mean):
    return tfp().distributions.MultivariateNormalDiag(mean, tf.ones_like(mean))


def _interleaved(exact, measured):
    columns = ((mean, float(exactly), variance) for exactly, (mean, variance) in zip(exact, measured, strict=True))
    return [float(f"{value:.4g}") for column in columns for value in column]


def _draw(figure: Figure, rows, drawn) -> None:
    growth, spread = figure.subplots(1, 2)
    table = np.array(rows)
    for exact, colour, label in ((3, "C3", "score function"), (6, "C0", "reparameterisation")):
        growth.loglog(table[:, 0], table[:, exact], colour, label=f"{label}, closed form")
        growth.loglog(table[:, 0], table[:, exact + 1], "o", color=colour, label=f"{label}, measured")
    growth.set(xlabel="dimension", ylabel="variance of one estimate", title="Variance over dimension", ylim=(2, 3e6))
    growth.legend()
    bins = np.linspace(-60, 60, 121)
    for draws, colour, label in zip(drawn, ("C3", "C0"), ("score function", "reparameterisation"), strict=True):
        spread.hist(draws[:, 0], bins, color=colour, alpha=0.6, label=label, density=True)
    spread.axvline(2, color="k", lw=1, ls="--", label="gradient")
    spread.set(xlabel="estimate", ylabel="density (log)", yscale="log", title="Single estimates, dimension 16")
    spread.set(ylim=(1e-5, 3))
    spread.legend()
