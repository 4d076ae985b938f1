"""One protocol for many runs: models trained for equal CPU time, judged alike by held-out images, listed and drawn.

A study, as landscape.py is one, says which runs there are and how they are drawn; all else is here.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from experiment import (
    Keyed,
    alone,
    append,
    check_columns,
    origin,
    pictures_beside,
    print_experiments,
    printed,
    processor,
    read,
    reason,
    stored,
    train,
    unfinished,
    write_tables,
)
from study_judge import COSTS, SCORES, Judge, fit_prior, scores, sizes

import keras_ijae as ki
from keras_ijae.files import replacing
from keras_ijae.training.pictures import save_grid

TABLES, BATCH, SIDE = "## All runs", 64, 8
LEVELS = 16  # of pictures: fewer make a smaller file
OTHER_PRIORS = "Other priors, fitted to the codes of models above"
MNIST = ("train[:55000]", "train[55000:]")
SPLITS = dict.fromkeys(("mnist", "fashion_mnist", "color_mnist"), MNIST) | {"digits": ("train[:300]", "train[-300:]")}
"""Data set -> what is trained on, and what judges."""


class Plan(NamedTuple):
    """A model of an experiment: a system, its arguments beside the defaults, the size of its codes."""

    system: str
    settings: dict[str, Any] = {}
    codes: int = 16


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file. With a `prior` it is that one, fitted to a model's codes."""

    system: str
    settings: str
    prior: str
    dataset: str
    codes: int
    seed: int
    budget: str

    @property
    def name(self) -> str:
        """Of its files."""
        return "-".join([self.dataset, label(dataclasses.asdict(self)), *self.key[-3:]]).replace(" ", "_")


KEYS = [field.name for field in dataclasses.fields(Run)]
Rows = Sequence[dict[str, str]]


class Study(NamedTuple):
    """What is particular to a study.

    Attributes:
        name: of its script, its file, its page and its pictures.
        experiments: their models; each has a table. A model that several have is trained once.
        draw: pictures of the runs that ended, into a directory; it is told where those of each run's samples are.
        further: columns that it has beside those of all studies.
        judge: those columns of a model, by its run, held-out images and the judge.
        dataset: on which it is made, unless the command says otherwise.
        sections: heading -> text of its page, by the rows that ended.
    """

    name: str
    experiments: dict[str, Sequence[Plan]]
    draw: Callable[[Rows, Path, Path], None]
    further: Sequence[str] = ()
    judge: Callable[[keras.Model, Run, np.ndarray, Judge], dict[str, float]] = lambda *_: {}
    dataset: str = "mnist"
    sections: Callable[[Rows], dict[str, str]] = lambda _: {}

    @property
    def columns(self) -> list[str]:
        """Of its CSV file."""
        return [*KEYS, "outcome", *COSTS, *SCORES, *self.further, "processor", "judge", "commit", "command"]


def label(row: dict[str, Any]) -> str:
    """A run in words: system, settings, and a prior that was fitted in the place of its own."""
    settings = [f"{key}={_word(value)}" for key, value in json.loads(row["settings"]).items()]
    return " ".join([row["system"], *settings, *([f"+ {row['prior']}"] if row["prior"] else [])])


def _word(value):
    """A value, or what Keras serialised, in a few words: CyclicShift(max_shift=3)."""
    if not isinstance(value, dict):
        return value
    plain = {key: item for key, item in value["config"].items() if key not in ("name", "dtype", "trainable")}
    return f"{value['class_name'].rpartition('>')[2]}({', '.join(f'{key}={item}' for key, item in plain.items())})"


def build(run: Run) -> keras.Model:
    """A new compiled model; among its settings may be a `learning_rate`, of all moves."""
    keras.utils.set_random_seed(run.seed)
    shape, settings = ki.datasets.info(run.dataset).data_shape, json.loads(run.settings)
    rate = settings.pop("learning_rate", None)
    model = ki.create(run.system, shape, run.codes, seed=run.seed, **settings)
    model.compile()
    for optimizer in model.optimizer.by_move.values() if rate else ():
        optimizer.learning_rate = rate
    return model


def outcome(study: Study, run: Run, judge: Judge, models: Path, samples: Path) -> dict[str, Any]:
    """Trains a model, or loads it to fit another prior; the run's row, and its files in two directories."""
    found, (trained_on, held_out) = {"outcome": "ended"}, SPLITS[run.dataset]
    if run.prior:
        model = ki.load_model(file(run, models, ".keras", prior=""))
    else:
        model, data = build(run), ki.datasets.load(run.dataset, trained_on, BATCH, seed=run.seed)
        found["outcome"], budget = train(model, data, float(run.budget.split()[0]))
        found |= {name: getattr(budget, name) for name in ("steps", "cpu_minutes", "wall_minutes")}
    if found["outcome"] == "ended":
        try:
            if run.prior or (model.has_encoder and model.sampling_prior.can_fit):
                images = ki.datasets.load(run.dataset, trained_on, 500, shuffle=False, drop_remainder=False)
                found |= fit_prior(model, images, run.prior or model.sampling_prior, run.seed)
            x = stored(run.dataset, held_out)
            found |= scores(model, x, judge) | study.judge(model, run, x, judge)
            if run.prior:
                found.pop("elbo_nats", None)  # it is the model's own prior's
            keep(model, run, x, models, samples)
        except ValueError as error:  # codes or images that are not finite, a prior that does not suit the model
            found["outcome"] = reason(error)
    return found | sizes(model)


