"""FlexAE against fixed priors on MNIST: one encoder and decoder, the same CPU minutes, five priors.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/flex_ae_mnist.py select      # short runs, judged by validation images alone: which settings
    python experiments/flex_ae_mnist.py compare     # the selected settings, three seeds, ten CPU minutes each
    python experiments/flex_ae_mnist.py capacity    # six prior generators on 2,000 training images
    python experiments/flex_ae_mnist.py capacity --falling      # with rates that fall to 0
    python experiments/flex_ae_mnist.py codes       # t-SNE of codes of data and of samples, by models of `compare`
    python experiments/flex_ae_mnist.py page        # tables and figure of finished runs
    python experiments/flex_ae_mnist.py select --smoke      # three steps of each, on digits: does all work?

AE with N(0, I) and AE with a mixture are one training with two priors. A row is appended to flex_ae.csv in --out
(runs/experiments) when a run ends: the same command again does what is not finished. Protocol and results are in
docs/flex_ae.md; `--out docs` has the committed runs.
"""

import argparse
import dataclasses
import math
import time
from collections.abc import Iterator
from pathlib import Path

import keras
from experiment import (
    HOME,
    ROOT,
    Budget,
    Keyed,
    add_out,
    append,
    origin,
    pictures_beside,
    print_experiments,
    printed,
    read,
    stored,
    unfinished,
    write_tables,
)
from flex_ae_figures import FALLING, SHOWN, draw_codes, draw_runs
from flex_ae_judge import SCORES, Judge
from keras.optimizers.schedules import CosineDecay

import keras_ijae as ki
from keras_ijae.files import replacing
from keras_ijae.layers import LatentMask
from keras_ijae.training.pictures import save_grid

TABLES = "## All runs"
LATENT, BATCH, NETWORKS, WIDTH = 32, 64, "dcgan", None
OWN = {"auto_encoder": 2e-4, "code_critic": 1e-4, "prior_generator": 2e-4, "encoder": 1e-5}  # the authors' rates
FAST = {"auto_encoder": 1e-3, "code_critic": 5e-4, "prior_generator": 5e-4, "encoder": 5e-5}
SETTINGS = {
    "ae_gmm": {"own": {}},
    "wae_gan": {"penalty 10": {"penalty_weight": 10.0}, "penalty 1": {"penalty_weight": 1.0}},
    "mask_aae": {"T 100": {"high": 2.0, "period": 100}, "T 300": {"high": 2.0, "period": 300}},
    "flex_ae": {
        "own": {"rates": OWN, "critic_steps": 5},
        "fast": {"rates": FAST, "critic_steps": 5},
        "fast, 2 critic steps": {"rates": FAST, "critic_steps": 2},
    },
}
GENERATORS = ((0, 0), (1, 64), (2, 128), (2, 256), (4, 256), (6, 512))  # hidden layers of the prior generator, width


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    experiment: str
    dataset: str
    train: str
    system: str
    setting: str
    generator: str
    seed: int
    budget: str


KEYS = [field.name for field in dataclasses.fields(Run)]
COLUMNS = [*KEYS, "outcome", "steps", "cpu_minutes", *SCORES, "commit", "command"]


def build(run: Run) -> keras.Model:
    """A new compiled model; encoder and decoder are the same networks in all systems."""
    keras.utils.set_random_seed(run.seed)
    setting = dict(SETTINGS[run.system][run.setting.removesuffix(FALLING)])
    rates = setting.pop("rates", {})
    if "high" in setting:
        setting["mask"] = LatentMask(LATENT, high=setting.pop("high"), seed=run.seed)
    if run.generator:
        setting["prior_generator"] = prior_generator(*map(int, run.generator.split("x")))
    shape = ki.datasets.info(run.dataset).data_shape
    model = ki.create(run.system, shape, LATENT, networks=NETWORKS, width=WIDTH, seed=run.seed, **setting)
    model.compile()
    for move, rate in rates.items():
        falls = run.setting.endswith(FALLING) and move != "code_critic"
        steps = run.budget.removesuffix(" steps")
        model.optimizer.by_move[move].learning_rate = CosineDecay(rate, int(steps)) if falls else rate
    return model


