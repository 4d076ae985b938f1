"""Does the size of the codes matter on MNIST? WAE-GAN, MaskAAE and FlexAE with codes of 4 to 110 dimensions.

    python experiments/latent_size.py                               # all
    python experiments/latent_size.py --systems mask_aae --seeds 0 1 2
    python experiments/latent_size.py --smoke                       # three steps of each on digits: does all work?
    python experiments/latent_size.py --page                        # tables and picture of latent_size.md

A run appends its row to latent_size.csv in --out (runs/experiments) when it ends, and keeps its model in --models and a
picture of samples in --out; the same command again does what is not finished. Several processes may run at once, one on
a core. Protocol and results are in docs/latent_size.md; `--out docs` names the committed runs.
"""

from pathlib import Path

import keras
import numpy as np
from study import Plan, Rows, Run, Study
from study_command import main
from study_figures import draw_lines

from keras_ijae.figures import new_figure, save_figure, styled

CODES = (4, 8, 16, 32, 64, 110)
MASKED = {"preset": "images", "networks": "dcgan"}
EXPERIMENTS = {
    "WAE-GAN": [Plan("wae_gan", {}, codes) for codes in CODES],
    "MaskAAE": [Plan("mask_aae", MASKED, codes) for codes in CODES],
    "FlexAE": [Plan("flex_ae", {}, codes) for codes in CODES],
    "FlexAE without averages": [Plan("flex_ae", {"ema": None})],
}
CURVES = (
    ("samples", "Frechet distance of samples"),
    ("reconstructions", "Frechet distance of reconstructions"),
    ("nac", "mean absolute correlation of active codes"),
    ("active_dimensions", "active dimensions"),
)


@styled()
def draw(rows: Rows, pictures: Path, samples: Path) -> None:
    """Distances, correlation and active dimensions over the size of the codes: a line for each system."""
    figure = new_figure(9, 6)
    axes = figure.subplots(2, 2).ravel()
    plain = [row for row in rows if "ema" not in row["settings"] and int(row["codes"]) in CODES]
    lines = {plans[0].system: name for name, plans in EXPERIMENTS.items() if "ema" not in plans[0].settings}
    lines = {name: [row for row in plain if row["system"] == system] for system, name in lines.items()}
    draw_lines(axes, CURVES, lines, lambda row: int(row["codes"]))
    for axis in axes:
        axis.set(xscale="log", xlabel="dimensions of the codes")
        axis.set_xticks(CODES, [*map(str, CODES)])
        axis.minorticks_off()
    save_figure(figure, pictures / "latent_size.png", dpi=100)


def gap(model: keras.Model, run: Run, x: np.ndarray, _) -> dict[str, float]:
    """Of a mask: the largest factor that counts as closed and the least that counts as open; apart where it is sure."""
    if not hasattr(model, "mask"):
        return {}
    with model.averaged():
        alpha = model.mask.alpha().numpy()
    is_open = np.isin(np.arange(run.codes), model.active_dims)
    least, most = min(alpha[is_open], default=1.0), max(alpha[~is_open], default=0.0)
    return {"closed_below": float(most), "open_above": float(least)}


STUDY = Study("latent_size", EXPERIMENTS, draw, ("closed_below", "open_above"), gap)

if __name__ == "__main__":
    main(STUDY, __doc__)
