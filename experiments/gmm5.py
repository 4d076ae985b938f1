"""sVAE-r against ALICE on five Gaussians in the plane: who reconstructs and who generates, as lambda grows.

    python experiments/gmm5.py               # what is not finished of 240 runs
    python experiments/gmm5.py --full        # 576 settings for each lambda and system
    python experiments/gmm5.py --systems svae_r & python experiments/gmm5.py --systems alice     # a core each
    python experiments/gmm5.py --page        # table and figure of finished runs; with --full of those
    python experiments/gmm5.py --smoke       # three steps of one setting: does all work?

A run is a system, a lambda (the weight of the squared errors of reconstructed data and codes), a setting and a seed.
It appends its row to gmm5.csv in --out (runs/experiments) when it ends: an experiment that was interrupted continues
where it stopped. Protocol and results are in docs/gmm5.md; `--out docs` has the committed runs.
"""

import argparse
import dataclasses
import itertools
import math
import os
import random
import time
from pathlib import Path

import keras
import numpy as np
from experiment import Keyed, add_out, append, origin, pictures_beside, printed, read, unfinished, write_tables
from gmm5_figure import draw, print_cells
from rich.console import Console
from rich.progress import track
from scipy.special import softmax

import keras_ijae as ki
from keras_ijae.datasets.from_gmm5 import MEANS, STDDEV