def prior_generator(layers: int, width: int) -> keras.Model:
    """An MLP from noise to codes; without hidden layers an affine map."""
    hidden = [keras.layers.Dense(width, "relu") for _ in range(layers)]
    return keras.Sequential([keras.Input((LATENT,)), *hidden, keras.layers.Dense(LATENT)], name="prior_generator")


def train(model: keras.Model, run: Run) -> dict[str, float]:
    """Trains for the run's budget, "10 minutes" of CPU time or "5000 steps"; how many of both it took."""
    amount, unit = run.budget.split()
    budget = Budget(60 * float(amount) if unit == "minutes" else math.inf)
    data = ki.datasets.load(run.dataset, run.train, BATCH, seed=run.seed)
    length = {"epochs": 1_000_000} if unit == "minutes" else {"steps_per_epoch": int(amount)}
    model.fit(data if unit == "minutes" else data.repeat(), verbose=2, callbacks=[budget], **length)
    return {"steps": budget.steps, "cpu_minutes": budget.cpu_minutes}


def outcomes(run: Run, judge: Judge, given: argparse.Namespace) -> Iterator[tuple[Run, dict]]:
    """The row of a run; of "ae_gmm" first that of "ae", the same model before the mixture is fitted."""
    model = build(run)
    try:
        found = {"outcome": "ended", **train(model, run)}
    except ki.models.TrainingError as error:
        yield run, {"outcome": str(error).partition(". ")[0]}
        return
    if run.system == "ae_gmm":
        plain = dataclasses.replace(run, system="ae")
        yield plain, found | judge(model)
        keep(model, plain, given)
        start = time.process_time()
        model.fit_prior(stored(run.dataset, run.train), seed=run.seed)
        found["cpu_minutes"] += (time.process_time() - start) / 60
    yield run, found | judge(model)
    keep(model, run, given)


def keep(model: keras.Model, run: Run, given: argparse.Namespace) -> None:
    """Models of `compare` stay, with a picture of samples of those of seed 0."""
    if run.experiment == "compare":
        with replacing(given.models / f"{run.system}-{run.seed}.keras") as temporary:
            model.save(temporary)
        if run.seed == 0:
            save_grid(pictures_beside(given.results) / f"flex_ae-{run.system}-0.png", model.sample(64, seed=0))


def play(runs: list[Run], given: argparse.Namespace) -> None:
    """Trains, judges and appends what is not finished."""
    todo, about = unfinished(given.results, runs), origin("flex_ae_mnist.py")
    splits = {"validation": given.validation} | ({} if given.experiment == "select" else {"test": "test"})
    judge = Judge(given.classifier, given.dataset, splits, given.train) if todo else None
    for number, run in enumerate(todo, 1):
        print(f"{number} of {len(todo)}: {' '.join(filter(None, run.key))}", flush=True)
        for played, found in list(outcomes(run, judge, given)):
            append(given.results, {**dataclasses.asdict(played), **found, **about}, COLUMNS)


def selected(results: Path, system: str) -> str:
    """The setting whose samples were nearest to the validation images in the runs of `select`."""
    if len(SETTINGS[system]) == 1:
        return next(iter(SETTINGS[system]))
    rows = [row for row in read(results) if (row["experiment"], row["system"]) == ("select", system)]
    rows = [row for row in rows if row["setting"] in SETTINGS[system]]  # others are of the past
    if missing := set(SETTINGS[system]) - {row["setting"] for row in rows}:
        raise SystemExit(f"Run `select` first: {results} lacks {system} with {', '.join(sorted(missing))}")
    distances = {row["setting"]: float(row["validation_gen"]) for row in rows if row["outcome"] == "ended"}
    return min(distances, key=distances.get)


