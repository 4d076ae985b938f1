"""What λ-IJAE's parts are worth on MNIST: its λ, its likelihoods, its posteriors, and what is not of its paper.

    python experiments/ijae_ablations.py                            # all
    python experiments/ijae_ablations.py --experiments lambda       # a part
    python experiments/ijae_ablations.py --list                     # which runs that are
    python experiments/ijae_ablations.py --smoke                    # three steps of each on digits: does all work?
    python experiments/ijae_ablations.py --page                     # tables and picture of ijae_ablations.md

A run appends its row to ijae_ablations.csv in --out (runs/experiments) when it ends, and keeps its model in --models
and a picture of samples in --out; the same command again does what is not finished. Several processes may run at once,
one on a core. Protocol and results are in docs/ijae_ablations.md; `--out docs` names the committed runs.
"""

import json
from pathlib import Path

import keras
import numpy as np
from study import Plan, Rows, Study, label
from study_command import main
from study_figures import label_points

from keras_ijae.distributions import likelihoods
from keras_ijae.figures import new_figure, save_figure, styled

LAMBDAS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
DEFAULT = Plan("ijae")


def shifts(most: int) -> dict:
    """The likelihood by cyclic shifts of at most so many pixels, as JSON."""
    found = keras.saving.serialize_keras_object(likelihoods.CyclicShift(most))
    found["config"].pop("name", None)  # Keras counts its layers
    return found


def plan(**settings) -> Plan:
    """λ-IJAE with other arguments than its defaults."""
    return Plan("ijae", settings)


EXPERIMENTS = {
    "lambda": [DEFAULT if lam == 0.3 else plan(lam=lam) for lam in LAMBDAS],
    "largest shift": [plan(likelihood=shifts(1)), DEFAULT, plan(likelihood=shifts(3))],
    "likelihood": [DEFAULT, *(plan(likelihood=name) for name in ("gaussian", "laplace", "shift_gaussian"))],
    "posterior": [DEFAULT, plan(posterior="deterministic"), plan(posterior="diagonal")],
    "averages and spectral normalisation": [
        DEFAULT,
        plan(ema=None),
        plan(spectral=False),
        plan(ema=None, spectral=False),
    ],
    "others": [*map(Plan, ("alpha_gan", "svae_r", "alice", "vae", "flex_ae"))],
}


@styled()
def draw(rows: Rows, pictures: Path, samples: Path) -> None:
    """Distance of samples against squared error: λ's curve, the other variants, and other systems."""
    figure = new_figure(8, 6)
    axis = figure.subplots()
    curve = [row for row in rows if _lam(row) is not None]
    for name, marker, chosen in (
        ("other variants", "x", [row for row in rows if row["system"] == "ijae" and _lam(row) is None]),
        ("other systems", "s", [row for row in rows if row["system"] != "ijae"]),
        ("λ-IJAE over λ", "o", curve),
    ):
        if chosen:
            axis.plot(*np.transpose([_at(row) for row in chosen]), marker, label=name, markersize=5)
    lams = sorted({_lam(row) for row in curve})
    means = [np.mean([_at(row) for row in curve if _lam(row) == lam], axis=0) for lam in lams]
    axis.plot(*np.transpose(means or np.empty((0, 2))), "-", color="C2", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="squared error of reconstructions, summed over pixels")
    axis.set(ylabel="Frechet distance of samples", title="To the same held-out images: left and low is better")
    axis.legend(fontsize="small")
    label_points(axis, [_at(row) for row in rows], [_name(row) for row in rows])
    save_figure(figure, pictures / "ijae_ablations.png", dpi=100)


def _name(row):
    return label(row).removeprefix("ijae ") if _lam(row) is None else f"λ = {_lam(row):g}"


def _at(row):
    return float(row["squared_error"]), float(row["samples"])


def _lam(row):
    """λ, of λ-IJAE with no other argument than that."""
    settings = json.loads(row["settings"])
    return settings.get("lam", 0.3) if row["system"] == "ijae" and settings.keys() <= {"lam"} else None


STUDY = Study("ijae_ablations", EXPERIMENTS, draw)

if __name__ == "__main__":
    main(STUDY, __doc__)
