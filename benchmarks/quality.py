"""How near samples come to MNIST in how much CPU time, ours and pythae's: `python benchmarks/quality.py --help`.

The classifier that judges is made by `keras-ijae train-classifier --dataset mnist --out runs/mnist/classifier.keras`.
"""

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402
from options import names  # noqa: E402
from peer import LATENT, PYTHON, SHAPE, parameters, peer  # noqa: E402
from records import OUT, SHORT, append, finished, machine, origin, read, text, write_section  # noqa: E402

import keras_ijae as ki  # noqa: E402
from keras_ijae.files import replacing  # noqa: E402
from keras_ijae.metrics.features import DataSpace  # noqa: E402
from keras_ijae.metrics.features.classifier import Classifier  # noqa: E402

MINUTES, BATCH, SAMPLES = "0.5,1,2,5", 64, 5000
SMOKE_MINUTES, SMOKE_SAMPLES = "0.001", 300
SHOWN = ["library", "system", "networks", "sampler", "minutes", "distance", "cpu_minutes", "fit_seconds", "steps"]
COLUMNS = [*SHOWN, "parameters", "seed", SHORT, "machine", "commit", "command"]
HEADING, FILE, PICTURE = "## Minutes to quality", "quality.csv", "pictures/quality.png"
ABOUT = f"""Frechet distance of 5,000 samples to MNIST's last 5,000 training images, in the 128 features of the small
classifier, over CPU time, by `benchmarks/quality.py`. Trained on the first 55,000 images in batches of 64, with codes
of 16 dimensions; all else is each library's default: ours the defaults of `ki.create`, pythae's its dense networks, or
the convolutions that it has for MNIST. At each of *minutes* of CPU time of training (from the second step; looking does
not count) the prior or sampler is fitted to the codes of all training images, *fit_seconds*, and samples are judged by
the same program for all. One thread. The picture has the sum of both times. pythae's convolutions have 17 million
weights: 16 steps in half a minute of this core, and five minutes to encode the images for a sampler. They were left
there (`--networks dense`).

![Distance over CPU time]({PICTURE})"""


@dataclasses.dataclass(frozen=True)
class Run:
    """One training, looked at several times."""

    library: str
    system: str
    networks: str
    sampler: str


LIBRARIES, NETWORKS = ("keras_ijae", "pythae"), ("dense", "convolutions")  # networks: pythae's
PEERS = (("rae_l2", "gmm"), ("vae", "gmm"), ("vamp", "vamp"))
RUNS = [
    *(
        Run("keras_ijae", name, "default", "own")
        for name in ("rae_gmm", "flow_vae", "two_stage_vae", "gmm_vae", "vamp_vae")
    ),
    *(Run("pythae", name, networks, sampler) for name, sampler in PEERS for networks in NETWORKS),
]
Look = tuple[dict[str, Any], np.ndarray]
"""What is known at a mark, and samples (n, 28, 28, 1)."""


class Marks(keras.callbacks.Callback):
    """Stops the clock at CPU minutes of training, counted from the second step, and calls a function there."""

    def __init__(self, minutes: Sequence[float], reached: Callable[[float, float, int], None]) -> None:
        super().__init__()
        self.minutes, self.reached, self.steps, self.outside = list(minutes), reached, 0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 2:
            self.start = time.process_time()
        while self.steps > 2 and self.minutes and self.spent >= self.minutes[0]:
            begun, spent = time.process_time(), self.spent
            self.reached(self.minutes.pop(0), spent, self.steps)
            self.outside += time.process_time() - begun
        self.model.stop_training = not self.minutes

    @property
    def spent(self) -> float:
        """CPU minutes of training."""
        return (time.process_time() - self.start - self.outside) / 60


def ours(run: Run, x: np.ndarray, minutes: list[float], samples: int, seed: int, keep: Callable[[Look], None]) -> None:
    """Trains one of our systems."""
    keras.utils.set_random_seed(seed)
    model = ki.create(run.system, SHAPE, LATENT, seed=seed)
    model.compile()

    def reached(mark: float, spent: float, steps: int) -> None:
        begun = time.process_time()
        if model.sampling_prior.can_fit:
            model.fit_prior(x, model.sampling_prior, seed=seed)
        found = {"minutes": mark, "cpu_minutes": spent, "fit_seconds": time.process_time() - begun, "steps": steps}
        keep((found | {"parameters": parameters(model)}, model.sample(samples, seed=seed)))

    model.fit(x, batch_size=BATCH, epochs=1_000_000, verbose=0, callbacks=[Marks(minutes, reached)])


def theirs(
    run: Run, x: np.ndarray, minutes: list[float], samples: int, seed: int, keep: Callable[[Look], None], python: str
) -> None:
    """Has pythae train one of its systems."""
    with tempfile.TemporaryDirectory() as directory, peer(python, threads=1) as process:
        data = Path(directory) / "data.npy"
        np.save(data, np.moveaxis(x, -1, 1))
        asked = {"system": run.system, "networks": run.networks, "sampler": run.sampler, "data": str(data)}
        asked |= {"directory": directory, "minutes": minutes, "samples": samples, "seed": seed, "threads": 1}
        process.order(do="quality", **asked)
        count = process.answer()
        for _ in minutes:
            found = process.answer()
            images_made = np.moveaxis(np.load(found.pop("samples")), 1, -1)
            keep((found | count, images_made))
            process.order()  # it may go on


