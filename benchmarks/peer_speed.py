"""How fast `fit` trains, against pythae on the same networks: `python benchmarks/peer_speed.py --help`."""

import os
import statistics
from pathlib import Path
from typing import Annotated, Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402
from loops import CLOCKS, WARM_UP  # noqa: E402
from options import names, ratios  # noqa: E402
from peer import PAIRS, PYTHON, SHAPE, Pair, ours, parameters, peer  # noqa: E402
from records import OUT, SHORT, append, machine, origin, read, write_section  # noqa: E402
from rich.console import Console  # noqa: E402

BATCH, STEPS, REPEATS = 64, 200, 9
WAYS = {"trainer": "its trainer", "bare": "its step in a bare loop"}
SHOWN = ["system", "pythae's", "against", "images/s", "peer's images/s", "ratio", "least", "most", "threads", "clock"]
COLUMNS = [*SHOWN, "parameters", "batch_size", "steps", "repeats", SHORT, "machine", "commit", "command"]
HEADING, FILE = "## Speed of training against pythae", "peers.csv"
ABOUT = """Images a second of `model.fit(array)` over those of pythae 0.1.2 on PyTorch 2.13.0, on MNIST's shape, in
batches of 64, by `benchmarks/peer_speed.py`. Both have the same layers and the same number of parameters, which is
asserted, and Adam. The two processes take turns, an epoch each; *ratio* is the median of the ratios of a turn, *least*
and *most* their range. The peer trains in two ways: by its trainer, which is what its users call, without saving; and
by the trainer's own step in a bare loop over batches that lie ready, which is less than `fit` does. Running averages
are off, since pythae has none. pythae's adversarial auto-encoder moves all at once, as our wae_gan; our aae has the two
phases of its paper, and so encodes each batch twice."""


def measure(pair: Pair, python: str, batch_size: int, steps: int, repeats: int, threads: int, clock: str) -> list[dict]:
    """A row for each of `WAYS`.

    Raises:
        ValueError: the two sides have different numbers of parameters.
    """
    images = np.random.default_rng(0).random((steps * batch_size, *SHAPE), dtype="float32")
    with peer(python, threads) as theirs:
        theirs.order(do="speed", system=pair.peer, batch_size=batch_size, steps=steps, threads=threads)
        model = ours(pair)
        count, other = parameters(model), theirs.answer()["parameters"]
        if count != other:
            raise ValueError(f"{pair.system} has {count} parameters, pythae's {pair.peer} {other}")
        model.fit(images[: WARM_UP * batch_size], batch_size=batch_size, verbose=0)
        seconds: dict[str, list[float]] = {"ours": [], **{way: [] for way in WAYS}}
        for repeat in range(repeats):
            for who in sorted(seconds, reverse=repeat % 2 == 1):
                if who == "ours":
                    begun = CLOCKS[clock]()
                    model.fit(images, batch_size=batch_size, verbose=0)
                    seconds[who].append(CLOCKS[clock]() - begun)
                else:
                    theirs.order(way=who)
                    seconds[who].append(theirs.answer()[clock])
    return [_row(pair, way, seconds, count, len(images)) for way in WAYS]


def _row(pair: Pair, way: str, seconds: dict[str, list[float]], count: int, images: int) -> dict[str, Any]:
    ratio, least, most = ratios(seconds[way], seconds["ours"])
    speeds = {
        name: f"{images / statistics.median(seconds[who]):.0f}"
        for name, who in (("images/s", "ours"), ("peer's images/s", way))
    }
    numbers = {"ratio": f"{ratio:.2f}", "least": f"{least:.2f}", "most": f"{most:.2f}"}
    return {"system": pair.label, "pythae's": pair.peer, "against": WAYS[way], **speeds, **numbers, "parameters": count}


def main(
    systems: Annotated[str, typer.Option(help="Which, parted by commas.")] = ",".join(PAIRS),
    steps: Annotated[int, typer.Option(min=WARM_UP, help="Steps of one timing.")] = STEPS,
    repeats: Annotated[int, typer.Option(min=1, help="Timings of each, in turns.")] = REPEATS,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = BATCH,
    threads: Annotated[int, typer.Option(min=1, help="Of either side.")] = 2,
    clock: Annotated[Literal["wall", "cpu"], typer.Option(help="cpu: time of all threads, spinning too.")] = "wall",
    python: Annotated[str, typer.Option(help="Of the peers' environment (or PEERS_PYTHON).")] = PYTHON,
    out: Annotated[Path, typer.Option(help="Directory of the CSV file and the page; docs has the kept ones.")] = OUT,
    page: Annotated[bool, typer.Option(help="Only write the page, from the rows that are there.")] = False,
) -> None:
    """Times `fit` against pythae's trainer, and against its step in a bare loop, in turns.

    Timings mean something only on a machine that does nothing else. A system's rows are kept as they come; of rows
    of one system the last ones are on the page.

    [bold]Examples[/bold]

    [cyan]python benchmarks/peer_speed.py --out docs[/cyan]

    [cyan]python benchmarks/peer_speed.py --systems vae,aae --steps 10 --repeats 1[/cyan]
    """
    console, path = Console(), out / FILE
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    about = {"batch_size": batch_size, "steps": steps, "repeats": repeats, "threads": threads, "clock": clock}
    about |= {SHORT: SHORT if steps < STEPS or repeats < REPEATS else "", "machine": machine()}
    for name in [] if page else names(systems, PAIRS):
        for row in measure(PAIRS[name], python, batch_size, steps, repeats, threads, clock):
            console.print(" ".join(str(row.get(column, "")) for column in SHOWN), highlight=False, soft_wrap=True)
            append(path, row | about | origin("peer_speed.py", "benchmarks"), COLUMNS)
    latest = {(row["system"], row["pythae's"], row["against"]): row for row in read(path)}
    write_section(out, HEADING, ABOUT, SHOWN, latest.values())


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
