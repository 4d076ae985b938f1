"""MaskAAE on MNIST: which settings make its codes match their masked prior, beside WAE-GAN at equal CPU time.

    keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras
    python experiments/mask_aae_mnist.py screen     # settings of MaskAAE, short runs
    python experiments/mask_aae_mnist.py compare    # the preset and WAE-GAN, codes of 32 and 64, ten CPU minutes each
    python experiments/mask_aae_mnist.py table      # of the finished runs
    python experiments/mask_aae_mnist.py screen --smoke     # three steps of each, to see that all works

All models are judged by held-out training images, none by test images, and at each of --minutes. A row is then appended
to mask_aae_mnist.csv in --out (runs/experiments): the same command again does what is not finished. Protocol and
results are in docs/mask_aae.md; `--out docs` has the committed runs.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from experiment import Budget, Keyed, add_out, append, origin, print_experiments, read, stored, unfinished

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier

DATASET, NETWORKS, BATCH = "mnist", "dcgan", 64
TRAIN, VALIDATION, SMOKE_IMAGES = "train[:55000]", "train[55000:]", 300

FALL = 4000  # steps after which rates fall
# system -> setting -> arguments; "adam": move -> rate, rate after FALL steps, beta_1 and beta_2, of some moves
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "mask_aae": {
        "images": {"preset": "images"},
        "images, falling": {
            "preset": "images",
            "adam": {"auto_encoder": (1e-3, 2e-4, 0.5, 0.999), "encoder": (2e-4, 4e-5, 0.0, 0.9)},
        },
        "images, auto-encoder falling": {
            "preset": "images",
            "adam": {"auto_encoder": (1e-3, 2e-4, 0.5, 0.999), "encoder": (2e-4, 2e-4, 0.0, 0.9)},
        },
        "images, halved": {
            "preset": "images",
            "adam": {"auto_encoder": (1e-3, 5e-4, 0.5, 0.999), "encoder": (2e-4, 1e-4, 0.0, 0.9)},
        },
        "images, 5 critic steps": {"preset": "images", "critic_steps": 5},
        "images, fast encoder": {
            "preset": "images",
            "critic_steps": 5,
            "adam": {"auto_encoder": (1e-3, 3e-4, 0.5, 0.999), "encoder": (5e-4, 1.5e-4, 0.0, 0.9)},
        },
        "images, authors' weights": {
            "preset": "images",
            "variance_weight": 100.0,
            "mask_reconstruction_weight": 1000.0,
        },
        "defaults": {},
    },
    "wae_gan": {"default": {}, "penalty 1": {"penalty_weight": 1.0}},
}
COMPARED = (("mask_aae", "images"), ("wae_gan", "default"), ("wae_gan", "penalty 1"))
SCORES = [
    "samples", "reconstructions", "squared_error", "fitted", "active", "std_least", "std_most", "correlation",
    "critic_gap",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Run(Keyed):
    """All that a run depends on: columns of the CSV file."""

    experiment: str
    system: str
    setting: str
    codes: int
    seed: int
    budget: str


KEYS = [field.name for field in dataclasses.fields(Run)]
SHOWN = [*KEYS[1:-1], "outcome", "cpu_minutes", "steps", *SCORES]
COLUMNS = [*KEYS, "arguments", "outcome", "cpu_minutes", "steps", *SCORES, "commit", "command"]


def build(run: Run) -> keras.Model:
    """A new compiled model; encoder and decoder are the same networks in both systems."""
    keras.utils.set_random_seed(run.seed)
    setting = SETTINGS[run.system][run.setting]
    arguments = {name: value for name, value in setting.items() if name != "adam"}
    shape = ki.datasets.info(DATASET).data_shape
    model = ki.create(run.system, shape, run.codes, networks=NETWORKS, seed=run.seed, **arguments)
    model.compile({move: adam(*how) for move, how in setting.get("adam", {}).items()})
    return model


def adam(rate: float, later: float, beta_1: float, beta_2: float) -> keras.optimizers.Adam:
    """Adam, whose epsilon does not damp gradients of means over pixels, with a rate that falls."""
    falling = keras.optimizers.schedules.PiecewiseConstantDecay([FALL], [rate, later])
    return keras.optimizers.Adam(falling, beta_1, beta_2, epsilon=1e-10)


class Judged(Budget):
    """Trains for the longest of several CPU times, and judges the model at each of them, which takes none of it.

    Args:
        minutes: ascending.
        append: is told the minutes, and what a row has of steps and CPU minutes; it judges the model.
    """

    def __init__(self, minutes: Sequence[float], append: Callable[[float, dict[str, Any]], None]):
        super().__init__(60 * minutes[-1])
        self.left, self.append = list(minutes), append

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        now = time.process_time()
        while self.steps > 2 and self.left and now - self.cpu > 60 * self.left[0]:
            self.append(self.left.pop(0), {"steps": self.steps, "cpu_minutes": (now - self.cpu) / 60})
        self.cpu += time.process_time() - now


def play(run: Run, given: argparse.Namespace, results: Path) -> None:
    """Trains a model, and appends a row for each of `given.minutes`."""
    model, classifier = build(run), Classifier.load(given.classifier)
    x = stored(DATASET, VALIDATION)[: SMOKE_IMAGES if given.smoke else None]
    about = {"arguments": str(SETTINGS[run.system][run.setting]), **origin("mask_aae_mnist.py")}

    def write(minutes: float, found: dict[str, Any], ended: str = "ended") -> None:
        this = dataclasses.replace(run, budget=f"{minutes:g} minutes")
        if not unfinished(results, [this]):  # by a run that was killed later
            return
        scores = judge(model, x, classifier) if ended == "ended" else {}
        append(results, {**dataclasses.asdict(this), "outcome": ended, **about, **found, **scores}, COLUMNS)

    budget, data = Judged(given.minutes, write), ki.datasets.load(DATASET, TRAIN, BATCH, seed=run.seed)
    try:
        model.fit(data, epochs=1_000_000, verbose=2, callbacks=[budget])
    except ki.models.TrainingError as error:
        for minutes in budget.left:
            write(minutes, {}, str(error).partition(". ")[0])


def judge(model: keras.Model, x: np.ndarray, classifier: Classifier) -> dict[str, float]:
    """Score -> value, by held-out images `x`.

    "samples", "reconstructions": Frechet distances to x. "fitted": that of decodings of as many draws of a Gaussian
    with the codes' own mean and covariance: where it is small and "samples" is not, codes have other moments than the
    prior. "std_least", "std_most": of the codes of active dimensions before the mask; the prior's is 1. "correlation":
    mean of the absolute ones between active dimensions. "critic_gap": what the critic tells prior and codes apart by.
    """
    scores = ki.evaluation.evaluate(model, x, ["fid", "mse", "active_dimensions", "nac"], classifier)
    z = model.encode(x)
    generator = np.random.default_rng(0)
    drawn = generator.multivariate_normal(z.mean(axis=0), np.cov(z.T), len(x)).astype("float32")
    features = [classifier.features(images) for images in (x, model.decode(drawn))]
    found = {
        "samples": scores["gen/frechet_distance"],
        "reconstructions": scores["rec/frechet_distance"],
        "squared_error": scores["rec/mean_squared_error"] * x[0].size,
        "fitted": ki.metrics.frechet_distance(*features),
        "active": int(scores["active_dimensions"]),
        "correlation": scores["nac"],
    }
    return found | spread(model, z, generator)


def spread(model: keras.Model, z: np.ndarray, generator: np.random.Generator) -> dict[str, float]:
    """Of codes: their least and largest deviation, and the critic's distance from the prior, where there is one."""
    active = range(model.latent_dim) if model.active_dims is None else model.active_dims
    alpha = np.ones(model.latent_dim, "float32")
    if hasattr(model, "mask"):
        with model.averaged():
            alpha = model.mask.alpha().numpy()
    deviations = [z[:, j].std() / alpha[j] for j in active]
    found = {"std_least": min(deviations, default=0.0), "std_most": max(deviations, default=0.0)}
    if hasattr(model, "code_critic"):
        n = alpha * generator.normal(size=z.shape).astype("float32")
        of_prior, of_codes = (model.code_critic.predict(codes, verbose=0).mean() for codes in (n, z))
        found["critic_gap"] = of_prior - of_codes
    return {name: float(value) for name, value in found.items()}


