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
    processor,
    read,
    stored,
    text,
    train,
    unfinished,
    write_tables,
)

import keras_ijae as ki
from keras_ijae.distributions import likelihoods
from keras_ijae.files import replacing

BATCH = 64
SPLITS, TABLES = ("train", "validation"), "## All runs"
SMOKE, FEW = "digits", ("train[:300]", "test")
SCORES = ["elbo", "iw_bound", "ais", "ais_error", "acceptance", "bdmc_lower", "bdmc_upper", "flips", "squared_error"]
FLIPS = (1e-6, 0.003, 0.01, 0.03, 0.1)
"""Of pixels of adversarial decoders: candidates."""
FITTED_ON = 8
"""Training images."""


@keras.saving.register_keras_serializable("keras_ijae_experiments")
class Probabilities(likelihoods.Bernoulli):
    """A Bernoulli likelihood whose observation is the probabilities: what f sees of the decoder, with gradients.

    With `binary` it is drawn, as all others are: by this one the model is scored.
    """

    discrete = False

    def __init__(self, binary: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.binary = binary

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        return super().draw(params, uniform) if self.binary else self.mean(params)


FLAT, SHARP = {"likelihood": "bernoulli"}, {"likelihood": "deterministic"}
EXPLICIT = {"posterior": "diagonal", "likelihood": Probabilities, "cycle": "likelihood"}
SYSTEMS = {
    "vae": ("vae", FLAT),
    "nf_vae": ("nf_vae", FLAT),
    "svae": ("svae", SHARP),
    "svae_r": ("svae_r", SHARP),
    "svae_r_likelihood": ("svae_r", EXPLICIT),
}
"""Name of a run -> its system and settings; a class among them is made anew for each model."""


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file; `annealing` is the number of steps of AIS."""

    system: str
    seed: int
    budget: str
    annealing: int
    rows: int

    @property
    def short(self) -> int:
        """Steps of AIS that choose a likelihood."""
        return max(1, self.annealing // 5)


KEYS = [field.name for field in dataclasses.fields(Run)]
SHOWN = [*KEYS, "outcome", *SCORES, "steps", "cpu_minutes", "ais_minutes", "processor"]
COLUMNS = [*SHOWN, "commit", "command", "ais_images"]


class Flipped(likelihoods.Bernoulli):
    """A pixel is 1 with the chance that the decoder gives, and is then flipped with a probability.

    Decoders that no likelihood has trained are as sure of wrong pixels as of right ones: each costs log(1 / chance).
    """

    def __init__(self, chance: float, **options: Any) -> None:
        super().__init__(**options)
        self.chance = chance

    def params_of_mean(self, mean: tf.Tensor) -> tf.Tensor:
        return super().params_of_mean(self.chance + (1 - 2 * self.chance) * tf.cast(mean, tf.float32))


def likelihood_of(model: keras.Model, x: np.ndarray, run: Run) -> likelihoods.Bernoulli:
    """The model's own, or for adversarial systems flips with the chance of `FLIPS` that suits training images best."""
    if SYSTEMS[run.system][1] is EXPLICIT:
        return Probabilities(binary=True)
    if SYSTEMS[run.system][1] is FLAT:
        return likelihoods.Bernoulli()
    nats = {}
    for chance in FLIPS:
        found = ki.evaluation.ais_log_likelihood(model, x, run.short, likelihood=Flipped(chance), seed=run.seed)
        nats[chance] = found.mean
        print(f"flips with {chance:g}: {found.mean:.1f} nats of {len(x)} training images", flush=True)
    return Flipped(max(nats, key=nats.get))


def build(run: Run, shape: tuple[int, ...]) -> keras.Model:
    """A new compiled model, codes of 16."""
    keras.utils.set_random_seed(run.seed)
    system, settings = SYSTEMS[run.system]
    settings = {name: value() if isinstance(value, type) else value for name, value in settings.items()}
    model = ki.create(system, shape, 16, seed=run.seed, **settings)
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
        fitted_on = np.round(stored(data, f"{splits[0].partition('[')[0]}[:{FITTED_ON}]"))
        found |= scores(model, held_out, likelihood_of(model, fitted_on, run), run)
    return found


def scores(model: keras.Model, x: np.ndarray, likelihood: likelihoods.Bernoulli, run: Run) -> dict[str, Any]:
    """Nats of the first rows of held-out images, by AIS, and of half as many of the model's own by BDMC."""
    few, begun, how = x[: run.rows], time.process_time(), {"likelihood": likelihood, "seed": run.seed}
    ais = ki.evaluation.ais_log_likelihood(model, few, run.annealing, **how)
    both = ki.evaluation.bdmc(model, max(1, run.rows // 2), run.annealing, **how)
    found = {"ais": ais.mean, "ais_error": float(ais.log_likelihood.std() / len(few) ** 0.5)}
    found |= {
        "flips": getattr(likelihood, "chance", ""),
        "ais_images": " ".join(map(text, ais.log_likelihood.tolist())),
    }
    found |= {"acceptance": float(ais.acceptance.mean()), "bdmc_lower": float(both.lower.mean())}
    found |= {"bdmc_upper": float(both.upper.mean()), "ais_minutes": (time.process_time() - begun) / 60}
    found["squared_error"] = float(model.reconstruction_error(x).mean())
    if model.has_bounds:
        bounds = model.elbo(few, seed=run.seed), model.importance_weighted_bound(few, seed=run.seed)
        found |= dict(zip(("elbo", "iw_bound"), (float(np.mean(bound)) for bound in bounds), strict=True))
    return found


def table(rows: list[dict[str, str]]) -> str:
    """The rows, and on the same images how many nats each is above the first, with the standard error of that."""
    images = [np.array(row["ais_images"].split(), float) for row in rows]
    shown = []
    for row, found in zip(rows, images, strict=True):
        same = found.size and found.shape == images[0].shape
        above = (
            f"{np.mean(found - images[0]):.1f} ± {np.std(found - images[0]) / len(found) ** 0.5:.1f}" if same else "–"
        )
        shown.append([*(row[column] or "–" for column in SHOWN), above])
    return printed(print_table, [*SHOWN, f"above {rows[0]['system']}"], shown)


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="static", help="the file, or 'static' (default: %(default)s)")
    parser.add_argument("--systems", type=lambda text: text.split(","), default=[*SYSTEMS], metavar="A,B")
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of a training (default: %(default)s)")
    parser.add_argument("--annealing", type=int, default=1000, help="steps of AIS (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=16, help="images that AIS scores (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    parser.add_argument("--models", type=Path, default=HOME / "nats", help="where models are kept (%(default)s)")
    parser.add_argument("--smoke", action="store_true", help="three steps of each, on digits, and few of AIS")
    parser.add_argument("--page", action="store_true", help="only write the table of finished runs")
    add_out(parser)
    given = parser.parse_args(command)
    results = given.out / ("nats_smoke.csv" if given.smoke else "nats.csv")
    if given.page:
        return write_tables(results.with_suffix(".md"), TABLES, "\n" + table(read(results)))
    if unknown := set(given.systems) - set(SYSTEMS):
        parser.error(f"--systems must be of {', '.join(SYSTEMS)}. Received: {', '.join(sorted(unknown))}")
    models = given.models / "smoke" if given.smoke else given.models
    models.mkdir(parents=True, exist_ok=True)
    data, splits = (SMOKE, FEW) if given.smoke else (f"binarized_mnist:{given.data}", SPLITS)
    sizes = (0.0, 5, 8) if given.smoke else (given.minutes, given.annealing, given.rows)
    runs = [Run(system, given.seed, f"{sizes[0]:g} minutes", *sizes[1:]) for system in given.systems]
    for run in unfinished(results, runs):
        print(" ".join(run.key), flush=True)
        found = dataclasses.asdict(run) | outcome(run, data, splits, models)
        append(results, found | origin("nats.py") | {"processor": processor()}, COLUMNS)


if __name__ == "__main__":
    main()
