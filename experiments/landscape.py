"""All systems side by side on MNIST: default networks, codes of 16, five CPU minutes each, judged by held-out images.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/landscape.py                                 # every system of the registry
    python experiments/landscape.py --systems vae,flow_vae          # these
    python experiments/landscape.py --systems vae --settings '{"likelihood": "laplace"}' '{"beta": 2.0}'
    python experiments/landscape.py --systems vae,ae --fit-priors gmm,normal    # to the codes of models trained above
    python experiments/landscape.py --smoke                         # three steps of each on digits: does all work?
    python experiments/landscape.py --page                          # tables and pictures of landscape.md

A run appends its row to landscape.csv in --out (runs/experiments) when it ends, and keeps model and samples in
--models; the same command again does what is not finished. Several processes may run at once, one on a core:

    OMP_NUM_THREADS=1 taskset -c 0 python experiments/landscape.py --systems gan

Protocol and results are in docs/landscape.md; `--out docs` names the committed runs.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from experiment import (
    HOME,
    Keyed,
    add_out,
    append,
    finished,
    origin,
    print_experiments,
    printed,
    read,
    reason,
    stored,
    train,
    write_tables,
)
from landscape_figures import SIDE, draw_distances, draw_sheet, label
from landscape_judge import COSTS, SCORES, fit_prior, scores, sizes

import keras_ijae as ki
from keras_ijae.distributions.priors import FITTED
from keras_ijae.files import replacing
from keras_ijae.metrics.features.classifier import Classifier
from keras_ijae.training.pictures import save_grid

# Of a system that has more to show than its defaults: all settings that are run where none are named.
SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {"vae": ({}, {"posterior": "full"})}
TABLES, BATCH = "## All runs", 64


class Setup(NamedTuple):
    """A data set, its splits to train on and to judge by, and the size of a code."""

    dataset: str
    train: str
    validation: str
    latent_dim: int


FULL, SMOKE = Setup("mnist", "train[:55000]", "train[55000:]", 16), Setup("digits", "train[:300]", "train[-300:]", 4)


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file. With a `prior` it is that one, fitted to a model's codes."""

    system: str
    settings: str
    prior: str
    dataset: str
    seed: int
    budget: str

    @property
    def name(self) -> str:
        """Of its files."""
        return "-".join([label(dataclasses.asdict(self)), str(self.seed), self.budget]).replace(" ", "_")


KEYS = [field.name for field in dataclasses.fields(Run)]
COLUMNS = [*KEYS, "outcome", *COSTS, *SCORES, "commit", "command"]
SHOWN = ["system", "settings", "prior", "budget", "outcome", *SCORES, *COSTS]


def build(run: Run, setup: Setup) -> keras.Model:
    """A new compiled model."""
    keras.utils.set_random_seed(run.seed)
    shape = ki.datasets.info(setup.dataset).data_shape
    model = ki.create(run.system, shape, setup.latent_dim, seed=run.seed, **json.loads(run.settings))
    model.compile()
    return model


def outcome(run: Run, setup: Setup, given: argparse.Namespace) -> dict[str, Any]:
    """Trains a model, or loads it to fit another prior; the run's row, and its files."""
    model, found = None, {"outcome": "ended"}
    if run.prior:
        model = ki.load_model(file(run, given, ".keras", prior=""))
    else:
        model, data = build(run, setup), ki.datasets.load(setup.dataset, setup.train, BATCH, seed=run.seed)
        found["outcome"], budget = train(model, data, float(run.budget.split()[0]))
        found |= {name: getattr(budget, name) for name in ("steps", "cpu_minutes", "wall_minutes")}
    if found["outcome"] == "ended":
        try:
            if run.prior or (model.has_encoder and model.sampling_prior.can_fit):
                images = ki.datasets.load(setup.dataset, setup.train, 500, shuffle=False, drop_remainder=False)
                found |= fit_prior(model, images, run.prior or model.sampling_prior, run.seed)
            x = stored(setup.dataset, setup.validation)
            found |= scores(model, x, Classifier.load(given.classifier))
            keep(model, run, x, given)
        except ValueError as error:  # codes or images that are not finite, a prior that does not suit the model
            found["outcome"] = reason(error)
    return found | sizes(model)


def file(run: Run, given: argparse.Namespace, suffix: str, **other: str) -> Path:
    """A run's file, ".keras" or ".png", or that of a run which differs from it."""
    return given.models / f"{dataclasses.replace(run, **other).name}{suffix}"


