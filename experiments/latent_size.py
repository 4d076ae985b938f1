"""Does the size of the codes matter on MNIST? WAE-GAN, MaskAAE and FlexAE with codes of 4 to 110 dimensions.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/latent_size.py                               # all
    python experiments/latent_size.py --systems mask_aae --seeds 0 1 2
    python experiments/latent_size.py --smoke                       # three steps of each on digits: does all work?
    python experiments/latent_size.py --page                        # tables and picture of latent_size.md

A run appends its row to latent_size.csv in --out (runs/experiments) when it ends, and keeps model and samples in
--models; the same command again does what is not finished. Several processes may run at once, one on a core. Protocol
and results are in docs/latent_size.md; `--out docs` names the committed runs.
"""

from pathlib import Path

from study import Plan, Rows, Study
from study_command import main

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
def draw(rows: Rows, pictures: Path, models: Path) -> None:
    """Distances, correlation and active dimensions over the size of the codes: a line for each system."""
    figure = new_figure(9, 6)
    for axis, (column, title) in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        for name, plans in EXPERIMENTS.items():
            keys = [(plan.system, plan.codes) for plan in plans if "ema" not in plan.settings]
            chosen = [
                row for row in rows if (row["system"], int(row["codes"])) in keys and "ema" not in row["settings"]
            ]
            points = sorted((int(row["codes"]), float(row[column])) for row in chosen if row[column])
            if points:
                axis.plot(*zip(*points, strict=True), "o-", label=name, markersize=4)
        axis.set(xscale="log", xlabel="dimensions of the codes", title=title)
        axis.set_xticks(CODES, [*map(str, CODES)])
        axis.minorticks_off()
    figure.axes[0].legend(fontsize="small")
    save_figure(figure, pictures / "latent_size.png", dpi=100)


STUDY = Study("latent_size", EXPERIMENTS, draw)

if __name__ == "__main__":
    main(STUDY, __doc__)
