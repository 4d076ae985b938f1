"""One Gaussian for several modes, under KL in both directions, Jensen-Shannon and MMD."""

import matplotlib.figure
import numpy as np

from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.unimodal import GaussianFit, IsotropicMixture, fit_gaussian

LECTURE = IsotropicMixture([0.6, 0.4], [[-2.0], [2.0]], [0.6, 0.8])
"""Two modes on the line."""
THEIS = IsotropicMixture([0.7, 0.3], [[0.0, 0.0], [3.0, 2.0]], [1.0, 0.5])
"""Two modes in the plane, of different weight and width."""
_NAMES = {"forward_kl": "KL(p||q)", "reverse_kl": "KL(q||p)", "jensen_shannon": "JS", "mmd": "MMD²"}
_BANDWIDTH = 1.0


def run(seed: int = 0) -> Outcome:
    """All local optima of both targets. Nothing is random."""
    fits = {
        (place, objective): fit_gaussian(objective, target, _BANDWIDTH)
        for place, target in (("line", LECTURE), ("plane", THEIS))
        for objective in _NAMES
    }
    columns = ("target", "objective", "optimum", "value", "mean", "standard deviation")
    rows = tuple(
        (place, _NAMES[objective], "global" if fit is best else "local", fit.value, _shown(fit.mean), fit.stddev)
        for (place, objective), best in fits.items()
        for fit in (best, *best.others)
    )
    notes = (
        "KL(p||q) takes the moments of p and puts mass where there is none; KL(q||p) takes one mode and leaves the "
        "other, with an optimum at each; JS has optima of both kinds, and MMD depends on the width of its kernel."
    )
    return Outcome("One Gaussian fitted to a mixture of two", columns, rows, notes, lambda figure: _draw(figure, fits))


def _shown(mean: np.ndarray) -> str:
    return ", ".join(f"{value:.4f}" for value in mean)


def _draw(figure: matplotlib.figure.Figure, fits: dict[tuple[str, str], GaussianFit]) -> None:
    figure.set_size_inches(11, 4.6)
    line, plane = figure.subplots(1, 2)
    x = np.linspace(-6, 6, 601)
    line.fill_between(x, _density(LECTURE, x[:, None]), color="lightgrey", label="p")
    grid = np.stack(np.meshgrid(np.linspace(-4, 6, 201), np.linspace(-4, 5, 181)), axis=-1)
    plane.contourf(*np.moveaxis(grid, -1, 0), _density(THEIS, grid), levels=8, cmap="Greys")
    angle = np.linspace(0, 2 * np.pi, 200)
    for index, (objective, name) in enumerate(_NAMES.items()):
        colour = f"C{index}"
        best = fits["line", objective]
        for fit in (best, *best.others):
            q = IsotropicMixture([1.0], [fit.mean], [fit.stddev])
            style = {"label": name} if fit is best else {"linestyle": ":"}
            line.plot(x, _density(q, x[:, None]), color=colour, **style)
        best = fits["plane", objective]
        for fit in (best, *best.others):
            circle = fit.mean[:, None] + fit.stddev * np.stack([np.cos(angle), np.sin(angle)])
            style = {"label": name} if fit is best else {"linestyle": ":"}
            plane.plot(*circle, color=colour, **style)
    line.set(title="on the line (dotted: other local optima)", xlabel="x", ylabel="density")
    plane.set(title="in the plane: circles of one standard deviation", xlabel="x₁", ylabel="x₂", aspect="equal")
    line.legend(), plane.legend(loc="upper left")


def _density(mixture: IsotropicMixture, points: np.ndarray) -> np.ndarray:
    """p(x), of the shape of `points` without its last axis."""
    squares = ((points[..., None, :] - mixture.means) ** 2).sum(axis=-1) / mixture.stddevs**2
    norms = (2 * np.pi * mixture.stddevs**2) ** (points.shape[-1] / 2)
    return (mixture.weights / norms * np.exp(-squares / 2)).sum(axis=-1)