def keep(model: keras.Model, run: Run, x: np.ndarray, given: argparse.Namespace) -> None:
    """The model, where it was trained here, and a picture of samples; and of the held-out images one for all runs."""
    if not run.prior:
        with replacing(file(run, given, ".keras")) as temporary:
            model.save(temporary)
    count = SIDE * SIDE
    save_grid(file(run, given, ".png"), model.sample(count, seed=0), SIDE, scale=1)
    if not (data := given.models / "data.png").exists():
        save_grid(data, x[:count], SIDE, scale=1)


def play(runs: Iterable[Run], setup: Setup, results: Path, given: argparse.Namespace) -> None:
    """Trains, judges and appends what is not finished."""
    about = origin("landscape.py")
    todo = [run for run in runs if run.key not in finished(results, KEYS)]
    missing = [run.name for run in todo if run.prior and not file(run, given, ".keras", prior="").exists()]
    if missing:
        raise SystemExit(f"--fit-priors needs trained models: run without it first. {given.models} lacks {missing}")
    for number, run in enumerate(todo, 1):
        print(f"{number} of {len(todo)}: {' '.join(filter(None, run.key))}", flush=True)
        append(results, {**dataclasses.asdict(run), **outcome(run, setup, given), **about}, COLUMNS)


def write_page(rows: list[dict[str, str]], page: Path, given: argparse.Namespace) -> None:
    """The tables of the page, nearest samples first, and its two pictures."""
    titles = {False: "Systems", True: "Other priors, fitted to the codes of models above"}
    ended = [row | {"outcome": ""} for row in rows if row["outcome"] == "ended"]
    ended.sort(key=lambda row: (bool(row["prior"]), float(row["samples"])))
    listed = [*ended, *(row for row in rows if row["outcome"] != "ended")]
    of = lambda row: {"experiment": titles[bool(row["prior"])], "settings": row["settings"].strip("{}")}  # noqa: E731
    titled = [row | of(row) for row in listed]
    write_tables(page, TABLES, printed(print_experiments, titled, SHOWN))
    if not ended:
        return
    draw_distances(ended, page.parent / "pictures" / f"{page.stem}.png")
    samples = {"held-out images": given.models / "data.png"}
    for row in ended:
        run = Run(**{key: row[key] for key in KEYS})
        samples[f"{label(row)}: {float(row['samples']):.3g}"] = file(run, given, ".png")
    draw_sheet(samples, page.parent / "pictures" / f"{page.stem}-samples.png")


def planned(setup: Setup, given: argparse.Namespace) -> list[Run]:
    """The runs that are asked for."""
    budget, found = f"{0 if given.smoke else given.minutes:g} minutes", []
    for system in given.systems or (["vae", "ae"] if given.fit_priors else ki.list_models()):
        each = given.settings or ([{}] if given.fit_priors else SETTINGS.get(system, ({},)))
        for settings, prior in [(settings, prior) for settings in each for prior in given.fit_priors or [""]]:
            found.append(Run(system, json.dumps(settings), prior, setup.dataset, given.seed, budget))
    return found


def among(known: Iterable[str], text: str) -> list[str]:
    """Names, parted by commas, of some that are known."""
    names = text.split(",")
    if unknown := sorted(set(names) - set(known)):
        raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}. Received: {', '.join(unknown)}")
    return names


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    systems, fitted = lambda text: among(ki.list_models(), text), lambda text: among(FITTED, text)
    parser.add_argument("--systems", type=systems, metavar="A,B", help="by default all of the registry")
    parser.add_argument("--settings", type=json.loads, nargs="+", metavar="JSON", help="arguments of each system")
    parser.add_argument(
        "--fit-priors", type=fitted, metavar="A,B", help=f"of {', '.join(FITTED)}; by default of vae,ae"
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of a training")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    parser.add_argument("--classifier", type=Path, default=Path("runs/mnist/classifier.keras"))
    parser.add_argument("--models", type=Path, default=HOME / "landscape", help="where models and samples are kept")
    parser.add_argument("--smoke", action="store_true", help="three steps of each, on digits (as --classifier)")
    parser.add_argument("--page", action="store_true", help="only write tables and pictures of finished runs")
    add_out(parser)
    given = parser.parse_args(command)
    results = given.out / ("landscape_smoke.csv" if given.smoke else "landscape.csv")
    setup = SMOKE if given.smoke else FULL
    if given.page:
        write_page(read(results), results.with_suffix(".md"), given)
    else:
        play(planned(setup, given), setup, results, given)


if __name__ == "__main__":
    main()
