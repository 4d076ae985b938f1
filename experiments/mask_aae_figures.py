"""The runs of experiments/mask_aae_manifold.py as tables and figures."""

from pathlib import Path

import numpy as np
from experiment import print_experiments, print_table

from keras_ijae.figures import HeatMap, new_figure, save_figure, styled

TITLES = {"wae_gan": "WAE-GAN", "mask_aae": "MaskAAE"}
SHOWN = [
    "system", "setting", "dimensions", "codes", "seed", "steps", "cpu_minutes", "active_dimensions", "closed_below",
    "open_above", "test_error", "deletion_least", "deletion_median", "test_gen", "test_rec", "nac", "validation_gen",
    "outcome",
]  # fmt: skip


def print_runs(rows: list[dict[str, str]]) -> None:
    """A line for each run, and the means of the correlations."""
    print_experiments(rows, SHOWN)
    print("\nMean absolute correlation of active dimensions, mean over the runs of `compare`:\n")
    cells = {}
    for row in (row for row in rows if row["nac"] and row["experiment"] == "compare"):
        cells.setdefault((row["dimensions"], row["codes"]), []).append(row)
    lines = [[*cell, *(_mean(found, system, "nac") for system in TITLES)] for cell, found in cells.items()]
    print_table(["dimensions", "codes", *TITLES.values()], lines)


def _mean(rows, system, score):
    found = [float(row[score]) for row in rows if row["system"] == system]
    return f"{np.mean(found):.4f}" if found else "–"


def file_name(row: dict[str, str]) -> str:
    """Of a run's mask and covariances."""
    parts = (row[key] for key in ("system", "setting", "dimensions", "codes", "seed", "steps"))
    return "-".join(parts).replace(" ", "_") + ".npz"


@styled()
def draw(rows: list[dict[str, str]], setting: str, models: Path, pictures: Path) -> None:
    """Two figures of the runs that ended: masks and distances, and covariances of codes.

    Args:
        rows: of the file.
        setting: of MaskAAE; WAE-GAN's runs on the same data with codes of the same size are drawn beside.
        models: directory of the masks and covariances.
        pictures: directory of the PNGs `mask_aae-SETTING.png` and `mask_aae-SETTING-codes.png`.
    """
    rows = [row for row in rows if (row["experiment"], row["outcome"]) == ("compare", "ended")]
    cells = {(row["dimensions"], row["codes"]) for row in rows if row["setting"] == setting}
    rows = [row for row in rows if (row["dimensions"], row["codes"]) in cells]
    rows = [row for row in rows if row["system"] != "mask_aae" or row["setting"] == setting]
    if not rows:
        raise SystemExit(f"No run of `compare` with setting {setting!r} has ended")
    if missing := [name for row in rows if not (models / (name := file_name(row))).exists()]:
        raise SystemExit(f"{models} lacks {', '.join(missing)}: `compare` leaves them where it runs")
    if len(kinds := {(row["system"], row["setting"], row["steps"]) for row in rows}) > len(TITLES):
        raise SystemExit(f"A figure is of one setting of each system. Received: {sorted(kinds)}")
    kept = {(name := file_name(row)): dict(np.load(models / name)) for row in rows}
    spaces = _column(rows, "dimensions")
    figure = new_figure(5.2 * (len(spaces) + 1), 4.2)
    *traces, distances = figure.subplots(1, len(spaces) + 1)
    for axis, dimensions in zip(traces, spaces, strict=True):
        _draw_masks(axis, dimensions, [row for row in rows if row["dimensions"] == dimensions], kept)
    _draw_distances(distances, rows)
    name = f"mask_aae-{setting}".replace(" ", "_")
    save_figure(figure, pictures / f"{name}.png", dpi=110)
    save_figure(_covariances(rows, kept), pictures / f"{name}-codes.png", dpi=110)


def _draw_masks(axis, dimensions, rows, kept):
    """Of MaskAAE: a line for each dimension of the codes, a colour for each seed."""
    rows = [row for row in rows if row["system"] == "mask_aae"]
    codes = str(_drawn_codes(rows))
    for row in (row for row in rows if row["codes"] == codes):
        trace, colour = kept[file_name(row)], f"C{row['seed']}"
        label = f"seed {row['seed']}: {row['active_dimensions']} stay"
        for number, alpha in enumerate(trace["alphas"].T):
            axis.plot(trace["steps"], alpha, color=colour, alpha=0.6, linewidth=0.9, label=None if number else label)
    axis.axhline(0.1, color="grey", linestyle=":", label="active above")
    title = f"Data of {dimensions} dimensions, codes of {codes}"
    axis.set(title=title, xlabel="step", ylabel=r"mask $\alpha_j$", ylim=(-0.02, 1.02))
    axis.legend(fontsize="small", loc="center right")


def _drawn_codes(rows):
    """Twice the data's dimensions where there is such a run, else the most."""
    sizes = {int(row["codes"]) for row in rows}
    twice = 2 * int(rows[0]["dimensions"]) if rows else 0
    return twice if twice in sizes else max(sizes, default=0)


def _draw_distances(axis, rows):
    """Over the sizes of the codes, of the data that have several."""
    dimensions = max(_column(rows, "dimensions"), key=lambda n: len({r["codes"] for r in rows if r["dimensions"] == n}))
    rows = [row for row in rows if row["dimensions"] == dimensions]
    for number, (system, title) in enumerate(TITLES.items()):
        found = [row for row in rows if row["system"] == system]
        sizes = sorted({int(row["codes"]) for row in found})
        values = [[float(row["test_gen"]) for row in found if row["codes"] == str(size)] for size in sizes]
        for size, runs in zip(sizes, values, strict=True):
            axis.plot([size] * len(runs), runs, ".", color=f"C{number + 3}")
        axis.plot(
            sizes, [np.mean(runs) for runs in values], "-", color=f"C{number + 3}", label=f"{title}: runs and mean"
        )
    axis.axhline(float(rows[0]["test_real"]), color="grey", linestyle=":", label="validation points")
    axis.axvline(int(dimensions), color="grey", linewidth=0.8, label="dimensions of the data")
    axis.set(title=f"Samples, data of {dimensions} dimensions", xlabel="dimensions of the codes", yscale="log")
    axis.set_ylabel("Frechet distance in data space")
    axis.legend(fontsize="small")


def _covariances(rows, kept):
    """Of the first seed: a column for each data set, a row for each system."""
    first = min((row["seed"] for row in rows if row["system"] == "mask_aae"), key=int)
    spaces = _column(rows, "dimensions")
    figure = new_figure(4.4 * len(spaces), 7.6)
    for column, dimensions in zip(figure.subplots(2, len(spaces), squeeze=False).T, spaces, strict=True):
        space = [row for row in rows if row["dimensions"] == dimensions]
        codes = str(_drawn_codes(space))
        for axis, (system, title) in zip(column, TITLES.items(), strict=True):
            found = [row for row in space if (row["system"], row["codes"]) == (system, codes)]
            for row in sorted(found, key=lambda row: row["seed"] != first)[:1]:
                name = f"{title}, data of {dimensions}, seed {row['seed']}"
                matrix = kept[file_name(row)]["covariance"]
                HeatMap(matrix, name, "covariance", "dimension of the codes", limit=1.0).draw(axis)
    figure.suptitle("Covariance of the codes of test points")
    return figure


def _column(rows, name):
    return list(dict.fromkeys(row[name] for row in rows))
