"""MaskAAE finds how many dimensions data have; WAE-GAN and FlexAE with the same networks have those they are given.

    python experiments/mask_aae_manifold.py select      # WAE-GAN's penalty, judged by validation points alone
    python experiments/mask_aae_manifold.py compare     # MaskAAE and WAE-GAN, too few and too many codes, three seeds
    python experiments/mask_aae_manifold.py compare --systems mask_aae wae_gan flex_ae --dimensions 16 --seeds 0
    python experiments/mask_aae_manifold.py compare --systems flex_ae --flex-setting falling --dimensions 16 --seeds 0
    python experiments/mask_aae_manifold.py compare --systems mask_aae --setting official --steps 500000
    python experiments/mask_aae_manifold.py page --flex-setting falling     # of finished runs
    python experiments/mask_aae_manifold.py select --smoke      # as few steps as there are: does all work?

Data are points of a curved manifold of 8 or 16 dimensions in 128. A row is appended to mask_aae.csv in
--out (runs/experiments) when a run ends: the same command again does what is not finished. Protocol and results are in
docs/mask_aae.md; `--out docs` has the committed runs.
"""

import argparse
import dataclasses
import itertools
import math
import time
from pathlib import Path

import keras
import numpy as np
from experiment import (
    HOME,
    Keyed,
    add_out,
    append,
    origin,
    pictures_beside,
    printed,
    read,
    unfinished,
    write_tables,
)
from keras.optimizers import Adam, RMSprop
from keras.optimizers.schedules import CosineDecay, PiecewiseConstantDecay
from mask_aae_figures import draw, file_name, print_runs
from mask_aae_judge import SCORES, judge, points

import keras_ijae as ki
from keras_ijae.files import replacing
from keras_ijae.layers import LatentMask

CODES = {8: (4, 8, 16, 32), 16: (4, 8, 16, 32, 64, 110)}  # dimensions of the data -> of the codes
BATCH, TRACED = 64, 100  # examples of a step, points of a mask's trace
OFFICIAL = "_official"
TABLES = ("## All runs on manifolds", "## All runs with the official schedule")
WIDTH = 16  # units of a hidden layer for each dimension of the data
PENALTIES = {f"penalty {weight:g}": weight for weight in (10.0, 1.0, 0.1, 0.01, 0.001)}
QUICK = {  # settings of MaskAAE
    "quick": {"mask_reconstruction_weight": 1e5},
    "quick 2": {"mask_reconstruction_weight": 2e3, "polynomial_weight": 0.03},
}
DEFAULT, FALLING = "default", "falling"  # settings of FlexAE; in the second, as in the others, rates fall, no averages
SYSTEMS = ("mask_aae", "wae_gan", "flex_ae")


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    experiment: str
    system: str
    setting: str
    dimensions: int
    codes: int
    seed: int
    steps: int


KEYS = [field.name for field in dataclasses.fields(Run)]
COLUMNS = [*KEYS, "outcome", "cpu_minutes", *SCORES, "commit", "command"]


