"""Divergences between pairs of distributions, and which of them see how far apart two modes are."""

from typing import Any

import matplotlib.figure
import numpy as np

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.divergences import forward_kl, jensen_shannon, reverse_kl, total_variation, wasserstein_1
from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.gaussian_mixture import TOY

_SHIFTS = np.linspace(0, 4, 41)
_CURVES = {
    "KL(q||p)": reverse_kl,
    "Wasserstein-1": wasserstein_1,
    "total variation": total_variation,
    "Jensen-Shannon": jensen_shannon,
}


def run(seed: int = 0) -> Outcome:
    """The table of pairs; the figure lets q = N(t, s^2) move away from p = N(0, s^2). Nothing is random."""
    tfd = tfp().distributions
    normal = tfd.Normal(0.0, 1.0)
    pairs = (
        ("N(0, 1)", normal, "N(1, 1)", tfd.Normal(1.0, 1.0)),
        ("N(0, 1)", normal, "N(1, 2²)", tfd.Normal(1.0, 2.0)),
        ("N(0, 1)", normal, "N(3, 0.5²)", tfd.Normal(3.0, 0.5)),
        ("N(0, 1)", normal, "Laplace(0, 1)", tfd.Laplace(0.0, 1.0)),
        ("Cauchy(0, 1)", tfd.Cauchy(0.0, 1.0), "N(0, 1)", normal),
        ("U(0, 1)", tfd.Uniform(0.0, 1.0), "U(0.5, 2)", tfd.Uniform(0.5, 2.0)),
        ("toy p*", TOY.distribution(), "N(0.25, 5.36²)", tfd.Normal(*TOY.moments())),
        ("point at 0", tfd.Deterministic(0.0), "point at 0.01", tfd.Deterministic(0.01)),
        ("Poisson(3)", tfd.Poisson(3.0), "Geometric(0.25)", tfd.Geometric(probs=0.25)),
    )
    columns = ("p", "q", "KL(p||q)", "KL(q||p)", "JS", "JS, lecture", "total variation", "Wasserstein-1")
    rows = tuple((name, other, *_measured(p, q)) for name, p, other, q in pairs)
    curves = {width: _moved(width) for width in (1.0, 0.05)}
    notes = (
        "KL is infinite where q has no mass and p has. Once p and q hardly meet, Jensen-Shannon and total variation "
        "stay at their ends, log 2 and 1, however far apart the two are: only Wasserstein-1 (and KL, if finite) grows."
    )
    return Outcome(
        "Divergences in nats (Wasserstein-1 in units of x)", columns, rows, notes, lambda figure: _draw(figure, curves)
    )


def _measured(p: Any, q: Any) -> tuple[float, ...]:
    js = jensen_shannon(p, q)
    return forward_kl(p, q), reverse_kl(p, q), js, 2 * js, total_variation(p, q), wasserstein_1(p, q)


def _moved(width: float) -> dict[str, list[float]]:
    """Each divergence of N(0, width^2) and N(t, width^2) for all shifts t."""
    normal = tfp().distributions.Normal
    pairs = [(normal(np.float64(0), width), normal(shift, width)) for shift in _SHIFTS]
    return {name: [function(*pair) for pair in pairs] for name, function in _CURVES.items()}


def _draw(figure: matplotlib.figure.Figure, curves: dict[float, dict[str, list[float]]]) -> None:
    figure.set_size_inches(10, 4)
    for axes, (width, values) in zip(figure.subplots(1, 2, sharey=True), curves.items(), strict=True):
        for name, line in values.items():
            axes.plot(_SHIFTS, line, label=name)
        axes.axhline(np.log(2), color="grey", linewidth=0.8, linestyle=":")
        axes.text(3.95, np.log(2) + 0.03, "log 2", color="grey", ha="right", va="bottom")
        axes.set(title=f"p = N(0, {width:g}²), q = N(t, {width:g}²)", xlabel="t", ylim=(0, 4))
    figure.axes[0].set_ylabel("divergence (nats; Wasserstein-1: units of x)")
    figure.axes[0].legend()