def images(smoke: bool) -> tuple[np.ndarray, np.ndarray]:
    """To train on and to judge by: MNIST's, or digits enlarged."""
    if smoke:
        x = _all("digits", "train")
        x = np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2), (0, 0)))
        return x[:-SMOKE_SAMPLES], x[-SMOKE_SAMPLES:]
    return _all("mnist", "train[:55000]"), _all("mnist", f"train[{60000 - SAMPLES}:]")


def _all(name, split):
    data = ki.datasets.load(name, split, 500, shuffle=False, drop_remainder=False)
    return np.concatenate(list(data.as_numpy_iterator()))


def play(
    runs: Sequence[Run], path: Path, minutes: list[float], seed: int, python: str, classifier: Path, smoke: bool
) -> None:
    """Does what is not finished, and appends a row at each mark."""
    x, held_out = images(smoke)
    judge = DataSpace() if smoke else Classifier.load(classifier)
    real, keys = judge.features(held_out), ["library", "system", "networks", "sampler", "minutes", "seed"]
    about = {"seed": seed, SHORT: "" if minutes == _numbers(MINUTES) else SHORT, "machine": machine()} | origin(
        "quality.py", "benchmarks"
    )
    for run in runs:

        def keep(look: Look, run: Run = run) -> None:
            row = dataclasses.asdict(run) | look[0] | about
            if tuple(text(row[key]) for key in keys) not in finished(path, keys):
                row["distance"] = ki.metrics.frechet_distance(real, judge.features(np.clip(look[1], 0, 1)))
                print({key: row[key] for key in SHOWN}, flush=True)
                append(path, row, COLUMNS)

        wanted = {(*dataclasses.astuple(run), text(mark), text(seed)) for mark in minutes}
        if not wanted <= finished(path, keys):
            begin = ours if run.library == "keras_ijae" else theirs
            more = {} if begin is ours else {"python": python}
            begin(run, x, minutes, len(held_out), seed, keep, **more)


def _numbers(given: str) -> list[float]:
    return [float(number) for number in given.split(",")]


def draw(rows: Sequence[dict[str, str]], path: Path) -> None:
    """Distance over the CPU minutes of training and fitting: ours in full lines, pythae's dashed."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(9, 6), layout="constrained")
    axis = figure.subplots()
    for name, points in _curves(rows):
        at = [float(row["cpu_minutes"]) + float(row["fit_seconds"]) / 60 for row in points]
        style = "o-" if points[0]["library"] == "keras_ijae" else "s--"
        axis.plot(at, [float(row["distance"]) for row in points], style, label=name, markersize=4)
    axis.set(xscale="log", yscale="log", xlabel="CPU minutes", ylabel="Frechet distance of samples to held-out images")
    for side in (axis.xaxis, axis.yaxis):  # 0.5, 1, 20: not powers of ten
        side.set_major_locator(LogLocator(subs=(1, 2, 5)))
        side.set_major_formatter(StrMethodFormatter("{x:g}"))
        side.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=90)


def _curves(rows: Sequence[dict[str, str]]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    names = {(row["library"], row["system"], row["networks"], row["sampler"]): None for row in rows}
    for name in names:
        points = [row for row in rows if name == (row["library"], row["system"], row["networks"], row["sampler"])]
        yield " ".join(name), sorted(points, key=lambda row: float(row["minutes"]))


def main(
    systems: Annotated[str | None, typer.Option(help="Which, parted by commas; none: all.")] = None,
    libraries: Annotated[str, typer.Option(help="Whose.")] = ",".join(LIBRARIES),
    networks: Annotated[str, typer.Option(help="pythae's: its dense ones, those for MNIST.")] = ",".join(NETWORKS),
    minutes: Annotated[str, typer.Option(help="CPU time at which samples are judged, rising.")] = MINUTES,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, data and noise.")] = 0,
    classifier: Annotated[Path, typer.Option(help="The judge.")] = Path("runs/mnist/classifier.keras"),
    python: Annotated[str, typer.Option(help="Of the peers' environment (or PEERS_PYTHON).")] = PYTHON,
    out: Annotated[Path, typer.Option(help="Directory of the CSV file and the page; docs has the kept ones.")] = OUT,
    smoke: Annotated[bool, typer.Option(help="A few steps on digits, judged by their pixels: does all work?")] = False,
    page: Annotated[bool, typer.Option(help="Only write the page, from the rows that are there.")] = False,
) -> None:
    """Trains ours and pythae's systems on MNIST, each with its own defaults, and judges samples along the way.

    A training's rows are kept as they come; the same command again does what is not finished.

    [bold]Examples[/bold]

    [cyan]python benchmarks/quality.py --out docs[/cyan]

    [cyan]python benchmarks/quality.py --smoke --libraries keras_ijae --systems rae_gmm[/cyan]
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    path, known = out / ("quality_smoke.csv" if smoke else FILE), list(dict.fromkeys(run.system for run in RUNS))
    chosen = names(systems or ",".join(known), known)
    whose, kinds = names(libraries, LIBRARIES, "libraries"), ["default", *names(networks, NETWORKS, "networks")]
    runs = [r for r in RUNS if r.system in chosen and r.library in whose and r.networks in kinds]
    if not page:
        play(runs, path, _numbers(SMOKE_MINUTES if smoke else minutes), seed, python, classifier, smoke)
    rows = read(path)
    draw(rows, out / PICTURE)
    write_section(out, HEADING, ABOUT, SHOWN, [row for _, points in _curves(rows) for row in points])


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
