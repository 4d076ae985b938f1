"""What the scripts of colour images share: cifar10.py, tiny_imagenet.py and celeb_a.py.

A run of a published size trains by `ki.training.train` into a directory of its own, with backups: the same command goes
on where it was killed. A small one trains until its CPU time is used. Both are judged alike (`colour_judge.py`) and
append a row to NAME.csv, from which `colour_page.py` writes tables and pictures of NAME.md.
"""

import argparse
import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from colour_judge import SCORES, Judge, extractor_of, scores
from colour_page import COUNT, write_page
from colour_runs import KEYS, STEPS, Run, Setup, planned, recipe_of
from colour_training import COSTS, precision, train_by_minutes, train_by_steps
from experiment import HOME, add_out, append, origin, read, reason, unfinished
from study_command import among
from study_judge import sizes

import keras_ijae as ki
from keras_ijae.training import Recipe
from keras_ijae.training.data import some_rows

SAMPLES, SMOKE_SAMPLES = 50_000, 200
POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
COLUMNS = [*KEYS, "outcome", *COSTS, "parameters", "judge_parameters", *SCORES, "date", "commit", "command"]


def outcome(run: Run, recipe: Recipe, models: Path, judge: Judge) -> dict[str, Any]:
    """Trains a model and judges it: the run's row; and leaves samples for the page."""
    amount, unit = run.budget.split()
    path = models / run.name
    try:
        with precision(run.precision):
            by_minutes = unit == "minutes"
            found = train_by_minutes(recipe, path, float(amount)) if by_minutes else train_by_steps(recipe, path)
    except ki.models.TrainingError as error:
        return {"outcome": reason(error)}
    if found["outcome"] == "ended":
        model = ki.load_model(path / "model.keras")
        found |= {"steps": int(keras.ops.convert_to_numpy(model.steps)), **sizes(model)}
        try:
            found |= scores(model, recipe, judge)
            keep(path / "samples.npy", model.sample(COUNT, seed=0))
            keep(models / f"{run.dataset}.npy", some_rows(recipe, None, COUNT))
        except ValueError as error:  # samples or reconstructions that are not finite
            found["outcome"] = reason(error)
    return found


def keep(path: Path, images: np.ndarray) -> None:
    """Images for the page, in 8 bits."""
    np.save(path, np.round(255 * images).astype(np.uint8))


def judge_of(given: argparse.Namespace) -> Judge:
    """What all runs of a command are judged by."""
    samples = SMOKE_SAMPLES if given.smoke else None if given.small else SAMPLES
    lpips = ki.metrics.LPIPS(*given.lpips) if given.lpips else None
    return Judge(extractor_of(given.features), lpips, samples, given.models / "features")


def play(setup: Setup, results: Path, given: argparse.Namespace) -> None:
    """Trains, judges and appends what is not finished."""
    todo = unfinished(results, planned(setup, given))
    if not todo:
        return
    about, judge = origin(f"{setup.name}.py"), judge_of(given)
    for number, run in enumerate(todo, 1):
        print(f"{number} of {len(todo)}: {' '.join(run.key)}", flush=True)
        found = outcome(run, recipe_of(run, setup, given), given.models, judge)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        append(results, {**dataclasses.asdict(run), **found, "date": now, **about}, COLUMNS)


def options(setup: Setup, about: str) -> argparse.ArgumentParser:
    """Those of the experiment's script."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: among(ki.list_models(), text)  # noqa: E731
    systems = f"by default {','.join(setup.systems)}"
    parser.add_argument("--systems", type=listed, metavar="A,B", help=systems)
    parser.add_argument("--settings", type=json.loads, nargs="+", default=[{}], metavar="JSON", help="of each system")
    parser.add_argument("--data", metavar="NAME", help=f"in the place of {setup.dataset}: npz:FILE, folder:DIR, ...")
    parser.add_argument("--steps", type=int, help=f"at least, in whole passes (default: {STEPS})")
    parser.add_argument("--batch-size", type=int, default=64, help="of all devices together (default: %(default)s)")
    parser.add_argument("--precision", choices=POLICIES, default="float32", help="of networks (default: %(default)s)")
    parser.add_argument("--strategy", choices=("none", "mirrored"), default="none", help="mirrored: on all GPUs")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    features = "inception, a file of its weights, or a classifier's .keras (default: %(default)s)"
    parser.add_argument("--features", default="inception", metavar="NAME", help=features)
    lpips = "that distance, too: alex, vgg or squeeze, then files of heads and weights that are not to be downloaded"
    parser.add_argument("--lpips", nargs="+", metavar=("NETWORK", "FILE"), help=lpips)
    parser.add_argument("--models", type=Path, default=HOME / setup.name, help="where the run directories are")
    parser.add_argument("--smoke", action="store_true", help="one pass of tiny networks: does all work?")
    parser.add_argument("--page", action="store_true", help="only write tables and pictures of finished runs")
    parser.set_defaults(small=None)
    if setup.small:
        small = f"the small table: {','.join(setup.small)} on these images"
        parser.add_argument("--small", type=Path, metavar="FILE.npz", help=small)
        parser.add_argument("--minutes", type=float, default=10.0, help="CPU time of its trainings")
    add_out(parser)
    return parser


def main(setup: Setup, about: str, command: list[str] | None = None) -> None:
    """The experiment's script."""
    given = options(setup, about).parse_args(command)
    results = given.out / f"{setup.name}{'_smoke' if given.smoke else ''}.csv"
    if given.page:
        write_page(read(results), results.with_suffix(".md"), given.models)
    else:
        play(setup, results, given)
