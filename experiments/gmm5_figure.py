"""The runs of experiments/gmm5.py as a table and as a figure."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from experiment import print_table

from keras_ijae.figures import new_figure, save_figure, styled

SYSTEMS = {"svae_r": "sVAE-r", "alice": "ALICE"}
SCORES = ("mse", "score", "modes", "near")
MODES = 5
TRIVIAL = 3.24  # squared error per coordinate of the mean of the data


def cells(rows: list[dict[str, str]]) -> Iterator[tuple[str, str, dict[str, np.ndarray], int]]:
    """lambda, system, the scores of its runs that ended, and how many did not."""
    for weight in sorted({row["cycle_weight"] for row in rows}, key=float):
        for system in SYSTEMS:
            found = [row for row in rows if (row["cycle_weight"], row["system"]) == (weight, system)]
            ended = [row for row in found if row["outcome"] == "ended"]
            if found:
                scores = {name: np.array([float(row[name]) for row in ended]) for name in SCORES}
                yield weight, system, scores, len(found) - len(ended)


def print_cells(rows: list[dict[str, str]]) -> None:
    """A line for each lambda and system: medians over runs with their quartiles."""
    columns = ["lambda", "system", "runs", "failed", "squared error", "toy inception score", "near a mode", "all modes"]
    lines = []
    for weight, system, scores, failed in cells(rows):
        runs = len(scores["modes"])
        spreads = [_spread(scores[name]) for name in ("mse", "score", "near")]
        covered = f"{(scores['modes'] == MODES).sum()} of {runs}"
        lines.append([weight, SYSTEMS[system], str(runs + failed), str(failed), *spreads, covered])
    print_table(columns, lines)


def _spread(values):
    if not len(values):
        return "–"
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


@styled()
def draw(rows: list[dict[str, str]], path: Path) -> None:
    """Histograms over runs: squared errors above, scores below; a column for each lambda."""
    found = list(cells(rows))
    weights = list(dict.fromkeys(weight for weight, *_ in found))
    errors = np.concatenate([scores["mse"] for _, _, scores, _ in found])
    low, high = np.log10(errors.min(initial=TRIVIAL)), np.log10(errors.max(initial=2 * TRIVIAL))
    bins = {"mse": np.logspace(low - 0.02, high + 0.02, 25), "score": np.linspace(1, MODES, 25)}
    figure = new_figure(1.5 + 2.3 * len(weights), 5.8)
    axes = figure.subplots(2, len(weights), sharex="row", sharey="row", squeeze=False)
    for weight, system, scores, _ in found:
        for name, axis in zip(bins, axes[:, weights.index(weight)], strict=True):
            axis.hist(scores[name], bins[name], alpha=0.6, label=SYSTEMS[system], color=f"C{[*SYSTEMS].index(system)}")
    for weight, upper, lower in zip(weights, *axes, strict=True):
        upper.axvline(TRIVIAL, color="grey", linestyle=":", label="mean of the data")
        upper.set(title=rf"$\lambda$ = {weight}", xscale="log", xlabel="squared error")
        lower.set(xlabel="toy inception score")
    for axis in axes[:, 0]:
        axis.set_ylabel("runs")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle("Five Gaussians: squared error per coordinate of reconstructions, and score of samples (at most 5)")
    save_figure(figure, path, dpi=110)
