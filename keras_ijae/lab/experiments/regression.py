"""Variational linear regression: the bound rises sweep by sweep to just below the exact evidence."""

import numpy as np
from matplotlib.figure import Figure

from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.regression import exact_linear_regression, variational_linear_regression

X, T, BETA, A0, B0 = (-1, -0.5, 0, 0.5, 1, 1.5), (-0.9, -0.7, 0.1, 0.3, 1.2, 1.4), 4.0, 1.0, 1.0


def run(seed: int = 0) -> Outcome:
    """Six points, a line, noise of precision 4 and a Gamma(1, 1) prior of the weights' precision; nothing is random."""
    phi = np.stack([np.ones(len(X)), X], axis=1)
    fit, exact = (solve(phi, T, BETA, A0, B0) for solve in (variational_linear_regression, exact_linear_regression))
    rows = [(f"bound after sweep {sweep}", value, "", "", "") for sweep, value in enumerate(fit.elbo[:3], 1)]
    rows.append(("variational, converged", float(fit.elbo[-1]), *(float(m) for m in fit.mean), fit.a / fit.b))
    rows.append(("exact, by quadrature", exact.log_evidence, *(float(m) for m in exact.mean), exact.precision))
    return Outcome(
        "t = w0 + w1 x + noise, weights of unknown precision alpha",
        ("what", "nats", "E w0", "E w1", "E alpha"),
        tuple(rows),
        f"The bound never falls and ends {exact.log_evidence - fit.elbo[-1]:.4f} nats below log p(t): the price of a q "
        "in which weights and precision are independent.",
        lambda figure: _draw(figure, fit, exact),
    )


def _draw(figure: Figure, fit, exact) -> None:
    rise, line = figure.subplots(1, 2)
    rise.plot(np.arange(1, len(fit.elbo) + 1), fit.elbo, "o-", color="C0", label="bound")
    rise.axhline(exact.log_evidence, color="k", ls="--", lw=1, label="log p(t), exact")
    rise.set(xlabel="sweep", ylabel="nats", title="The bound and the evidence")
    rise.legend()
    x = np.linspace(-1.5, 2, 200)
    phi = np.stack([np.ones(len(x)), x], axis=1)
    mean, deviation = phi @ fit.mean, np.sqrt(np.sum(phi @ fit.cov * phi, axis=1) + 1 / BETA)
    line.fill_between(x, mean - deviation, mean + deviation, color="C0", alpha=0.2, label="1 deviation of t")
    line.plot(x, mean, color="C0", label="variational mean")
    line.plot(x, phi @ exact.mean, "k--", lw=1, label="exact mean")
    line.plot(X, T, "ko", label="data")
    line.set(xlabel="x", ylabel="t", title="Prediction")
    line.legend()
