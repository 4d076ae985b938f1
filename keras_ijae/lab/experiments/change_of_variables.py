"""The density of an invertible generator's output, by log |det J|, against a histogram of what it makes."""

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.change_of_variables import pushforward_log_prob
from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.random import fold

SAMPLES, CELLS, FINE = 200_000, 60, 8
LOW, HIGH = np.array([-4.0, -3.0]), np.array([4.0, 6.0])


def run(seed: int = 0) -> Outcome:
    """x1 = z1, x2 = z2 exp(sin(z1) / 2) + z1^2 / 2: a banana, thicker on the right."""
    made = generator()
    base = tfp().distributions.MultivariateNormalDiag(np.zeros(2), np.ones(2))
    samples = made.forward(base.sample(SAMPLES, fold(seed, "z"))).numpy()
    grid, area = _grid()
    x, log_p = pushforward_log_prob(made.forward, base, made.inverse(grid))
    transformed = tfp().distributions.TransformedDistribution(base, made).log_prob(grid).numpy()
    cells = np.exp(log_p).reshape(CELLS, FINE, CELLS, FINE).sum(axis=(1, 3)) * area
    counts = np.histogram2d(*samples.T, CELLS, np.stack([LOW, HIGH], axis=1))[0]
    rows = (
        ("integral of the density over the picture", float(cells.sum())),
        ("share of samples in the picture", float(counts.sum() / SAMPLES)),
        ("histogram to density: half the sum of |difference|", float(np.abs(counts / SAMPLES - cells).sum() / 2)),
        ("the same, expected from sampling alone", float(np.sqrt(cells * (1 - cells) / (2 * np.pi * SAMPLES)).sum())),
        ("largest |log p - TFP's TransformedDistribution|", float(np.abs(log_p - transformed).max())),
        ("largest |G(inverse of x) - x|", float(np.abs(x - grid).max())),
    )
    return Outcome(
        f"Density by change of variables, and a histogram of {SAMPLES:,} samples in {CELLS} x {CELLS} cells",
        ("measured", "value"),
        rows,
        "log p(z) - log |det dG/dz|, the Jacobian differentiated automatically, is the density that the samples have: "
        "what differs is what 200,000 samples leave to chance.",
        lambda figure: _draw(figure, counts / SAMPLES, cells),
    )


def generator():
    """A coupling layer as a TFP bijector, (n, 2) to (n, 2)."""
    shift_and_log_scale = lambda kept, size, **_: (kept**2 / 2, tf.sin(kept) / 2)  # noqa: E731
    return tfp().bijectors.RealNVP(num_masked=1, shift_and_log_scale_fn=shift_and_log_scale)


def _grid():
    """Midpoints of FINE x FINE parts of each cell, (n, 2), and the area of one part."""
    steps = (HIGH - LOW) / (CELLS * FINE)
    axes = [low + step * (np.arange(CELLS * FINE) + 0.5) for low, step in zip(LOW, steps, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2), steps.prod()


def _draw(figure: Figure, shares, cells) -> None:
    panels, area = figure.subplots(1, 2, sharex=True, sharey=True), np.prod((HIGH - LOW) / CELLS)
    titles = "Histogram of G(z)", "Density, log p(z) - log |det dG/dz|"
    for axes, values, title in zip(panels, (shares, cells), titles, strict=True):
        where = {"origin": "lower", "extent": (LOW[0], HIGH[0], LOW[1], HIGH[1]), "aspect": "auto"}
        shown = axes.imshow(values.T / area, vmin=0, vmax=cells.max() / area, **where)
        axes.set(xlabel="x1", title=title)
    panels[0].set_ylabel("x2")
    figure.colorbar(shown, ax=panels, label="density")
