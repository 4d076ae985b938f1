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
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

MILLISECONDS = 1e-9
"""In a picosecond."""
CONTAINERS = ("Call", "CallOp", "While", "If")
"""How kinds end that run other operations."""


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


def main(
    systems: Annotated[str, typer.Option(help=f"Which, of {', '.join(PAIRS)}.")] = "vae,aae",
    steps: Annotated[int, typer.Option(min=WARM_UP, help="Steps that are watched.")] = 50,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Of one operation; operations run one after the other.")] = 1,
    most: Annotated[int, typer.Option(min=1, help="Kinds that are shown.")] = 15,
) -> None:
    """Shows in what operations `fit` spends a step, with the networks that `peer_speed.py` sets against pythae's.

    [bold]Examples[/bold]

    [cyan]python benchmarks/profile_step.py --systems aae,vae_gan[/cyan]
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


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