SYSTEMS = ("svae_r", "alice")
CYCLE_WEIGHTS = (0.0, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
ARCHITECTURES = ((1, 64, 4), (1, 256, 2), (2, 64, 2), (2, 128, 4))  # hidden layers, their width, noise dimensions
SAMPLES, ENOUGH = 10_000, 0.01  # samples of a run; the share of them within three deviations that covers a mode
SCORES = ("mse", "score", "modes", "near")
FULL = "gmm5_full"
HEADINGS = {"gmm5": "## All runs, medians and quartiles", FULL: "## Runs of the full grid, medians and quartiles"}


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    system: str
    cycle_weight: float
    hidden: int
    width: int
    noise_dim: int
    batch_size: int
    player_steps: int
    rate: float
    seed: int
    steps: int

    @property
    def trace(self) -> tuple:
        """What a model is traced for; the rest are run-time numbers."""
        return self.hidden, self.width, self.noise_dim, self.batch_size, self.player_steps, self.steps, self.system


KEYS = [field.name for field in dataclasses.fields(Run)]
COLUMNS = [*KEYS, "outcome", *SCORES, "cpu_minutes", "commit", "command"]


def settings(full: bool, seeds: int, drawn: int | None = None) -> list[tuple]:
    """(hidden, width, noise_dim, batch_size, player_steps, rate, seed); of the full grid all, or so many at random."""
    if not full:
        return [(*shape, 128, 1, 1e-3, seed) for shape in ARCHITECTURES for seed in range(seeds)]
    grid = itertools.product((1, 2), (64, 128, 256), (2, 4), (64, 128), (1, 5), (1e-3, 5e-4, 2e-4), range(4))
    return [*grid] if drawn is None else random.Random(0).sample([*grid], drawn)


def network(name: str, inputs: dict[str, int], units: int, run: Run) -> keras.Model:
    """Inputs side by side, through leaky hidden layers, to `units` numbers."""
    tensors = [keras.Input((size,), name=key) for key, size in inputs.items()]
    h = keras.layers.Concatenate()(tensors)
    for _ in range(run.hidden):
        h = keras.layers.LeakyReLU(negative_slope=0.2)(keras.layers.Dense(run.width)(h))
    return keras.Model(tensors, keras.layers.Dense(units)(h), name=name)


def build(run: Run) -> keras.Model:
    """A new compiled model, its weights drawn from the run's seed."""
    keras.utils.set_random_seed(run.seed)
    noise = {"noise": run.noise_dim}
    model = ki.create(
        run.system,
        (2,),
        2,
        encoder=network("encoder", {"x": 2, **noise}, 2, run),
        decoder=network("decoder", {"z": 2, **noise}, 2, run),
        joint_discriminator=network("joint_discriminator", {"x": 2, "z": 2}, 1, run),
        posterior="implicit",
        likelihood="implicit",
        cycle="squared",
        player_steps=run.player_steps,
        ema=0.99,
    )
    model.compile(keras.optimizers.Adam(run.rate, beta_1=0.5), steps_per_execution=math.gcd(run.steps, 50))
    model.cycle_weight.assign(run.cycle_weight)
    model.steps.assign(1_000_000 * run.seed)  # noise is a function of the step: each seed has its own
    return model


def restart(model: keras.Model, fresh: keras.Model) -> None:
    """Gives a model the state of one that was just built: weights, averages, scalars, step, optimizers, logs."""
    optimizers = zip(model.optimizer.optimizers, fresh.optimizer.optimizers, strict=True)
    for old, new in [(model, fresh), *optimizers]:
        for variable, value in zip(old.variables, new.variables, strict=True):
            variable.assign(value)


def train(model: keras.Model, run: Run) -> None:
    """The run's steps, each on a batch of the shuffled training data."""
    data = ki.datasets.load("gmm5", "train", run.batch_size, seed=run.seed)
    model.fit(data.repeat(), steps_per_epoch=run.steps, verbose=0)


def judge(model: keras.Model, seed: int) -> dict[str, float]:
    """The scores of a trained model; its encoder and decoder draw their noise."""
    x = np.concatenate(list(ki.datasets.load("gmm5", "test", 512).as_numpy_iterator()))
    error = float(((model.reconstruct(x, seed=seed) - x) ** 2).mean())
    return {"mse": error, **judge_samples(model.sample(SAMPLES, seed))}


def judge_samples(x: np.ndarray) -> dict[str, float]:
    """Inception score by the exact p(component | x), modes covered, share within three deviations of a mode."""
    squared = ((x[:, None] - MEANS) ** 2).sum(-1)
    near = squared.min(1) < (3 * STDDEV) ** 2
    counts = np.bincount(squared.argmin(1)[near], minlength=len(MEANS))
    probabilities = softmax(-squared / (2 * STDDEV**2), axis=1)
    return {
        "score": ki.metrics.inception_score(probabilities, splits=1).mean,
        "modes": int((counts >= ENOUGH * len(x)).sum()),
        "near": float(near.mean()),
    }


def play(runs: list[Run], results: Path, about: dict[str, str]) -> None:
    """All runs in turn; one model serves those of a trace."""
    model, traced = None, None
    for run in track(runs, "runs", console=Console(stderr=True)):
        start, fresh = time.process_time(), build(run)
        if run.trace == traced:
            restart(model, fresh)
        else:
            model, traced = fresh, run.trace
        try:
            train(model, run)
            scores = {"outcome": "ended", **judge(model, run.seed)}
        except ki.models.TrainingError as error:
            scores = {"outcome": str(error).partition(". ")[0]}
        scores["cpu_minutes"] = (time.process_time() - start) / 60
        append(results, {**dataclasses.asdict(run), **scores, **about}, COLUMNS)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--cycle-weights", nargs="+", type=float, default=CYCLE_WEIGHTS, metavar="LAMBDA")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each architecture, system and lambda: 5")
    parser.add_argument("--steps", type=int, default=5000, help="of a run: 5000")
    parser.add_argument("--full", action="store_true", help="576 settings, as many as the paper, four seeds among them")
    parser.add_argument("--drawn", type=int, metavar="N", help="so many of them, drawn once for all; with --full")
    add_out(parser)
    parser.add_argument("--smoke", action="store_true", help="three steps of one setting, in a file of their own")
    parser.add_argument("--page", action="store_true", help="only write table and figure of finished runs")
    given = parser.parse_args(arguments)
    name = FULL if given.full else "gmm5"
    results = given.out / f"{name}{'_smoke' if given.smoke else ''}.csv"
    if given.page:
        return write_page(results, name)
    chosen, steps = settings(given.full, given.seeds, given.drawn), given.steps
    chosen, steps = (chosen[:1], 3) if given.smoke else (chosen, steps)
    chosen = itertools.product(chosen, given.cycle_weights, given.systems)
    runs = [Run(system, weight, *setting, steps) for setting, weight, system in chosen]
    play(unfinished(results, sorted(runs, key=lambda run: run.trace)), results, origin("gmm5.py"))


def write_page(results: Path, name: str) -> None:
    """The table of gmm5.md beside the rows, under the heading of their grid, and the figure."""
    if not (rows := read(results)):
        raise SystemExit(f"There are no finished runs in {results}")
    page = results.with_stem(results.stem.replace(FULL, "gmm5")).with_suffix(".md")
    write_tables(page, HEADINGS[name], "\n" + printed(print_cells, rows))
    draw(rows, pictures_beside(results) / f"{name}.png")


if __name__ == "__main__":
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # such small matrices are slower on several
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    main()
