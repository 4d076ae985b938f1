"""Expectation propagation among clutter, beside one pass of assumed-density filtering and the exact posterior."""

import numpy as np
from matplotlib.figure import Figure

from keras_ijae.lab.clutter import clutter_adf, clutter_ep, clutter_exact
from keras_ijae.lab.experiments.outcome import Outcome

X = (0.2, 1.4, 1.9, 2.3, 2.8, -3.0, 1.1, 2.6)
MODEL = {"w": 0.5, "background_var": 10.0, "prior_var": 100.0}


def run(seed: int = 0) -> Outcome:
    """Eight observations of which each is clutter with probability one half; nothing is random."""
    exact, ep, adf = (solve(X, **MODEL) for solve in (clutter_exact, clutter_ep, clutter_adf))
    rows = [("exact", exact.mean, exact.variance, exact.log_evidence, "")]
    for name, fit in (("expectation propagation", ep), ("assumed-density filtering", adf)):
        end = f"converged, {len(fit.trace) - 1} sweeps" if name.startswith("e") else "one pass"
        rows.append((name, fit.mean, fit.variance, fit.log_evidence, end))
    return Outcome(
        "theta ~ N(0, 100), each x ~ N(theta, 1) or, half of the time, clutter N(0, 10)",
        ("posterior of theta", "mean", "variance", "log p(x)", "end"),
        tuple(rows),
        "EP goes over the data until its sites agree, and finds the main mode. It leaves out 0.3 % of the exact "
        "posterior (were most observations clutter), so far away that the variance misses it. One pass is too wide.",
        lambda figure: _draw(figure, exact, ep, adf),
    )


def _draw(figure: Figure, exact, ep, adf) -> None:
    densities, moments = figure.subplots(1, 2)
    theta = np.linspace(-5, 7, 600)
    densities.plot(theta, np.interp(theta, exact.grid, exact.density), "k", label="exact")
    for fit, colour, label in ((ep, "C0", "EP"), (adf, "C1", "one pass (ADF)")):
        gaussian = np.exp(-((theta - fit.mean) ** 2) / (2 * fit.variance)) / np.sqrt(2 * np.pi * fit.variance)
        densities.plot(theta, gaussian, color=colour, label=label)
    densities.plot(X, np.full(len(X), -0.02), "k|", ms=10, label="observations")
    densities.set(xlabel="theta", ylabel="density", title="Posterior of theta")
    densities.legend(loc="upper left")
    sweeps = np.arange(1, len(ep.trace))
    for values, target, colour, label in (
        (ep.trace[1:, 0], exact.mean, "C0", "mean"),
        (np.sqrt(ep.trace[1:, 1]), exact.variance**0.5, "C3", "standard deviation"),
    ):
        moments.plot(sweeps, values, "o-", color=colour, label=f"{label}, EP")
        moments.axhline(target, color=colour, ls="--", lw=1, label=f"{label}, exact")
    moments.set(xlabel="sweep", ylabel="of theta", title="Moments sweep by sweep")
    moments.legend()