def planned(given: argparse.Namespace) -> list[Run]:
    """The runs of an experiment."""
    about = given.experiment, given.dataset, given.train
    budget = f"{given.steps} steps" if given.experiment == "capacity" else f"{given.minutes:g} minutes"
    if given.experiment == "select":
        several = [system for system in given.systems if len(SETTINGS[system]) > 1]
        return [Run(*about, system, setting, "", 100, budget) for system in several for setting in SETTINGS[system]]
    if given.experiment == "compare":
        chosen = [(system, selected(given.results, system)) for system in given.systems]
        return [Run(*about, *pair, "", seed, budget) for seed in given.seeds for pair in chosen]
    setting = selected(given.results, "flex_ae") + (FALLING if given.falling else "")
    sizes = [f"{layers}x{width}" for layers, width in GENERATORS]
    return [Run(*about, "flex_ae", setting, size, seed, budget) for seed in given.seeds for size in sizes]


def parse(command: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="experiment", required=True, metavar="COMMAND")
    for name, (summary, defaults) in COMMANDS.items():
        one = commands.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        add_out(one)
        one.add_argument("--models", type=Path, default=HOME / "flex_ae", help="where models of `compare` are")
        one.add_argument("--dataset", default="mnist", help="its name")
        one.add_argument("--smoke", action="store_true", help="three steps of each on digits, in files of their own")
        if name == "capacity":
            one.add_argument("--falling", action="store_true", help="all rates but the critic's fall to 0")
        for option, (default, about) in defaults.items():
            of = {"nargs": "+", "type": type(default[0])} if isinstance(default, list) else {"type": type(default)}
            one.add_argument(f"--{option}", default=default, help=about, **of)
    given = parser.parse_args(command)
    if given.smoke:
        vars(given).update({name: value for name, value in SMOKE.items() if name in given})
        given.models /= "smoke"
    given.results = given.out / f"flex_ae{'_smoke' if given.smoke else ''}.csv"
    return given


MANY, SEEDS = {"train": ("train[:50000]", "split to train on")}, {"seeds": ([0, 1, 2], "a run each")}
SOME, CPU = {"systems": ([*SETTINGS], "some of them; ae_gmm is AE with both priors")}, "CPU time of a run"
JUDGED = {
    "validation": ("train[50000:]", "split that settings are selected by"),
    "classifier": (Path("runs/mnist/classifier.keras"), "in whose features distances are measured"),
}
FEW = {"train": ("train[:2000]", "split to train on"), "steps": (1500, "of a run")}
COMMANDS = {
    "select": (
        "short runs of settings, judged by validation images",
        MANY | JUDGED | SOME | {"minutes": (3.0, CPU)},
    ),
    "compare": ("systems with selected settings", MANY | JUDGED | SOME | SEEDS | {"minutes": (10.0, CPU)}),
    "capacity": ("FlexAE with six prior generators on few images", FEW | JUDGED | SEEDS),
    "codes": ("t-SNE of codes, from the models of `compare`", {"seed": (0, "of the models")}),
    "page": ("tables and figure of the finished runs, for flex_ae.md", {}),
}
SMOKE = {
    "dataset": "digits",
    "train": "train[:300]",
    "validation": "train[-300:]",
    "classifier": ROOT / "experiments" / "judges" / "digits.keras",
    "minutes": 0.0,
    "steps": 3,
}


def main(command: list[str] | None = None) -> None:
    given = parse(command)
    if unknown := set(getattr(given, "systems", ())) - set(SETTINGS):
        raise SystemExit(f"--systems must be some of {', '.join(SETTINGS)}. Received: {', '.join(unknown)}")
    pictures = pictures_beside(given.results)
    if given.experiment in ("select", "compare", "capacity"):
        play(planned(given), given)
    elif given.experiment == "codes":
        draw_codes(given.models, given.seed, stored(given.dataset, "test"), pictures / "flex_ae-codes.png")
    elif rows := read(given.results):
        write_tables(given.results.with_suffix(".md"), TABLES, printed(print_experiments, rows, SHOWN))
        draw_runs(rows, pictures / "flex_ae.png")
    else:
        raise SystemExit(f"There are no finished runs in {given.results}")


if __name__ == "__main__":
    main()
