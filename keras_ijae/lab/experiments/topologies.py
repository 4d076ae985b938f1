"""Sequences that converge in one divergence and not in another: the order of topologies of Arjovsky et al."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from keras_ijae.lab.experiments.outcome import Outcome
from keras_ijae.lab.topologies import Distances, distances

SEQUENCES = {  # n -> x, weights of P; y, weights of Q
    "points 0 and 1/n": lambda n: ([0], [1], [1 / n], [1]),
    "mass 1/n to 1": lambda n: ([0], [1], [0, 1], [1 - 1 / n, 1 / n]),
    "mass 1/n or exp(-n)/n": lambda n: (*_at_1(1 / n), *_at_1(np.exp(-n) / n)),
    "mass 1/2 or 1/2 + 1/n": lambda n: (*_at_1(0.5), *_at_1(0.5 + 1 / n)),
    "mass 1/n to n": lambda n: ([0], [1], [0, n], [1 - 1 / n, 1 / n]),
}
NAMES = ("KL(P||Q)", "KL(Q||P)", "JS", "TV", "W1")
N = (4, 8, 16, 32, 64, 128, 256)


def run(seed: int = 0) -> Outcome:
    """Five pairs of sequences; nothing is random."""
    found = {name: [distances(*pair(n)) for n in N] for name, pair in SEQUENCES.items()}
    rows = [
        (name, n, *(f"{value:.4g}" for value in dataclasses.astuple(of_n[index])))
        for name, of_n in found.items()
        for index, n in enumerate(N)
        if n in (4, 256)
    ]
    return Outcome(
        "Divergences of P and Q as n grows: point masses at 0 and elsewhere",
        ("sequence", "n", *NAMES),
        tuple(rows),
        "KL to 0 brings JS to 0, JS and TV go together, and on a bounded set they bring W1 to 0; no arrow turns round. "
        "Points that approach each other converge in W1 alone. On the unbounded line mass 1/n at n keeps W1 at 1.",
        lambda figure: _draw(figure, found),
    )


def _at_1(mass: float) -> tuple[list[float], list[float]]:
    """Points 0 and 1, and their weights."""
    return [0, 1], [1 - mass, mass]


def _draw(figure: Figure, found: dict[str, list[Distances]]) -> None:
    figure.set_size_inches(13, 4)
    panels = figure.subplots(1, len(found), sharex=True, sharey=True)
    for axes, (name, of_n) in zip(panels, found.items(), strict=True):
        values = np.array([dataclasses.astuple(of_one) for of_one in of_n])
        for column, (label, style) in enumerate(zip(NAMES, ("C3o-", "C1s-", "C2^-", "C4v-", "C0D-"), strict=True)):
            finite = np.isfinite(values[:, column])
            thin = {"lw": 6 - 1.2 * column, "ms": 10 - 1.5 * column}  # so that equal lines show both
            axes.loglog(np.array(N)[finite], values[finite, column], style, label=label, **thin)
        infinite = [label for label, column in zip(NAMES, values.T, strict=True) if np.isinf(column).all()]
        axes.set(xlabel="n", title=name, ylim=(1e-6, 1e3))
        axes.text(0.05, 0.96, "".join(f"{label} = inf\n" for label in infinite), transform=axes.transAxes, va="top")
    panels[0].set_ylabel("divergence")
    figure.legend(*panels[3].get_legend_handles_labels(), loc="outside lower center", ncols=len(NAMES))
