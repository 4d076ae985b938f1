"""Which settings are a system's defaults: candidates trained on MNIST for some CPU minutes, judged by held-out images.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/defaults.py --systems svae_r alpha_gan           # all their candidates, three CPU minutes each
    python experiments/defaults.py --systems svae_r --settings "Adam(1e-3, 0.5, 0.9)" --minutes 10
    python experiments/defaults.py --smoke                              # three steps of each, to see that all works
    python experiments/defaults.py --page                               # the tables of defaults.md, of finished runs

A run appends its row to defaults.csv in --out (runs/experiments) when it ends; the same command again does what is not
finished. `--out docs` names the committed runs and their page, docs/defaults.md.
"""

import argparse
import dataclasses
from pathlib import Path

import keras
from experiment import (
    Keyed,
    add_out,
    append,
    origin,
    print_experiments,
    printed,
    read,
    stored,
    train,
    unfinished,
    write_tables,
)

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier

DATASET, NETWORKS, LATENT, BATCH = "mnist", "auto", 16, 64
TRAIN, VALIDATION, SMOKE_IMAGES = "train[:55000]", "train[55000:]", 300
TABLES = "## All runs"


def adam(rate: float, beta_1: float = 0.9, beta_2: float = 0.999) -> tuple:
    """Arguments of Adam."""
    return rate, beta_1, beta_2


def flex(*rates: float) -> dict[str, tuple]:
    """FlexAE's optimizers with these rates of auto-encoder, critic, prior generator, and encoder against the critic."""
    rest = zip(("code_critic", "prior_generator", "encoder"), rates[1:], strict=True)
    return {"auto_encoder": adam(rates[0])} | {move: adam(rate, 0.0, 0.9) for move, rate in rest}


FAST_JUDGES = {role: adam(2e-3, 0.5, 0.9) for role in ("discriminator", "code_discriminator")}
COMMON = adam(1e-3, 0.5, 0.9)
# system -> setting -> (optimizer of all moves or of each, arguments); a system's first is what its default was
CANDIDATES = {
    "flex_ae": {
        "authors' rates": (flex(2e-4, 1e-4, 2e-4, 1e-5), {"critic_steps": 5}),
        "fast": (flex(1e-3, 5e-4, 5e-4, 5e-5), {"critic_steps": 5}),
        "fast, 2 critic steps": (flex(1e-3, 5e-4, 5e-4, 5e-5), {"critic_steps": 2}),
        "faster, 2 critic steps": (flex(1e-3, 1e-3, 1e-3, 1e-4), {"critic_steps": 2}),
    },
    "alpha_gan": {
        "Adam(1e-3, 0.5, 0.9)": (COMMON, {"l1_mean_weight": 40.0}),
        "Adam(2e-3, 0.5, 0.9)": (adam(2e-3, 0.5, 0.9), {"l1_mean_weight": 40.0}),
        "discriminators at 2e-3": ({"encoder": COMMON, "decoder": COMMON} | FAST_JUDGES, {"l1_mean_weight": 40.0}),
        "Adam(1e-3, 0.5, 0.9), L1 20": (COMMON, {"l1_mean_weight": 20.0}),
        "Adam(1e-3, 0.5, 0.9), L1 10": (COMMON, {"l1_mean_weight": 10.0}),
        "Adam(2e-3, 0.5, 0.9), L1 10": (adam(2e-3, 0.5, 0.9), {"l1_mean_weight": 10.0}),
    },
    "svae_r": {
        "Adam(2e-4, 0.5)": (adam(2e-4, 0.5), {}),
        "Adam(5e-4, 0.5, 0.9)": (adam(5e-4, 0.5, 0.9), {}),
        "Adam(1e-3, 0.5, 0.9)": (COMMON, {}),
        "Adam(2e-3, 0.5, 0.9)": (adam(2e-3, 0.5, 0.9), {}),
    },
    "wgan_gp": {
        "Adam(1e-4, 0.5, 0.9)": (adam(1e-4, 0.5, 0.9), {"critic_steps": 5}),
        "Adam(5e-4, 0.5, 0.9)": (adam(5e-4, 0.5, 0.9), {"critic_steps": 5}),
        "Adam(1e-3, 0.5, 0.9)": (COMMON, {"critic_steps": 5}),
        "Adam(5e-4, 0.5, 0.9), 2 critic steps": (adam(5e-4, 0.5, 0.9), {"critic_steps": 2}),
    },
}


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    system: str
    setting: str
    seed: int
    budget: str


