"""All systems side by side on MNIST: default networks, codes of 16, five CPU minutes each, judged by held-out images.

    python experiments/landscape.py                                 # every system of the registry
    python experiments/landscape.py --systems vae,flow_vae          # these
    python experiments/landscape.py --systems vae --settings '{"likelihood": "laplace"}' '{"beta": 2.0}'
    python experiments/landscape.py --systems vae,ae --fit-priors gmm,normal    # to the codes of models trained above
    python experiments/landscape.py --systems injflow,injflow_ln --fit-priors gmm
    python experiments/landscape.py --systems vae,gan --settings '{}' --seeds 1     # again, or --dataset fashion_mnist
    python experiments/landscape.py --smoke                         # three steps of each on digits: does all work?
    python experiments/landscape.py --page                          # tables and pictures of landscape.md

A run appends its row to landscape.csv in --out (runs/experiments) when it ends, and keeps its model in --models and a
picture of samples in --out; the same command again does what is not finished. Several processes may run at once, one on
a core:

    OMP_NUM_THREADS=1 taskset -c 0 python experiments/landscape.py --systems gan

Protocol and results are in docs/landscape.md; `--out docs` names the committed runs.
"""

from pathlib import Path

import landscape_again
import landscape_ranks
from study import Plan, Rows, Study, label, picture
from study_command import main
from study_figures import draw_distances, draw_sheet

import keras_ijae as ki

# Of a system that has more to show than its defaults.
MORE = [
    Plan("vae", {"posterior": "full"}),
    Plan("vae", {"preset": "resnet"}),
    Plan("flow_vae", {"prior": "maf"}),
    Plan("flow_vae", {"posterior": "iaf", "prior": "normal", "free_bits": 8.0}),
    Plan("gan", {"preset": "paper", "networks": "dcgan"}),
]


def draw(rows: Rows, pictures: Path, samples: Path) -> None:
    """Distances of samples and reconstructions, and the samples of all runs on one sheet, of each data set; orders."""
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        here = first(rows, dataset)
        name = "landscape" if dataset == "mnist" else f"landscape-{dataset}"
        draw_distances(here, pictures / f"{name}.png")
        drawn = {f"{label(row)}: {float(row['samples']):.3g}": picture(row, samples) for row in here}
        draw_sheet({"held-out images": samples / f"{dataset}.png"} | drawn, pictures / f"{name}-samples.png")
    if landscape_again.together(rows):
        landscape_again.draw(rows, pictures / "landscape-again.png")


def first(rows: Rows, dataset: str) -> Rows:
    """Those of a data set with its first seed, which is that of all systems, and codes of the planned size."""
    here = [row for row in rows if (row["dataset"], row["codes"]) == (dataset, str(Plan("").codes))]
    return [row for row in here if row["seed"] == min((row["seed"] for row in here), key=int)]


def orders(rows: Rows) -> dict[str, str]:
    """Of the page: the systems' order on MNIST beside the papers', and beside that of another seed and other data."""
    found = {landscape_ranks.HEADING: landscape_ranks.section(first(rows, "mnist"))}
    found[landscape_again.HEADING] = landscape_again.section(rows)
    return {heading: text for heading, text in found.items() if text}


STUDY = Study("landscape", {"Systems": [*map(Plan, ki.list_models()), *MORE]}, draw, sections=orders)

if __name__ == "__main__":
    main(STUDY, __doc__)