def build(run: Run) -> keras.Model:
    """A new compiled model; encoder and decoder are the same networks in all systems."""
    keras.utils.set_random_seed(run.seed)
    about = {"networks": "mlp", "width": WIDTH * run.dimensions, "seed": run.seed}
    about |= {} if run.setting == DEFAULT else {"ema": None}
    if run.setting == "official":
        about["width"] = 1024
    elif run.system == "mask_aae":
        about |= QUICK[run.setting] | {"variance_weight": 5.0, "period": max(1, run.steps // 100)}
        about["mask"] = LatentMask(run.codes, high=3.0, seed=run.seed)
    elif run.system == "wae_gan":
        about["penalty_weight"] = PENALTIES[run.setting]
    model = ki.create(run.system, (128,), run.codes, **about)
    how = {} if run.setting in ("official", DEFAULT, FALLING) else {"optimizer": optimizers(run)}
    model.compile(**how, steps_per_execution=math.gcd(25, run.steps // TRACED))
    if run.setting == FALLING:
        for move in ("auto_encoder", "prior_generator", "encoder"):
            optimizer = model.optimizer.by_move[move]
            optimizer.learning_rate = CosineDecay(float(optimizer.learning_rate), run.steps)
    return model


def optimizers(run: Run) -> dict[str, keras.optimizers.Optimizer]:
    """Rates of encoder and decoder fall to 0; the mask waits until codes mean something."""
    if run.system == "wae_gan":
        return {
            "auto_encoder": Adam(CosineDecay(1e-3, run.steps), beta_1=0.5),
            "code_discriminator": Adam(CosineDecay(5e-4, run.steps), beta_1=0.5),
        }
    rates = {
        "auto_encoder": CosineDecay(4e-4, run.steps),
        "code_critic": 4e-4,
        "encoder": CosineDecay(4e-4, run.steps),
        "mask": PiecewiseConstantDecay([run.steps // 10], [2e-5, 2e-3]),
    }
    return {move: RMSprop(rate, epsilon=1e-14) for move, rate in rates.items()}


class Trace(keras.callbacks.Callback):
    """Keeps the mask at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.steps, self.alphas = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.steps.append(int(self.model.steps))
        self.alphas.append(self.model.mask.alpha().numpy())


def train(model: keras.Model, run: Run) -> Trace | None:
    """Trains for the run's steps; the mask's trace, if there is a mask."""
    data = ki.datasets.load(f"manifold:{run.dimensions}", "train[:50000]", BATCH, seed=run.seed).repeat()
    trace = Trace() if run.system == "mask_aae" else None
    model.fit(data, steps_per_epoch=run.steps // TRACED, epochs=TRACED, verbose=0, callbacks=[trace] if trace else [])
    return trace


def play(run: Run, given: argparse.Namespace) -> dict:
    """What the row of a run has beside its keys."""
    model, start = build(run), time.process_time()
    try:
        trace = train(model, run)
    except ki.models.TrainingError as error:
        return {"outcome": str(error).partition(". ")[0]}
    minutes = (time.process_time() - start) / 60
    if run.experiment == "compare":
        covariance = ki.evaluation.latent_covariance(model, points(run.dimensions, "test"))
        masks = {"steps": trace.steps, "alphas": trace.alphas} if trace else {}
        path = given.models / file_name(dict(zip(KEYS, run.key, strict=True)))
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, covariance=covariance, **masks)
    return {"outcome": "ended", "cpu_minutes": minutes, **judge(model, run.dimensions, run.seed, run.experiment)}


def planned(given: argparse.Namespace) -> list[Run]:
    """The runs of an experiment."""
    if given.experiment == "select":
        return [Run("select", "wae_gan", penalty, 8, 16, 100, given.steps) for penalty in PENALTIES]
    settings = {"mask_aae": given.setting, "flex_ae": given.flex_setting}
    settings |= {"wae_gan": selected(given)} if "wae_gan" in given.systems else {}
    return [
        Run("compare", system, settings[system], dimensions, codes, seed, given.steps)
        for seed in given.seeds
        for dimensions in given.dimensions
        for codes in CODES[dimensions]
        if codes in given.codes
        for system in given.systems
    ]


def selected(given: argparse.Namespace) -> str:
    """The penalty whose samples were nearest to the validation points."""
    rows = [row for row in read(given.results) if row["experiment"] == "select" and row["outcome"] == "ended"]
    if missing := set(PENALTIES) - {row["setting"] for row in rows}:
        raise SystemExit(f"Run `select` first: {given.results} lacks {', '.join(sorted(missing))}")
    return min(rows, key=lambda row: float(row["validation_gen"]))["setting"]


def parse(command: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="experiment", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        one = commands.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        add_out(one)
        one.add_argument("--models", type=Path, default=HOME / "mask_aae", help="where masks and covariances are")
        about = f"{TRACED} steps of each, in files of their own"
        one.add_argument("--smoke", action="store_true", help=about)
        if name in ("select", "compare"):
            one.add_argument("--steps", type=int, default=30_000, help="of a run, a multiple of 100")
        if name in ("compare", "page"):
            one.add_argument("--setting", choices=(*QUICK, "official"), default="quick", help="of MaskAAE")
            one.add_argument("--flex-setting", choices=(DEFAULT, FALLING), default=DEFAULT, help="of FlexAE")
        if name == "compare":
            sizes = sorted({*itertools.chain(*CODES.values())})
            usual = ["mask_aae", "wae_gan"]  # those of the committed commands
            one.add_argument("--systems", nargs="+", choices=SYSTEMS, default=usual, help="some of them")
            one.add_argument("--dimensions", nargs="+", type=int, choices=CODES, default=[*CODES], help="of the data")
            one.add_argument("--codes", nargs="+", type=int, choices=sizes, default=sizes, help="their dimensions")
            one.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="a run each")
    given = parser.parse_args(command)
    official = "official" in vars(given).values()  # a setting whose runs have a file of their own
    given.results = given.out / f"mask_aae{OFFICIAL if official else ''}{'_smoke' if given.smoke else ''}.csv"
    if given.smoke:
        given.steps, given.models = TRACED, given.models / "smoke"
    if "steps" in given and (given.steps < TRACED or given.steps % TRACED):
        parser.error(f"--steps must be a multiple of {TRACED}. Received: {given.steps}")
    return given


COMMANDS = {
    "select": "WAE-GAN's penalty, by validation points",
    "compare": "the systems over sizes of the codes",
    "page": "tables and figures of the finished runs, for mask_aae.md",
}


def main(command: list[str] | None = None) -> None:
    given = parse(command)
    if given.experiment in ("select", "compare"):
        todo, about = unfinished(given.results, planned(given)), origin("mask_aae_manifold.py")
        for number, run in enumerate(todo, 1):
            print(f"{number} of {len(todo)}: {' '.join(run.key)}", flush=True)
            append(given.results, {**dataclasses.asdict(run), **play(run, given), **about}, COLUMNS)
    elif rows := read(given.results):
        page, heading = given.results.stem.replace(OFFICIAL, ""), TABLES[OFFICIAL in given.results.stem]
        write_tables(given.out / f"{page}.md", heading, printed(print_runs, rows))
        if any(row["experiment"] == "compare" for row in rows):
            settings = {"mask_aae": given.setting, "flex_ae": given.flex_setting}
            draw(rows, settings, given.models, pictures_beside(given.results))
    else:
        raise SystemExit(f"There are no finished runs in {given.results}")


if __name__ == "__main__":
    main()
