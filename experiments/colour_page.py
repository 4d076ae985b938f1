"""The runs of experiments/colour.py as tables and pictures of a page."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from colour_runs import run_of
from experiment import print_experiments, printed, write_tables
from study_figures import draw_distances

from keras_ijae.training import save_grid

TABLES, NONE = "## All runs", "\nNo run yet.\n"
COUNT = 10  # images of a run
SHOWN = [
    "system", "settings", "samples", "inception_score", "inception_score_std", "reconstructions",
    "held_out_samples", "held_out_reconstructions", "squared_error", "lpips", "lpips_std",
    "outcome", "networks", "batch_size", "precision", "seed", "steps", "cpu_minutes", "wall_minutes",
    "images_per_second", "device", "replicas", "parameters", "judge_parameters", "extractor", "judged_samples",
]  # fmt: skip


def write_page(rows: Sequence[dict[str, str]], page: Path, models: Path) -> None:
    """A table for each data set and budget, nearest samples first, and below it its two pictures.

    Args:
        rows: of the CSV file.
        page: what follows its heading `TABLES` is replaced.
        models: where runs have left samples, and data sets their first held-out images.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row["dataset"], row["budget"]), []).append(row)
    write_tables(page, TABLES, "".join(_section(group, page, models) for group in groups.values()) or NONE)


def _section(rows, page, models):
    ended = sorted((row for row in rows if row["outcome"] == "ended"), key=lambda row: float(row["samples"]))
    listed = [row | {"outcome": ""} for row in ended] + [row for row in rows if row["outcome"] != "ended"]
    titled = [row | {"experiment": row["dataset"], "settings": row["settings"].strip("{}")} for row in listed]
    text = printed(print_experiments, titled, SHOWN)
    if not ended:
        return text
    name = re.sub(r"\W+", "-", f"{page.stem} {rows[0]['dataset']} {rows[0]['budget']}")
    distances, samples = (page.parent / "pictures" / f"{name}{part}.png" for part in ("", "-samples"))
    draw_distances([_held_out(row) for row in ended], distances)
    text += f"\n![Distance of samples against distance of reconstructions](pictures/{distances.name})\n"
    draw_samples(ended, samples, models)
    return text + (f"\n![Samples of each run](pictures/{samples.name})\n" if samples.exists() else "")


def _held_out(row):
    """A row with the distances to the held-out images in the place of those to the training images."""
    distances = {name: row[f"held_out_{name}"] for name in ("samples", "reconstructions")}
    return row | distances | {"prior": ""}


def draw_samples(rows: Sequence[dict[str, str]], path: Path, models: Path) -> None:
    """A line of samples for each run, below one of held-out images; those that are missing are named and left out."""
    files = [("held-out images", models / f"{rows[0]['dataset']}.npy")]
    files += [(run.label, models / run.name / "samples.npy") for run in map(run_of, rows)]
    if missing := [name for name, file in files if not file.exists()]:
        print(f"Not in {path.name}, for lack of their images: {', '.join(missing)}")
    if found := [(name, np.load(file)) for name, file in files if file.exists()]:
        names, images = zip(*found, strict=True)
        save_grid(path, np.concatenate(images) / 255, COUNT, rows=names)
