"""Minimax, non-saturating and log-ratio generators: what their gradients are, and where they vanish."""

import matplotlib.figure
import numpy as np

from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.generator_objectives import (
    divergence_gradient,
    generator_gradient,
    train_discriminator,
    trained_gradient,
)

_LOWERS = {"minimax": "2 JSD", "non_saturating": "KL(q||p) - 2 JSD", "log_ratio": "KL(q||p)"}
_MEANS = np.linspace(0.1, 8, 80)
_TRAINED = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0)
_STEPS = 500


def run(seed: int = 0) -> Outcome:
    """Gradients in the mean t of q = N(t, 1) against p = N(0, 1)."""
    discriminators = {mean: train_discriminator(mean, steps=_STEPS, seed=seed) for mean in _TRAINED}
    trained = {
        objective: [
            trained_gradient(objective, network, mean, seed=seed)[0] for mean, network in discriminators.items()
        ]
        for objective in _LOWERS
    }
    columns = ("objective", "lowers", "t", "its gradient", "optimal discriminator", "trained discriminator")
    rows = tuple(
        (
            objective,
            lowers,
            mean,
            float(divergence_gradient(objective, mean)[0]),
            float(generator_gradient(objective, mean)[0]),
            float(learned),
        )
        for objective, lowers in _LOWERS.items()
        for mean, learned in zip(_TRAINED, trained[objective], strict=True)
    )
    notes = (
        "With the optimal discriminator each objective has exactly the gradient of its divergence. Far from the data "
        "that of minimax vanishes and the others grow; a trained discriminator follows until hardly a sample meets the "
        "data, and then its slope is whatever the network makes of it."
    )
    title = "d/dt of three generator losses, p = N(0, 1), q = N(t, 1)"
    return Outcome(title, columns, rows, notes, lambda figure: _draw(figure, trained))


def _draw(figure: matplotlib.figure.Figure, trained: dict[str, list[float]]) -> None:
    figure.set_size_inches(10, 4.2)
    left, right = figure.subplots(1, 2)
    for objective, lowers in _LOWERS.items():
        exact = [generator_gradient(objective, mean)[0] for mean in _MEANS]
        for axes in (left, right):
            (line,) = axes.plot(_MEANS, exact, label=f"{objective}: gradient of {lowers}")
            axes.plot(_TRAINED, trained[objective], "o", color=line.get_color())
    left.plot([], [], "o", color="grey", label="trained discriminator")
    left.set(title="gradients", xlabel="t, distance of the model from the data", ylabel="gradient in t (nats per unit)")
    left.legend(fontsize="small")
    right.set(title="the same, logarithmic: minimax vanishes", xlabel="t, distance of the model from the data")
    right.set(yscale="log", ylim=(1e-5, 20))
