"""Where the time of a step goes, kind of operation by kind: `python benchmarks/profile_step.py --help`."""

import collections
import os
import tempfile
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402
from loops import WARM_UP  # noqa: E402
from options import names  # noqa: E402
from peer import PAIRS, SHAPE, ours  # noqa: E402
from records import SHORT, append, machine, origin, read, write_section  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

MILLISECONDS = 1e-9
"""In a picosecond."""
CONTAINERS = ("Call", "CallOp", "While", "If")
"""How kinds end that run other operations."""
STEPS, REST = 50, "all else"
SHARES = {"convolutions": "Conv2D", "products": "MatMul", "Adam": "Adam"}
"""What the page tells apart, and what the kinds of its operations have in their names."""
COLUMNS = ["system", "ms a step", *SHARES, REST]
HEADING, FILE = "## Where the time of a step goes", "profile.csv"
ABOUT = """Shares of the time of all operations that a step of `model.fit` runs, with the networks, data and batches
that are set against pythae's above, one thread, by `benchmarks/profile_step.py`. *convolutions* are those of both
passes, which oneDNN computes as it does for PyTorch; *products* those of matrices; *Adam* the optimizers; *all else*
noise, activations, losses, logs and sums."""


def profile(model: keras.Model, batch_size: int, steps: int) -> dict[str, float]:
    """Kind of operation -> milliseconds of a step in it, summed over threads, most first.

    Operations that run others, such as calls of functions, are left out; those that run at once count each.
    """
    images = np.random.default_rng(0).random((steps * batch_size, *SHAPE), dtype="float32")
    model.fit(images[: WARM_UP * batch_size], batch_size=batch_size, verbose=0)
    with tempfile.TemporaryDirectory() as directory:
        with tf.profiler.experimental.Profile(directory):
            model.fit(images, batch_size=batch_size, verbose=0)
        (path,) = Path(directory).rglob("*.xplane.pb")
        total = _by_kind(path.read_bytes())
    return {kind: time * MILLISECONDS / steps for kind, time in total.most_common()}


def _by_kind(written: bytes) -> collections.Counter:
    """Picoseconds of the operations that executors ran, which are called NAME:KIND."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    total = collections.Counter()
    for plane in xplane_pb2.XSpace.FromString(written).planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            _, colon, kind = name.partition(":")
            if colon and kind.isidentifier() and not kind.endswith(CONTAINERS):
                total[kind] += event.duration_ps
    return total


def shares(found: dict[str, float]) -> dict[str, str]:
    """A row of the page of what `profile` gives: percent of the time."""
    total = sum(found.values())
    parts = {name: sum(time for kind, time in found.items() if part in kind) for name, part in SHARES.items()}
    parts[REST] = total - sum(parts.values())
    return {"ms a step": f"{total:.2f}"} | {name: f"{time / total:.0%}" for name, time in parts.items()}


def main(
    systems: Annotated[str, typer.Option(help=f"Which, of {', '.join(PAIRS)}.")] = "vae,aae",
    steps: Annotated[int, typer.Option(min=WARM_UP, help="Steps that are watched.")] = STEPS,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Of one operation; operations run one after the other.")] = 1,
    most: Annotated[int, typer.Option(min=1, help="Kinds that are shown.")] = 15,
    out: Annotated[Path | None, typer.Option(help="Directory of the CSV file and the page; none: only shown.")] = None,
) -> None:
    """Shows in what operations `fit` spends a step, with the networks that `peer_speed.py` sets against pythae's.

    [bold]Examples[/bold]

    [cyan]python benchmarks/profile_step.py --systems aae,vae_gan[/cyan]

    [cyan]python benchmarks/profile_step.py --systems vae,wae_mmd,rae_l2,aae,wae_gan,vae_gan --out docs[/cyan]
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in names(systems, PAIRS):
        found = profile(ours(PAIRS[name]), batch_size, steps)
        total, table = sum(found.values()), Table("operation", "ms a step", "share", title=name)
        for kind, time in list(found.items())[:most]:
            table.add_row(kind, f"{time:.3f}", f"{time / total:.1%}")
        table.add_row("all", f"{total:.3f}", "100%", style="bold")
        Console().print(table)
        if out:
            about = {SHORT: "" if steps >= STEPS else SHORT, "machine": machine()}
            row = {"system": PAIRS[name].label, **shares(found), **about, **origin("profile_step.py", "benchmarks")}
            append(out / FILE, row, list(row))
            latest = {row["system"]: row for row in read(out / FILE)}
            write_section(out, HEADING, ABOUT, COLUMNS, latest.values())


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
