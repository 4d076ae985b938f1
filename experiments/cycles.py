"""What weighs more, pairs or reconstructions? sVAE-r and ALICE on MNIST over the weight of their reconstruction terms.

    python experiments/cycles.py                                    # all
    python experiments/cycles.py --systems alice
    python experiments/cycles.py --smoke                            # three steps of each on digits: does all work?
    python experiments/cycles.py --page                             # tables and picture of cycles.md

A run appends its row to cycles.csv in --out (runs/experiments) when it ends, and keeps its model in --models and a
picture of samples in --out; the same command again does what is not finished. Several processes may run at once, one on
a core. Protocol and results are in docs/cycles.md; `--out docs` names the committed runs.
"""

import json
from pathlib import Path

from study import Plan, Rows, Study
from study_command import main
from study_figures import draw_lines

from keras_ijae.figures import new_figure, save_figure, styled

WEIGHTS = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
"""Of the twelve of ALICE's code, six; and 1e-3."""
ALIKE = {"posterior": "implicit", "likelihood": "implicit", "cycle": "l1", "learning_rate": 2e-3}
"""What are sVAE-r's defaults, and not ALICE's; beta_2 and the order of moves stay each system's own."""
EXPERIMENTS = {
    "sVAE-r": [Plan("svae_r", {"cycle_weight": weight}) for weight in WEIGHTS],
    "ALICE": [Plan("alice", ALIKE | {"cycle_weight": weight}) for weight in WEIGHTS],
}
CURVES = (
    ("score", "Inception-style score, by the classifier"),
    ("squared_error", "squared error of reconstructions"),
    ("samples", "Frechet distance of samples"),
)


@styled()
def draw(rows: Rows, pictures: Path, samples: Path) -> None:
    """Scores over the weight: a line for each system."""
    figure = new_figure(10, 3.5)
    axes = figure.subplots(1, 3)
    lines = {name: [row for row in rows if row["system"] == plans[0].system] for name, plans in EXPERIMENTS.items()}
    draw_lines(axes, CURVES, lines, lambda row: json.loads(row["settings"])["cycle_weight"])
    for axis in axes:
        axis.set(xlabel="weight λ of reconstructions")
        axis.set_xscale("symlog", linthresh=WEIGHTS[1])
    save_figure(figure, pictures / "cycles.png", dpi=100)


STUDY = Study("cycles", EXPERIMENTS, draw)

if __name__ == "__main__":
    main(STUDY, __doc__)
