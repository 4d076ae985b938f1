"""EM with a q for each observation, against one encoder q(z|x) for all: what an encoder that is too simple costs."""

import numpy as np
from matplotlib.figure import Figure

from keras_ijae.lab.amortized import amortised_inference
from keras_ijae.lab.em import evidence_bound, expectation_maximisation, posterior
from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.gaussian_mixture import GaussianMixture

START = GaussianMixture([0.5, 0.5], [-1.0, 1.0], [1.0, 2.0])
COUNT, STEPS = 600, 1500


def run(seed: int = 0) -> Outcome:
    """A narrow component inside a wide one: p(z | x) rises and falls with x, which no linear encoder can follow."""
    generator = np.random.default_rng(seed)
    x = np.r_[generator.normal(0, 0.5, COUNT // 2), generator.normal(1, 3, COUNT // 2)]
    fits = {
        "EM, a q for each x": expectation_maximisation(x, START, STEPS),
        "linear encoder": amortised_inference(x, START, steps=STEPS, seed=seed),
        "encoder of 16 tanh": amortised_inference(x, START, hidden=(16,), steps=STEPS, seed=seed),
    }
    rows = []
    for name, fit in fits.items():
        bound = evidence_bound(fit.model, x, fit.q)
        off = np.abs(bound.log_evidence - bound.elbo - bound.kl).max()
        values = bound.log_evidence.mean(), bound.elbo.mean(), bound.kl.mean(), off
        rows.append((name, *(float(value) for value in values)))
    return Outcome(
        f"Mixture of two Gaussians fitted to {COUNT} numbers, nats per number",
        ("inference", "log p(x)", "bound L", "KL(q||p(z|x))", "largest |log p - L - KL|"),
        tuple(rows),
        "log p(x) = L + KL holds for any q, to rounding. EM makes the KL vanish in each step; a flexible encoder comes "
        "close; with a linear one the KL stays, and the model gives up a component to lessen it.",
        lambda figure: _draw(figure, fits),
    )


def _draw(figure: Figure, fits) -> None:
    ascent, inference = figure.subplots(1, 2)
    x = np.linspace(-5, 6, 400)
    for (colour, width), (name, fit) in zip((("0.7", 5), ("C3", 1.5), ("C0", 1.5)), fits.items(), strict=True):
        ascent.semilogx(np.arange(1, len(fit.elbo) + 1), fit.elbo, color=colour, lw=width, label=f"bound, {name}")
        ascent.semilogx(np.arange(1, len(fit.elbo) + 1), fit.log_evidence, color=colour, ls=":")
        inference.plot(x, fit.encoder(x)[:, 0], color=colour, lw=width, label=f"q, {name}")
        inference.plot(x, posterior(fit.model, x)[:, 0], color=colour, ls=":")
    ascent.set(xlabel="step", ylabel="nats per number", ylim=(-2.7, -1.9), title="Bounds (dotted: log p(x))")
    ascent.legend(loc="lower right")
    inference.set(
        xlabel="x", ylabel="probability of z = 1", ylim=(0, 1.2), title="Inference (dotted: the model's p(z|x))"
    )
    inference.legend(loc="upper right")
