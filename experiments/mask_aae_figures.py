"""The runs of experiments/mask_aae_manifold.py as tables and figures."""

import itertools
from pathlib import Path

import numpy as np
from experiment import print_experiments, print_table

from keras_ijae.figures import HeatMap, new_figure, save_figure, styled

TITLES = {"wae_gan": "WAE-GAN", "mask_aae": "MaskAAE", "flex_ae": "FlexAE"}
SHOWN = [
    "system", "setting", "dimensions", "codes", "seed", "steps", "cpu_minutes", "active_dimensions", "closed_below",
    "open_above", "test_error", "deletion_least", "deletion_median", "test_gen", "test_rec", "nac", "validation_gen",
    "outcome",
]  # fmt: skip


def print_runs(rows: list[dict[str, str]]) -> None:
    """A line for each run, and the means of the correlations."""
    print_experiments(rows, SHOWN)
    print("\nMean absolute correlation of active dimensions, mean over the runs of `compare`:\n")
    found = [row for row in rows if row["nac"] and row["experiment"] == "compare"]
    systems = [system for system in TITLES if any(row["system"] == system for row in found)]
    cells = _grouped(found, "dimensions", "codes")
    lines = [[*cell, *(_mean(runs, system, "nac") for system in systems)] for cell, runs in cells.items()]
    print_table(["dimensions", "codes", *(TITLES[system] for system in systems)], lines)


def _mean(rows, system, score):
    found = [float(row[score]) for row in rows if row["system"] == system]
    return f"{np.mean(found):.4f}" if found else "–"


def _grouped(rows, *columns):
    """Values of these columns -> the rows that have them."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[column] for column in columns), []).append(row)
    return found


def file_name(row: dict[str, str]) -> str:
    """Of a run's mask and covariances."""
    parts = (row[key] for key in ("system", "setting", "dimensions", "codes", "seed", "steps"))
    return "-".join(parts).replace(" ", "_") + ".npz"


@styled()
def draw(rows: list[dict[str, str]], settings: dict[str, str], models: Path, pictures: Path) -> None:
    """Three figures of the runs that ended: distances of samples, masks, and covariances of codes.

    Distances are of the rows alone. Masks and covariances whose files are missing are named, in a line for each figure,
    and left out. A picture that is there already is not replaced by one that lacks some.

    Args:
        rows: of the file.
        settings: of MaskAAE and FlexAE; runs of all systems on MaskAAE's data, with codes of its sizes, are drawn.
        models: directory of the masks and covariances.
        pictures: directory of the PNGs `mask_aae-SETTING-distances.png`, where data have several sizes of codes,
            `mask_aae-SETTING.png` and `mask_aae-SETTING-codes.png`.
    """
    rows = _beside(rows, settings)
    stem = f"mask_aae-{settings['mask_aae']}".replace(" ", "_")
    spaces = _grouped(rows, "dimensions")
    if several := [runs for runs in spaces.values() if len(_sizes(runs)) > 1]:
        save_figure(_distances(several), pictures / f"{stem}-distances.png", dpi=110)
    drawn = [row for runs in spaces.values() for row in runs if int(row["codes"]) == _drawn_codes(runs)]
    masks = [row for row in drawn if row["system"] == "mask_aae"]
    for path, function, runs in (
        (pictures / f"{stem}.png", _masks, masks),
        (pictures / f"{stem}-codes.png", _covariances, _of_first_seed(drawn)),
    ):
        if kept := _kept(runs, models, path):
            figure = function([row for row in runs if file_name(row) in kept], kept)
            save_figure(figure, path, dpi=110)


def _beside(rows, settings):
    """The runs of MaskAAE with its setting, and those of the other systems on the same data with as many codes."""
    rows = [row for row in rows if (row["experiment"], row["outcome"]) == ("compare", "ended")]
    rows = [row for row in rows if row["setting"] == settings.get(row["system"], row["setting"])]
    cells = _grouped((row for row in rows if row["system"] == "mask_aae"), "dimensions", "codes")
    rows = [row for row in rows if (row["dimensions"], row["codes"]) in cells]
    if not rows:
        raise SystemExit(f"No run of `compare` with setting {settings['mask_aae']!r} has ended")
    kinds = _grouped(rows, "system", "setting", "steps")
    if len(kinds) > len(_grouped(rows, "system")):
        raise SystemExit(f"A figure is of one setting of each system. Received: {sorted(kinds)}")
    return rows


def _sizes(rows):
    return sorted({int(row["codes"]) for row in rows})


