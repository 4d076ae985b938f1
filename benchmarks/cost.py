"""What a step of each system costs, and what counting predicts: `python benchmarks/cost.py --help`."""

import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import multiplications  # noqa: E402
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402
from loops import SETTINGS, fit_loop, images, in_turns, warm_up  # noqa: E402
from options import Shape, names, ratios, shapes_of, text  # noqa: E402
from records import SHORT, append, machine, origin, read, write_section  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import keras_ijae as ki  # noqa: E402

REFERENCE, EXPLAINED, LATENT = "vae", 1.3, 16
STEPS, REPEATS = 50, 5
COLUMNS = (
    "system", "images", "batch_size", "step_ms", "time", "least", "most", "multiplications", "counted", "time/counted",
)  # fmt: skip
SHOWN = ("system", "images", "step_ms", "time", "range", "counted", "time/counted")
QUICK = "gan,ijae"
HEADING, FILE = "## Cost of a step", "cost.csv"
ABOUT = """Time of a step of `fit` over the VAE's, and what counting multiplications predicts, by `benchmarks/cost.py`:
*time* is the median of the ratios of a turn in CPU time, *least* and *most* their range, *counted* the ratio of
multiplications. Where *time/counted* is above 1.3, something takes time that does not multiply; no system is there.
info_vae was at 1.34 in the run of all systems, and is at 1.07 in a run of its own, its row here."""
Row = dict[str, Any]


def make(system: str, shape: Shape, width: int | None, batch_size: int) -> tuple[ki.models.Game, int]:
    """The system with default networks, where it starts slowly as it goes on; and a step's multiplications."""
    keras.utils.set_random_seed(0)
    settings = SETTINGS.get(system, ({},))[-1]
    model = ki.create(system, data_shape=shape, latent_dim=LATENT, width=width, **settings)
    model.compile()
    step = tf.function(model.train_step).get_concrete_function(tf.TensorSpec((batch_size, *shape)))
    return model, multiplications.of_graph(step.graph)


def compare(
    systems: list[str], shape: Shape, batch_size: int, width: int | None, steps: int, repeats: int, clock: str
) -> Iterator[Row]:
    """A row for each system: its step over the reference's in turns with it, in time and in multiplications."""
    reference, unit = make(REFERENCE, shape, width, batch_size)
    dataset = images(shape, batch_size, steps)
    for system in systems:
        model, counted = make(system, shape, width, batch_size)
        made = {"model": fit_loop(model), "reference": fit_loop(reference)}
        warm_up(made, shape, batch_size)
        seconds = in_turns(made, dataset, repeats, clock)
        time, least, most = ratios(seconds["model"], seconds["reference"])
        row = {"system": system, "images": text(shape), "batch_size": batch_size, "multiplications": counted}
        row |= {"step_ms": 1000 * statistics.median(seconds["model"]) / steps, "time": time, "least": least}
        yield row | {"most": most, "counted": counted / unit, "time/counted": time * unit / counted}


def keep(out: Path, row: Row, short: str = "") -> None:
    """Adds a row to the CSV file in `out` and writes the section of the page: of each system its latest row."""
    told = {name: _short(value) for name, value in row.items()}
    told |= {SHORT: short, "machine": machine(), **origin("cost.py", "benchmarks")}
    append(out / FILE, told, [*COLUMNS, SHORT, "machine", "commit", "command"])
    latest = {tuple(kept[name] for name in COLUMNS[:3]): kept for kept in read(out / FILE)}
    write_section(out, HEADING, ABOUT, COLUMNS, latest.values())


def _short(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _add(table: Table, row: Row) -> None:
    shown = row | {"range": f"{row['least']:.3g} to {row['most']:.3g}"}
    cells = [_short(shown[column]) for column in SHOWN]
    table.add_row(*cells, style="bold" if row["time/counted"] > EXPLAINED else None)


def main(
    systems: Annotated[str | None, typer.Option(help="Which, parted by commas; none: all.")] = None,
    shapes: Annotated[str, typer.Option(help="Of the images, HxWxC,HxWxC,...")] = "28x28x1",
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    steps: Annotated[int | None, typer.Option(min=1, help=f"Steps of one timing; none: {STEPS}.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Timings of each system, in turns with the VAE.")] = REPEATS,
    width: Annotated[int | None, typer.Option(min=1, help="Base channels of the networks; none: their own.")] = None,
    clock: Annotated[
        Literal["wall", "cpu"], typer.Option(help="cpu: time of all threads, steadier where others use the machine.")
    ] = "cpu",
    quick: Annotated[bool, typer.Option(help=f"Other defaults: --systems {QUICK} --steps 10.")] = False,
    out: Annotated[Path | None, typer.Option(help="Directory of the CSV file and the page; none: only shown.")] = None,
) -> None:
    """Times a step of `fit` of each system over the VAE's, and counts the multiplications of both.

    The two take turns in one process; "time" is the median of the ratios of a turn, with its range. Counted are
    products of matrices, convolutions and their gradients, in the graph of a step; "counted" is the ratio to the
    VAE's. A quotient "time/counted" above 1.3 is in bold: something takes time that does not multiply. Of systems that
    start slowly (WGAN) it is a step after their start.

    [bold]Examples[/bold]

    [cyan]python benchmarks/cost.py --quick[/cyan]

    [cyan]OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/cost.py --out docs[/cyan]
    """
    chosen = names(systems or (QUICK if quick else ",".join(ki.list_models())), ki.list_models())
    steps = steps or (10 if quick else STEPS)
    short = "" if steps >= STEPS and repeats >= REPEATS else SHORT
    table = Table(*SHOWN)
    for shape in shapes_of(shapes):
        for row in compare(chosen, shape, batch_size, width, steps, repeats, clock):
            _add(table, row)
            if out is not None:
                keep(out, row, short)  # what takes long is kept as it comes
    Console().print(table)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
