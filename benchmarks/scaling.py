"""How speed and memory of training grow with sizes: `python benchmarks/scaling.py --help`."""

import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer  # noqa: E402
from options import names  # noqa: E402
from records import OUT, SHORT, append, finished, machine, origin, read, text, write_section  # noqa: E402
from rich.console import Console  # noqa: E402

BASE = {"size": 28, "batch_size": 64, "width": 32, "latent_dim": 16, "critic_steps": 0, "replicas": 1}
SWEEPS: dict[str, tuple[int, ...]] = {
    "batch_size": (16, 32, 64, 128, 256, 512),
    "width": (8, 16, 32, 64, 128),
    "size": (28, 32, 48, 64, 96, 128),
    "latent_dim": (2, 16, 128, 512),
    "critic_steps": (1, 2, 5, 10),
    "replicas": (1, 2, 4),
}
CRITIC = "wgan_gp"  # whose number of moves of the critic is varied
STEPS, REPEATS, FIRST = 20, 3, 3
KEYS = ["sweep", "system", *BASE, "steps", "repeats"]
MEASURED = ["images/s", "peak_mb", "training_mb"]
COLUMNS = [*KEYS, *MEASURED, SHORT, "machine", "commit", "command"]
HEADING, FILE, PICTURE = "## Scaling", "scaling.csv", "pictures/scaling.png"
ABOUT = f"""Images a second of `fit` (the median of {REPEATS} timings of {STEPS} steps) and memory, by
`benchmarks/scaling.py`: each point in a fresh process, one size varied, the others as in *latent_dim* 16, *width* 32,
batches of 64 images of 28 x 28 x 1. *peak_mb* is the most resident memory of the whole process, *training_mb* how much
more that is than before the first step. *critic_steps* are moves of the critic for one of the decoder. Replicas share
the machine's cores and one global batch: they show the cost of having several, not a gain.

![Images a second and memory over sizes]({PICTURE})"""


def measure(point: dict[str, Any]) -> dict[str, float]:
    """Speed and memory of one point, in this process, which must not have trained before."""
    import numpy as np
    import tensorflow as tf

    devices = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(devices[0], [tf.config.LogicalDeviceConfiguration()] * point["replicas"])
    names = [f"CPU:{index}" for index in range(point["replicas"])]
    strategy = tf.distribute.MirroredStrategy(names) if len(names) > 1 else tf.distribute.get_strategy()
    shape, rows = (point["size"], point["size"], 1), point["steps"] * point["batch_size"]
    images = np.random.default_rng(0).random((rows, *shape), dtype="float32")
    loop = _loop(point, shape, strategy)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    loop(images[: FIRST * point["batch_size"]])
    seconds = [_timed(loop, images) for _ in range(point["repeats"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"images/s": rows / statistics.median(seconds), "peak_mb": peak, "training_mb": peak - before}


def _loop(point, shape, strategy):
    import keras

    import keras_ijae as ki

    keras.utils.set_random_seed(0)
    settings = {"critic_steps": point["critic_steps"]} if point["critic_steps"] else {}
    with strategy.scope():
        model = ki.create(
            point["system"], shape, point["latent_dim"], networks="dcgan", width=point["width"], **settings
        )
        model.compile()
    return lambda images: model.fit(images, batch_size=point["batch_size"], verbose=0)


def _timed(loop, images):
    import time

    begun = time.perf_counter()
    loop(images)
    return time.perf_counter() - begun


def planned(systems: Sequence[str], sweeps: Sequence[str], steps: int, repeats: int) -> Iterator[dict[str, Any]]:
    """The points of these sweeps: each system, and for critics theirs."""
    for sweep in sweeps:
        for system in [CRITIC] if sweep == "critic_steps" else systems:
            for value in SWEEPS[sweep]:
                yield {"sweep": sweep, "system": system, **BASE, sweep: value, "steps": steps, "repeats": repeats}


def fresh(point: dict[str, Any]) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--point", json.dumps(point)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(printed.splitlines()[-1])


def draw(rows: Sequence[dict[str, str]], path: Path) -> None:
    """A column for each sweep: speed above, memory of training below, over the size that is varied."""
    from matplotlib.figure import Figure

    from keras_ijae.files import replacing

    sweeps = [sweep for sweep in SWEEPS if any(row["sweep"] == sweep for row in rows)]
    figure = Figure(figsize=(3 * len(sweeps), 6), layout="constrained")
    axes = figure.subplots(2, len(sweeps), squeeze=False)
    for column, sweep in enumerate(sweeps):
        for axis, what in zip(axes[:, column], ("images/s", "training_mb"), strict=True):
            for system in dict.fromkeys(row["system"] for row in rows if row["sweep"] == sweep):
                points = [row for row in rows if (row["sweep"], row["system"]) == (sweep, system)]
                axis.plot([int(row[sweep]) for row in points], [float(row[what]) for row in points], "o-", label=system)
            axis.set(xlabel=sweep, ylabel=what if column == 0 else None)
            axis.set_xscale("log", base=2)
            axis.set_yscale("log")
            axis.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def main(
    systems: Annotated[str, typer.Option(help="Which, parted by commas.")] = "vae,ijae",
    sweeps: Annotated[str, typer.Option(help="Which sizes are varied.")] = ",".join(SWEEPS),
    steps: Annotated[int, typer.Option(min=1, help="Steps of one timing.")] = STEPS,
    repeats: Annotated[int, typer.Option(min=1, help="Timings of each point.")] = REPEATS,
    out: Annotated[Path, typer.Option(help="Directory of the CSV file and the page; docs has the kept ones.")] = OUT,
    page: Annotated[bool, typer.Option(help="Only write the page, from the rows that are there.")] = False,
    point: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Times `fit` and takes its memory, one size varied at a time, each point in a fresh process.

    Points that are in the CSV file already are not measured again. Timings mean something only on a machine that does
    nothing else.

    [bold]Examples[/bold]

    [cyan]python benchmarks/scaling.py --out docs[/cyan]

    [cyan]python benchmarks/scaling.py --systems vae --sweeps latent_dim --steps 2 --repeats 1[/cyan]
    """
    if point is not None:
        print(json.dumps(measure(json.loads(point))))
        return
    console, path, chosen = Console(), out / FILE, names(sweeps, SWEEPS, "sweeps")
    short = SHORT if steps < STEPS or repeats < REPEATS else ""
    for one in [] if page else planned(systems.split(","), chosen, steps, repeats):
        if tuple(text(one[key]) for key in KEYS) not in finished(path, KEYS):
            found = fresh(one)
            console.print({key: one[key] for key in KEYS} | found)
            append(
                path, one | found | {SHORT: short, "machine": machine()} | origin("scaling.py", "benchmarks"), COLUMNS
            )
    latest = {tuple(row[key] for key in KEYS[:-2]): row for row in read(path)}
    rows = sorted(
        latest.values(), key=lambda row: (list(SWEEPS).index(row["sweep"]), row["system"], int(row[row["sweep"]]))
    )
    draw(rows, out / PICTURE)
    write_section(out, HEADING, ABOUT, [*KEYS[:-2], *MEASURED], rows)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