def _drawn_codes(rows):
    """Of one data set: twice its dimensions where MaskAAE has such a run, else its most."""
    sizes = _sizes(row for row in rows if row["system"] == "mask_aae")
    twice = 2 * int(rows[0]["dimensions"])
    return twice if twice in sizes else sizes[-1]


def _of_first_seed(rows):
    """A run of each system on each data set: with MaskAAE's first seed where there is one."""
    first = min((row["seed"] for row in rows if row["system"] == "mask_aae"), key=int)
    groups = _grouped(rows, "system", "dimensions").values()
    return [min(runs, key=lambda row: row["seed"] != first) for runs in groups]


def _kept(rows, models, path):
    """File name -> what a run has left; nothing where an older figure would be replaced by one that lacks some."""
    names = [file_name(row) for row in rows]
    found = [name for name in names if (models / name).exists()]
    if missing := [name for name in names if name not in found]:
        what = f"{path.name} stays as it was" if path.exists() else f"{'Not in' if found else 'No'} {path.name}"
        print(f"{what}, for lack of files in {models}: {', '.join(missing)}")
    return {} if missing and path.exists() else {name: dict(np.load(models / name)) for name in found}


def _distances(spaces):
    """A panel for each data set: distances over the sizes of the codes."""
    figure = new_figure(5.2 * len(spaces), 4.2)
    for axis, rows in zip(figure.subplots(1, len(spaces), squeeze=False).flat, spaces, strict=True):
        for number, (system, title) in enumerate(TITLES.items(), 3):
            if found := [row for row in rows if row["system"] == system]:
                _draw_distances(axis, found, f"C{number}", f"{title}: runs and mean")
        dimensions = rows[0]["dimensions"]
        axis.axhline(float(rows[0]["test_real"]), color="grey", linestyle=":", label="validation points")
        axis.axvline(int(dimensions), color="grey", linewidth=0.8, label="dimensions of the data")
        axis.set(title=f"Samples, data of {dimensions} dimensions", xlabel="dimensions of the codes", yscale="log")
        axis.set_ylabel("Frechet distance in data space")
        axis.legend(fontsize="small")
    return figure


def _draw_distances(axis, rows, colour, label):
    sizes = _sizes(rows)
    values = [[float(row["test_gen"]) for row in rows if row["codes"] == str(size)] for size in sizes]
    for size, runs in zip(sizes, values, strict=True):
        axis.plot([size] * len(runs), runs, ".", color=colour)
    axis.plot(sizes, [np.mean(runs) for runs in values], "-", color=colour, label=label)


def _masks(rows, kept):
    """A panel for each data set: a line for each dimension of MaskAAE's codes, a colour for each seed."""
    spaces = _grouped(rows, "dimensions", "codes")
    figure = new_figure(5.2 * len(spaces), 4.2)
    axes = figure.subplots(1, len(spaces), squeeze=False).flat
    for axis, ((dimensions, codes), runs) in zip(axes, spaces.items(), strict=True):
        for row in runs:
            _draw_mask(axis, kept[file_name(row)], row)
        axis.axhline(0.1, color="grey", linestyle=":", label="active above")
        title = f"Data of {dimensions} dimensions, codes of {codes}"
        axis.set(title=title, xlabel="step", ylabel=r"mask $\alpha_j$", ylim=(-0.02, 1.02))
        axis.legend(fontsize="small", loc="center right")
    return figure


def _draw_mask(axis, trace, row):
    label = f"seed {row['seed']}: {row['active_dimensions']} stay"
    for number, alpha in enumerate(trace["alphas"].T):
        name = None if number else label
        axis.plot(trace["steps"], alpha, color=f"C{row['seed']}", alpha=0.6, linewidth=0.9, label=name)


def _covariances(rows, kept):
    """A column for each data set, a row for each system."""
    systems = [system for system in TITLES if any(row["system"] == system for row in rows)]
    spaces = list(dict.fromkeys(row["dimensions"] for row in rows))
    figure = new_figure(4.4 * len(spaces), 3.8 * len(systems))
    axes = figure.subplots(len(systems), len(spaces), squeeze=False).flat
    cells = _grouped(rows, "system", "dimensions")
    for axis, cell in zip(axes, itertools.product(systems, spaces), strict=True):
        axis.set_visible(cell in cells)
        for row in cells.get(cell, ()):
            name = f"{TITLES[row['system']]}, data of {row['dimensions']}, seed {row['seed']}"
            limit = None if row["system"] == "flex_ae" else 1.0  # FlexAE's prior may have any variance
            matrix = kept[file_name(row)]["covariance"]
            HeatMap(matrix, name, "covariance", "dimension of the codes", limit=limit).draw(axis)
    figure.suptitle("Covariance of the codes of test points")
    return figure
