"""Do conditional systems give the class that was asked for? A classifier that has not seen them looks at samples.

    keras-ijae train-classifier --dataset digits --out runs/digits/classifier.keras
    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/conditional.py                       # VAE, GAN and lambda-IJAE on both, five CPU minutes each
    python experiments/conditional.py --datasets digits --systems gan --minutes 1
    python experiments/conditional.py --smoke               # three steps of each, to see that all works
    python experiments/conditional.py --page                # the table of conditional.md, of finished runs

A run appends its row to conditional.csv in --out (runs/experiments) and draws pictures/conditional_*.png, by class;
the same command again does what is not finished. `--out docs` names the committed runs and their page.
"""

import argparse
import dataclasses
from pathlib import Path

import keras
import numpy as np
from experiment import (
    Budget,
    Keyed,
    add_out,
    append,
    origin,
    pictures_beside,
    print_table,
    printed,
    read,
    stored,
    unfinished,
    write_tables,
)

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier
from keras_ijae.training.pictures import class_rows, save_grid

CLASSES, LATENT, BATCH, COLUMNS_OF_PICTURE = 10, 16, 64, 10
SYSTEMS, DATASETS = ("vae", "gan", "ijae"), ("digits", "mnist")
SAMPLES = 500  # of each class
TABLE = "## All runs"


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    dataset: str
    system: str
    seed: int
    budget: str


KEYS = [field.name for field in dataclasses.fields(Run)]
SHOWN = [*KEYS, "cpu_minutes", "steps", "agreement", "worst_class", "data_agreement"]
COLUMNS = [*SHOWN, "commit", "command"]


def agreement(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For each class the share of its images that the classifier takes for it: (CLASSES,)."""
    probabilities = np.concatenate([part for _, part in classifier.stream(images)])
    right = probabilities.argmax(axis=1) == labels
    return np.array([right[labels == label].mean() for label in range(CLASSES)])


def outcome(run: Run, classifier: Classifier, pictures: Path, samples: int) -> dict:
    """Trains a model with its defaults; the run's row, and its picture."""
    keras.utils.set_random_seed(run.seed)
    shape = ki.datasets.info(run.dataset).data_shape
    model = ki.create(run.system, shape, LATENT, classes=CLASSES, seed=run.seed)
    model.compile()
    budget = Budget(60 * float(run.budget.split()[0]))
    data = ki.datasets.load(run.dataset, "train", BATCH, labels=True, seed=run.seed)
    model.fit(data, epochs=1_000_000, verbose=2, callbacks=[budget])
    picture = pictures / f"conditional_{run.dataset}_{run.system}.png"
    save_grid(picture, class_rows(model, COLUMNS_OF_PICTURE), COLUMNS_OF_PICTURE)
    labels = np.repeat(np.arange(CLASSES), samples)
    each = agreement(classifier, model.sample(len(labels), seed=1, labels=labels), labels)
    x, y = stored(run.dataset, "test", labels=True)  # only the classifier is tried on them
    found = {"steps": budget.steps, "cpu_minutes": budget.cpu_minutes, "agreement": float(each.mean())}
    return found | {"worst_class": float(each.min()), "data_agreement": float(agreement(classifier, x, y).mean())}


def write_page(rows: list[dict[str, str]], page: Path) -> None:
    """Replaces the table of the page: all that follows its heading."""
    table = printed(print_table, SHOWN, [[row[column] for column in SHOWN] for row in rows])
    write_tables(page, TABLE, "\n" + table)


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", default=[*SYSTEMS], help="any that take labels (default: %(default)s)")
    parser.add_argument("--datasets", nargs="+", default=[*DATASETS], choices=DATASETS)
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of a training")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    parser.add_argument("--classifiers", default="runs/{}/classifier.keras", help="their paths (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="three steps, few samples")
    parser.add_argument("--page", action="store_true", help="only write the table")
    add_out(parser)
    given = parser.parse_args(command)
    results = given.out / ("conditional_smoke.csv" if given.smoke else "conditional.csv")
    if given.page:
        return write_page(read(results), results.with_suffix(".md"))
    budget, about = f"{0 if given.smoke else given.minutes:g} minutes", origin("conditional.py")
    runs = [Run(dataset, system, given.seed, budget) for dataset in given.datasets for system in given.systems]
    for run in unfinished(results, runs):
        print(" ".join(run.key), flush=True)
        classifier = Classifier.load(given.classifiers.format(run.dataset))
        found = outcome(run, classifier, pictures_beside(results), 2 if given.smoke else SAMPLES)
        append(results, {**dataclasses.asdict(run), **found, **about}, COLUMNS)


if __name__ == "__main__":
    main()