def file(run: Run, models: Path, suffix: str, **other: str) -> Path:
    """A run's file, ".keras" or ".png", or that of a run which differs from it."""
    return models / f"{dataclasses.replace(run, **other).name}{suffix}"


def picture(row: dict[str, str], samples: Path) -> Path:
    """Of the samples of the run with this row."""
    return file(Run(**{key: row[key] for key in KEYS}), samples, ".png")


def keep(model: keras.Model, run: Run, x: np.ndarray, models: Path, samples: Path) -> None:
    """The model, where it was trained here, and a picture of samples; and of the held-out images one for all runs."""
    if not run.prior:
        with replacing(file(run, models, ".keras")) as temporary:
            model.save(temporary)
    _draw(file(run, samples, ".png"), model.sample(SIDE * SIDE, seed=0))
    if not (data := samples / f"{run.dataset}.png").exists():
        _draw(data, x[: SIDE * SIDE])


def _draw(path, images):
    save_grid(path, np.round(images * (LEVELS - 1)) / (LEVELS - 1), SIDE, scale=1)


def samples_beside(results: Path, study: Study) -> Path:
    """Where pictures of each run's samples are kept, beside its row: models may go, and the page can be drawn again."""
    return pictures_beside(results) / study.name


def play(study: Study, runs: Iterable[Run], results: Path, judge: Judge, models: Path) -> None:
    """Trains, judges and appends what is not finished."""
    runs, about, samples = list(runs), origin(f"{study.name}.py"), samples_beside(results, study)
    about |= {"processor": processor(), "judge": judge.classifier.checksum[:8]}
    todo = unfinished(results, runs)
    missing = [run.name for run in todo if run.prior and not file(run, models, ".keras", prior="").exists()]
    if missing:
        raise SystemExit(f"--fit-priors needs trained models: run without it first. {models} lacks {missing}")
    check_columns(results, study.columns)
    _check_judge(results, runs, about["judge"])
    for number, run in enumerate(todo, 1):
        with alone(file(run, models, ".lock")) as mine:
            if mine and unfinished(results, [run]):  # no other process makes it, or has made it since
                print(f"{number} of {len(todo)}: {' '.join(filter(None, run.key))}", flush=True)
                found = outcome(study, run, judge, models, samples)
                append(results, {**dataclasses.asdict(run), **found, **about}, study.columns)


def _check_judge(results, runs, judge):
    """SystemExit where rows of the same data stand in the file by another judge: their distances do not compare."""
    datasets = {run.dataset for run in runs}
    others = {row["judge"] for row in read(results) if row["dataset"] in datasets} - {"", judge}
    if others:
        raise SystemExit(f"{results} has rows of another judge, {', '.join(others)}, not {judge}: give another --out")


def write_page(study: Study, rows: Rows, page: Path) -> None:
    """The tables of the page, nearest samples first within each experiment, and the study's pictures."""
    ended = [row | {"outcome": ""} for row in rows if row["outcome"] == "ended"]
    ended.sort(key=lambda row: float(row["samples"]))
    listed = [*ended, *(row for row in rows if row["outcome"] != "ended")]
    shown = ["system", "settings", "prior", "codes", "seed", "outcome", *SCORES, *study.further, *COSTS]
    write_tables(page, TABLES, printed(print_experiments, titled(study, listed), shown))
    for heading, text in study.sections(ended).items():
        write_tables(page, heading, text)
    if ended:
        study.draw(ended, pictures_beside(page), samples_beside(page, study))


def titled(study: Study, rows: Rows) -> list[dict[str, str]]:
    """The rows of each experiment on each data set, in turn; then those of no experiment, and those of other priors.

    Where rows are of several processors, whose minutes differ, those of each have tables of their own. The study's own
    data set is first, and of processors that with the most runs.
    """
    plans = {name: {_key(plan) for plan in planned} for name, planned in study.experiments.items()}
    known = set().union(*plans.values())
    plans["Others"] = {key for key in map(_key_of_row, rows) if key not in known}
    several, found = len({row["processor"] for row in rows}) > 1, []
    places = Counter((row["dataset"], row["processor"]) for row in rows)
    for dataset, of in sorted(places, key=lambda place: (place[0] != study.dataset, -places[place])):
        here = [row for row in rows if (row["dataset"], row["processor"]) == (dataset, of)]
        place = f"{dataset}, {of}" if several else dataset
        for name, planned in plans.items():
            found += [
                _under(f"{name}, {place}", row) for row in here if not row["prior"] and _key_of_row(row) in planned
            ]
        found += [_under(f"{OTHER_PRIORS}, {place}", row) for row in here if row["prior"]]
    return found


def _key(plan):
    return plan.system, json.dumps(plan.settings), str(plan.codes)


def _key_of_row(row):
    return row["system"], row["settings"], row["codes"]


def _under(title, row):
    settings = json.loads(row["settings"]).items()
    words = [f'"{key}": {_word(value) if isinstance(value, dict) else json.dumps(value)}' for key, value in settings]
    return row | {"experiment": title, "settings": ", ".join(words)}
