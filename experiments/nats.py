"""Log-likelihoods of binarised MNIST: VAEs and sVAEs by annealed importance sampling, with bounds from both sides.

    python experiments/nats.py --data binarized_mnist.npz           # the static set: "static" downloads it
    python experiments/nats.py --data binarized_mnist.npz --systems vae,nf_vae
    python experiments/nats.py --smoke                              # three steps of each on digits: does all work?
    python experiments/nats.py --page                               # the table of nats.md

A run appends its row to nats.csv in --out (runs/experiments) when it ends, and keeps its model in --models; the same
command again does what is not finished. Protocol and results are in docs/nats.md; `--out docs` names the committed
runs.
"""

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from experiment import (
    HOME,
    Keyed,
    add_out,
    append,
    origin,
    print_table,
    printed,
    read,
    stored,
    train,
    unfinished,
    write_tables,
)

import keras_ijae as ki
from keras_ijae.files import replacing

SYSTEMS, LIKELIHOOD, BATCH = ("vae", "nf_vae", "svae", "svae_r"), "bernoulli", 64
SPLITS, TABLES = ("train", "validation"), "## All runs"
SMOKE, FEW = "digits", ("train[:300]", "test")
SCORES = ["elbo", "iw_bound", "ais", "ais_error", "acceptance", "bdmc_lower", "bdmc_upper", "squared_error"]


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file; `annealing` is the number of steps of AIS."""

    system: str
    seed: int
    budget: str
    annealing: int
    rows: int


KEYS = [field.name for field in dataclasses.fields(Run)]
SHOWN = [*KEYS, "outcome", *SCORES, "steps", "cpu_minutes", "ais_minutes"]
COLUMNS = [*SHOWN, "commit", "command"]


def build(run: Run, shape: tuple[int, ...]) -> keras.Model:
    """A new compiled model, codes of 16; of adversarial systems AIS takes the decoder's outputs as probabilities."""
    keras.utils.set_random_seed(run.seed)
    own = {"likelihood": LIKELIHOOD} if run.system in ("vae", "nf_vae") else {"likelihood": "deterministic"}
    model = ki.create(run.system, shape, 16, seed=run.seed, **own)
    model.compile()
    return model


def outcome(run: Run, data: str, splits: tuple[str, str], models: Path) -> dict[str, Any]:
    """Trains and scores a model; the run's row."""
    model = build(run, ki.datasets.info(data).data_shape)
    held_out = np.round(stored(data, splits[1]))  # what cannot be read should fail before minutes of training
    images = ki.datasets.load(data, splits[0], BATCH, seed=run.seed)
    found: dict[str, Any] = {}
    found["outcome"], budget = train(model, images.map(tf.round), float(run.budget.split()[0]))
    found |= {"steps": budget.steps, "cpu_minutes": budget.cpu_minutes}
    if found["outcome"] == "ended":
        with replacing(models / f"{run.system}-{run.seed}.keras") as temporary:
            model.save(temporary)
        found |= scores(model, held_out, run)
    return found


def scores(model: keras.Model, x: np.ndarray, run: Run) -> dict[str, float]:
    """Nats of the first rows of held-out images, by AIS, and of as many of the model's own by both ends of BDMC."""
    few, begun = x[: run.rows], time.process_time()
    ais = ki.evaluation.ais_log_likelihood(model, few, run.annealing, likelihood=LIKELIHOOD, seed=run.seed)
    both = ki.evaluation.bdmc(model, min(run.rows, 32), run.annealing, likelihood=LIKELIHOOD, seed=run.seed)
    found = {"ais": ais.mean, "ais_error": float(ais.log_likelihood.std() / len(few) ** 0.5)}
    found |= {"acceptance": float(ais.acceptance.mean()), "bdmc_lower": float(both.lower.mean())}
    found |= {"bdmc_upper": float(both.upper.mean()), "ais_minutes": (time.process_time() - begun) / 60}
    found["squared_error"] = float(model.reconstruction_error(x).mean())
    if model.has_bounds:
        bounds = model.elbo(few, seed=run.seed), model.importance_weighted_bound(few, seed=run.seed)
        found |= dict(zip(("elbo", "iw_bound"), (float(np.mean(bound)) for bound in bounds), strict=True))
    return found


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="static", help="the file, or 'static' (default: %(default)s)")
    parser.add_argument("--systems", type=lambda text: text.split(","), default=SYSTEMS, metavar="A,B")
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of a training (default: %(default)s)")
    parser.add_argument("--annealing", type=int, default=1000, help="steps of AIS (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=64, help="images that AIS scores (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    parser.add_argument("--models", type=Path, default=HOME / "nats", help="where models are kept (%(default)s)")
    parser.add_argument("--smoke", action="store_true", help="three steps of each, on digits, and few of AIS")
    parser.add_argument("--page", action="store_true", help="only write the table of finished runs")
    add_out(parser)
    given = parser.parse_args(command)
    results = given.out / ("nats_smoke.csv" if given.smoke else "nats.csv")
    if given.page:
        rows = [[row[column] or "–" for column in SHOWN] for row in read(results)]
        return write_tables(results.with_suffix(".md"), TABLES, "\n" + printed(print_table, SHOWN, rows))
    if unknown := set(given.systems) - set(SYSTEMS):
        parser.error(f"--systems must be of {', '.join(SYSTEMS)}. Received: {', '.join(sorted(unknown))}")
    given.models.mkdir(parents=True, exist_ok=True)
    data, splits = (SMOKE, FEW) if given.smoke else (f"binarized_mnist:{given.data}", SPLITS)
    sizes = (0.0, 5, 8) if given.smoke else (given.minutes, given.annealing, given.rows)
    runs = [Run(system, given.seed, f"{sizes[0]:g} minutes", *sizes[1:]) for system in given.systems]
    for run in unfinished(results, runs):
        print(" ".join(run.key), flush=True)
        append(results, dataclasses.asdict(run) | outcome(run, data, splits, given.models) | origin("nats.py"), COLUMNS)


if __name__ == "__main__":
    main()