KEYS = [field.name for field in dataclasses.fields(Run)]
SHOWN = [*KEYS[:-1], "outcome", "cpu_minutes", "steps", "samples", "reconstructions", "squared_error"]
COLUMNS = [*KEYS, *SHOWN[3:], "commit", "command"]


def build(run: Run) -> keras.Model:
    """A new compiled model with the setting's optimizers and arguments."""
    keras.utils.set_random_seed(run.seed)
    optimizers, arguments = CANDIDATES[run.system][run.setting]
    shape = ki.datasets.info(DATASET).data_shape
    model = ki.create(run.system, shape, LATENT, networks=NETWORKS, seed=run.seed, **arguments)
    each = optimizers if isinstance(optimizers, dict) else {move.name: optimizers for move in model.moves}
    model.compile({move: keras.optimizers.Adam(*how) for move, how in each.items()})
    return model


def outcome(run: Run, classifier: Classifier, images: int | None) -> dict:
    """Trains a model; the run's row: Frechet distances of as many samples as there are held-out images, and errors."""
    model, data = build(run), ki.datasets.load(DATASET, TRAIN, BATCH, seed=run.seed)
    ended, budget = train(model, data, float(run.budget.split()[0]))
    row = {"outcome": ended, "steps": budget.steps, "cpu_minutes": budget.cpu_minutes}
    if ended != "ended":
        return row
    x = stored(DATASET, VALIDATION)[:images]
    scores = ki.evaluation.evaluate(model, x, ["fid", "mse"] if model.has_encoder else ["fid"], classifier)
    row["samples"] = scores["gen/frechet_distance"]
    if model.has_encoder:
        row["reconstructions"] = scores["rec/frechet_distance"]
        row["squared_error"] = scores["rec/mean_squared_error"] * x[0].size
    return row


def write_page(rows: list[dict[str, str]], page: Path) -> None:
    """Replaces the tables of the page, a system's each: all that follows their heading."""
    about = [f"{row['system']}, {row['budget']} a run" for row in rows]
    shown = [{name: row[name] for name in SHOWN} for row in rows]
    titled = [row | {"experiment": title} for row, title in zip(shown, about, strict=True)]
    write_tables(page, TABLES, printed(print_experiments, titled, SHOWN))


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", default=[*CANDIDATES], choices=CANDIDATES)
    parser.add_argument("--settings", nargs="+", help="only these of their candidates")
    parser.add_argument("--minutes", type=float, default=3.0, help="CPU time of a training")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order of the data and noise")
    parser.add_argument("--classifier", type=Path, default=Path("runs/mnist/classifier.keras"))
    parser.add_argument("--smoke", action="store_true", help="three steps, few images")
    parser.add_argument("--page", action="store_true", help="only write the tables")
    add_out(parser)
    given = parser.parse_args(command)
    results = given.out / ("defaults_smoke.csv" if given.smoke else "defaults.csv")
    if given.page:
        return write_page(read(results), results.with_suffix(".md"))
    budget, about = f"{0 if given.smoke else given.minutes:g} minutes", origin("defaults.py")
    pairs = [(system, setting) for system in given.systems for setting in CANDIDATES[system]]
    if unknown := set(given.settings or ()) - {setting for _, setting in pairs}:
        raise SystemExit(f"--settings must be candidates of {', '.join(given.systems)}. Received: {', '.join(unknown)}")
    runs = [Run(*pair, given.seed, budget) for pair in pairs if pair[1] in (given.settings or pair)]
    for run in unfinished(results, runs):
        print(" ".join(run.key), flush=True)
        found = outcome(run, Classifier.load(given.classifier), SMOKE_IMAGES if given.smoke else None)
        append(results, {**dataclasses.asdict(run), **found, **about}, COLUMNS)


if __name__ == "__main__":
    main()
