"""The runs of experiments/flex_ae_mnist.py as tables and figures."""

import dataclasses
from pathlib import Path

import keras
import numpy as np

import keras_ijae as ki
from keras_ijae.figures import Scatter, codes_and_prior, embedded, new_figure, save_figure, styled, together

TITLES = {
    "ae": "AE + N(0, I)",
    "ae_gmm": "AE + mixture",
    "wae_gan": "WAE-GAN",
    "mask_aae": "MaskAAE",
    "flex_ae": "FlexAE",
}
SIDES = {"gen": "samples", "rec": "reconstructions"}
FALLING = ", falling"  # at the end of a setting: all rates but the critic's fall to 0, by a cosine
POINTS = 1000  # codes of data, and as many of samples, in a panel
SHOWN = [
    "system", "setting", "generator", "train", "seed", "steps", "cpu_minutes", "validation_gen", "validation_rec",
    "test_gen", "test_rec", "test_squared_error", "active_dimensions", "outcome",
]  # fmt: skip


@styled()
def draw_runs(rows: list[dict[str, str]], path: Path) -> None:
    """Distances to test images of each run: by system, and by size of the prior generator, at its largest budget."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ended = [row for row in rows if row["outcome"] == "ended"]
    steps = max((_steps(row) for row in ended if row["experiment"] == "capacity"), default=0)
    ended = [row for row in ended if row["experiment"] != "capacity" or _steps(row) == steps]
    sizes = list(dict.fromkeys(row["generator"] for row in rows))
    panels = {
        "compare": ("system", "One encoder and decoder, five priors", [*TITLES]),
        "capacity": ("generator", f"FlexAE on few images, {steps:,} steps", sizes),
    }
    panels = {name: panel for name, panel in panels.items() if any(row["experiment"] == name for row in ended)}
    if not panels:
        return  # runs of `select` alone are not drawn
    figure = new_figure(6.5 * len(panels), 4.2)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (experiment, (column, title, order)) in zip(axes, panels.items(), strict=True):
        found = [row for row in ended if row["experiment"] == experiment]
        order = [value for value in order if any(row[column] == value for row in found)]
        for line, falls in (("-", False), ("--", True)):
            if some := [row for row in found if row["setting"].endswith(FALLING) == falls]:
                _draw_panel(axis, some, column, order, line)
        axis.set(title=title, ylabel="Frechet distance to test images", yscale="log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize="small")
    if "capacity" in panels:
        axes[-1].set_xlabel("prior generator: hidden layers x width")
    save_figure(figure, path, dpi=110)


def _steps(row):
    """The budget of a run of "capacity"."""
    return int(row["budget"].removesuffix(" steps"))


def _draw_panel(axis, rows, column, order, line):
    """A point for each run, a line or dash through the means; a broken line is of rates that fall."""
    how = ", rates that fall" if line == "--" else ""
    for side, (key, label) in enumerate(SIDES.items()):
        values = [[float(row[f"test_{key}"]) for row in rows if row[column] == value] for value in order]
        at = np.arange(len(order)) + (0.2 * side - 0.1 if column == "system" else 0)
        for x, found in zip(at, values, strict=True):
            axis.plot([x] * len(found), found, ".", color=f"C{side}")
        line = "_" if column == "system" else line
        there = [index for index, found in enumerate(values) if found]
        axis.plot(
            at[there],
            [np.mean(values[index]) for index in there],
            line,
            color=f"C{side}",
            markersize=18,
            label=f"{label}{how}: runs and their mean",
        )
    if column == "system":
        real = float(rows[0]["test_real"])
        axis.axhline(real, color="grey", linestyle=":", label=f"training images ({real:.2g})")
    axis.set_xticks(range(len(order)), [TITLES.get(value, value) for value in order])


def draw_codes(directory: Path, seed: int, x: np.ndarray, path: Path) -> None:
    """t-SNE of data's codes beside the prior's, a panel for each model that `compare` kept with this seed.

    Args:
        directory: of the models.
        seed: theirs, and that of the prior's draws and of t-SNE.
        x: images.
        path: of the PNG.

    Raises:
        ValueError: there are no such models.
    """
    models = {name: directory / f"{name}-{seed}.keras" for name in TITLES}
    models = {name: ki.load_model(file) for name, file in models.items() if file.exists()}
    if not models:
        raise ValueError(f"There are no models of seed {seed} in {directory}: run `compare`")
    figure = together(*(_codes(model, x[:POINTS], seed, TITLES[name]) for name, model in models.items()))
    figure.suptitle("t-SNE of codes: where there is one colour alone, the prior does not fit the codes")
    save_figure(figure, path, dpi=110)


def draw_clusters(models: dict[str, keras.Model], x: np.ndarray, labels: np.ndarray, seed: int, path: Path) -> None:
    """t-SNE of data in clusters, and beside it of the codes that each model gives them, with draws of its prior.

    Args:
        models: system -> model.
        x, labels: data (n, ...) and their clusters (n,).
        seed: of the priors' draws and of t-SNE.
        path: of the PNG.
    """
    flat = embedded(x.reshape(len(x), -1), seed)
    codes = (_codes(model, x, seed, f"Codes of {TITLES[name]}", labels) for name, model in models.items())
    figure = together(Scatter({"data": flat}, "Data", labels=labels), *codes)
    figure.suptitle(
        "t-SNE, a colour for each cluster of the data; grey without a colour near it is prior without codes"
    )
    save_figure(figure, path, dpi=110)


def _codes(model, x, seed, title, labels=None):
    return dataclasses.replace(codes_and_prior(model, x, labels, seed), title=title)
