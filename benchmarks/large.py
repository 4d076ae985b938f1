"""Whether a million images can be evaluated and drawn in constant memory: `python benchmarks/large.py --help`."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer  # noqa: E402
from options import names  # noqa: E402
from records import OUT, SHORT, append, machine, origin, read, write_section  # noqa: E402
from rich.console import Console  # noqa: E402

SHAPE, LATENT, FEATURES, ROWS, FEW = (28, 28, 1), 16, 64, 500, 1000
COUNTS = "10000,100000,1000000"
GROWTH = 1.1
KINDS = {
    "evaluated": "images of a data set, and their reconstructions, by `evaluate`: Frechet distances and squared error",
    "sampled": "samples by `evaluate`, against a thousand images",
    "array": "samples as one array, by `sample`",
    "large": "images of 256 x 256 x 3 in `fit`, in batches of 8, default networks",
}
SHOWN = ["what", "images", "seconds", "images/s", "start_mb", "peak_mb", "result_mb"]
COLUMNS = [*SHOWN, SHORT, "machine", "commit", "command"]
HEADING, FILE = "## Large inputs", "large.csv"
ABOUT = f"""By `benchmarks/large.py`: a VAE on images of 28 x 28 x 1, each row in a fresh process. *peak_mb* is the most
resident memory of the process, *start_mb* what it was before the work. The script fails where the peak of *evaluated*
or *sampled* grows by more than {GROWTH - 1:.0%} from the fewest images to the most; that of *array* grows by its
result, *result_mb*. Memory is the point: the kept rows were made on a busy machine, whose images a second vary.

{chr(10).join(f"- *{kind}*: {about}" for kind, about in KINDS.items())}"""


def work(kind: str, count: int) -> dict[str, float]:
    """Seconds and memory in MB of one row, in this process, which must not have worked before."""
    import keras
    import tensorflow as tf

    import keras_ijae as ki

    shape = (256, 256, 3) if kind == "large" else SHAPE
    rows = 8 if kind == "large" else ROWS
    keras.utils.set_random_seed(0)
    model = ki.create("vae", shape, LATENT, width=None if kind == "large" else 8)
    model.compile()
    images = _images(tf, shape, FEW if kind == "sampled" else count, rows)
    start, begun, result = _resident(), time.perf_counter(), 0.0
    if kind == "array":
        result = model.sample(count).nbytes / 2**20
    elif kind == "large":
        model.fit(images, verbose=0)
    else:
        network = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(FEATURES)])
        ki.evaluation.evaluate(model, images, ["fid", "mse"], network, samples=count if kind == "sampled" else FEW)
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "images/s": count / seconds,
        "start_mb": start,
        "peak_mb": _resident(),
        "result_mb": result,
    }


def _images(tf, shape, count, rows):
    """Random images, made batch by batch."""

    def batch(index):
        return tf.random.stateless_uniform([rows, *shape], tf.stack([index, index]))

    return tf.data.Dataset.range(-(-count // rows)).map(batch)


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fresh(kind: str, count: int) -> dict[str, float]:
    """`work` in a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps([kind, count])]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])


def grown(peaks: dict[str, list[float]]) -> list[str]:
    """The kinds whose memory should not grow, and does."""
    return [kind for kind in ("evaluated", "sampled") if kind in peaks and peaks[kind][-1] > GROWTH * peaks[kind][0]]


def main(
    kinds: Annotated[str, typer.Option(help=f"Which of {', '.join(KINDS)}.")] = ",".join(KINDS),
    counts: Annotated[str, typer.Option(help="Of images, rising; of the large ones a thousandth.")] = COUNTS,
    out: Annotated[Path, typer.Option(help="Directory of the CSV file and the page; docs has the kept ones.")] = OUT,
    page: Annotated[bool, typer.Option(help="Only write the page, from the rows that are there.")] = False,
    one: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Evaluates and draws ever more images, and fails if memory grows.

    [bold]Examples[/bold]

    [cyan]python benchmarks/large.py --out docs[/cyan]

    [cyan]python benchmarks/large.py --kinds evaluated --counts 1000,2000[/cyan]
    """
    if one is not None:
        print(json.dumps(work(*json.loads(one))))
        return
    console, path, peaks, chosen = Console(), out / FILE, {}, names(kinds, KINDS, "kinds")
    about = {SHORT: "" if counts == COUNTS else SHORT, "machine": machine()} | origin("large.py", "benchmarks")
    for kind in [] if page else chosen:
        for count in map(int, counts.split(",")):
            images = max(count // 1000, 8) if kind == "large" else count
            row = {"what": kind, "images": images, **fresh(kind, images)}
            console.print(row)
            peaks.setdefault(kind, []).append(row["peak_mb"])
            append(path, row | about, COLUMNS)
    latest = {(row["what"], row["images"]): row for row in read(path)}
    write_section(out, HEADING, ABOUT, SHOWN, latest.values())
    for kind in grown(peaks):
        Console(stderr=True).print(f"FAILED: {kind}: memory grows, {peaks[kind]} MB", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if grown(peaks) else 0)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