def planned(given: argparse.Namespace) -> list[Run]:
    """The runs of an experiment."""
    budget = f"{given.minutes[-1]:g} minutes"
    systems = ["mask_aae"] if given.experiment == "screen" else [*SETTINGS]
    pairs = [(system, setting) for system in systems for setting in SETTINGS[system]]
    if given.experiment == "compare":
        pairs = [pair for pair in pairs if pair in COMPARED]
    if unknown := set(given.settings or ()) - {setting for _, setting in pairs}:
        raise SystemExit(f"--settings must be some of {pairs}. Received: {', '.join(unknown)}")
    return [
        Run(given.experiment, *pair, codes, seed, budget)
        for seed in given.seeds
        for codes in given.codes
        for pair in pairs
        if pair[1] in (given.settings or pair)
    ]


def parse(command: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=("screen", "compare", "table"))
    parser.add_argument("--settings", nargs="+", help="only these")
    parser.add_argument("--codes", nargs="+", type=int, help="their dimensions (default: 32; of `compare` 32 and 64)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="of weights, order of the data and noise")
    about = "CPU time of a training, and when before it is judged (default: 3; of `compare` 3 and 10)"
    parser.add_argument("--minutes", nargs="+", type=float, help=about)
    parser.add_argument("--classifier", type=Path, default=Path("runs/mnist/classifier.keras"))
    parser.add_argument("--smoke", action="store_true", help="three steps, few images")
    add_out(parser)
    given = parser.parse_args(command)
    compared = given.experiment == "compare"
    given.codes = given.codes or ([32, 64] if compared else [32])
    given.minutes = [0.0] if given.smoke else sorted(given.minutes or ([3.0, 10.0] if compared else [3.0]))
    return given


def main(command: list[str] | None = None) -> None:
    given = parse(command)
    results = given.out / ("mask_aae_mnist_smoke.csv" if given.smoke else "mask_aae_mnist.csv")
    if given.experiment == "table":
        return print_experiments(read(results), SHOWN)
    for run in unfinished(results, planned(given)):
        print(" ".join(run.key), flush=True)
        play(run, given, results)


if __name__ == "__main__":
    main()
