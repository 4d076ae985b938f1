"""Where codes lie: five clusters on a curved surface, and the codes that four auto-encoders give them.

    python experiments/flex_ae_synthetic.py           # those of four trainings that are not finished, then the figure
    python experiments/flex_ae_synthetic.py --table
    python experiments/flex_ae_synthetic.py --table --out docs      # of the committed runs

The clusters of `gmm5` are bent into 128 dimensions by the map of `manifold:2`. The figure has t-SNE of the data, and of
the codes of each system together with samples of its prior. Runs are kept in flex_ae_synthetic.csv in --out
(runs/experiments). Results are in docs/flex_ae.md.
"""

import argparse
import dataclasses
import math
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from experiment import HOME, Keyed, add_out, append, origin, print_table, read, unfinished
from flex_ae_figures import TITLES, draw_clusters
from flex_ae_mnist import FAST

import keras_ijae as ki
from keras_ijae.datasets.from_manifold import embed
from keras_ijae.files import replacing
from keras_ijae.layers import LatentMask

RESULTS = "flex_ae_synthetic.csv"
LATENT, BATCH, WIDTH = 8, 64, 64
SYSTEMS = ("ae", "wae_gan", "mask_aae", "flex_ae")
SCORES = ("density", "coverage")


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    system: str
    seed: int
    steps: int


KEYS = [field.name for field in dataclasses.fields(Run)]
COLUMNS = [*KEYS, "outcome", "cpu_minutes", *SCORES, "commit", "command"]


def clusters(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 128) of a split, and their clusters (n,)."""
    data = ki.datasets.load("gmm5", split, 512, labels=True, shuffle=False, drop_remainder=False)
    points, labels = (np.concatenate(parts) for parts in zip(*data.as_numpy_iterator(), strict=True))
    return embed(points).astype(np.float32), labels


def train(run: Run) -> tuple[keras.Model, float]:
    """A trained model, and the CPU minutes that it took."""
    keras.utils.set_random_seed(run.seed)
    about = {"networks": "mlp", "width": WIDTH, "seed": run.seed}
    if run.system == "mask_aae":
        about |= {"mask": LatentMask(LATENT, high=3.0, seed=run.seed), "period": max(1, run.steps // 20)}
        about |= {"variance_weight": 5.0, "mask_reconstruction_weight": 1e5}
    if run.system == "flex_ae":
        about |= {"critic_steps": 5}
    model = ki.create(run.system, (128,), LATENT, **about)
    model.compile(steps_per_execution=math.gcd(25, run.steps))
    for move, rate in FAST.items() if run.system == "flex_ae" else ():
        model.optimizer.by_move[move].learning_rate = rate
    x = tf.data.Dataset.from_tensor_slices(clusters("train")[0])
    start = time.process_time()
    model.fit(x.shuffle(2048, run.seed).repeat().batch(BATCH), steps_per_epoch=run.steps, verbose=2)
    return model, (time.process_time() - start) / 60


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="only print the finished runs")
    parser.add_argument("--steps", type=int, default=5000, help="of each training")
    parser.add_argument("--seed", type=int, default=0, help="of weights, data and noise")
    add_out(parser)
    parser.add_argument("--models", type=Path, default=HOME / "flex_ae_synthetic", help="where models are kept")
    given = parser.parse_args(command)
    runs = [Run(system, given.seed, given.steps) for system in SYSTEMS]
    if not given.table:
        play(runs, given)
        x, labels = clusters("test")
        if missing := [str(path(run, given)) for run in runs if not path(run, given).exists()]:
            raise SystemExit(f"No figure without {', '.join(missing)}: models stay where they were trained")
        models = {run.system: ki.load_model(path(run, given)) for run in runs}
        draw_clusters(models, x, labels, given.seed, given.out / "pictures" / "flex_ae-synthetic.png")
    shown = (*KEYS, "outcome", "cpu_minutes", *SCORES)
    rows = [[TITLES.get(row[name], row[name]) for name in shown] for row in read(given.out / RESULTS)]
    print_table(shown, rows)


def path(run: Run, given: argparse.Namespace) -> Path:
    """Where its model is kept."""
    return given.models / f"{'-'.join(run.key)}.keras"


def play(runs: list[Run], given: argparse.Namespace) -> None:
    """Trains, judges and appends what is not finished."""
    about = origin("flex_ae_synthetic.py")
    for run in unfinished(given.out / RESULTS, runs):
        print(" ".join(run.key), flush=True)
        append(given.out / RESULTS, {**dataclasses.asdict(run), **outcome(run, given), **about}, COLUMNS)


def outcome(run: Run, given: argparse.Namespace) -> dict:
    """What the row of a run has beside its keys."""
    try:
        model, minutes = train(run)
    except ki.models.TrainingError as error:
        return {"outcome": str(error).partition(". ")[0]}
    with replacing(path(run, given)) as temporary:
        model.save(temporary)
    x, _ = clusters("test")
    scores = dataclasses.asdict(ki.metrics.density_coverage(x, model.sample(len(x), seed=run.seed)))
    return {"outcome": "ended", "cpu_minutes": minutes, **{name: scores[name] for name in SCORES}}


if __name__ == "__main__":
    main()
