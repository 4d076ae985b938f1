"""How fast `fit` trains, against loops written by hand: `python benchmarks/train_step.py --help`."""

import os
import statistics
from pathlib import Path
from typing import Annotated, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import fused  # noqa: E402
import loops  # noqa: E402
import typer  # noqa: E402
from loops import CHECKED_STEPS, measure  # noqa: E402
from options import names, ratio, ratios, shapes_of, text  # noqa: E402
from records import SHORT, append, machine, origin, read, write_section  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

TOLERANCE = 1e-5
COLUMNS = ("system", "images", "fit images/s", "fit speed / by hand")
QUICK = "vae,gan,ijae,mask_aae"
STEPS, REPEATS = 100, 5
HEADING, FILE = "## `fit` against loops written by hand", "train_step.csv"
KEPT = ["system", "images", "images/s", "ratio", "least", "most", "clock"]
ABOUT = """Speed of `fit` over that of a loop that an expert would write for one system, one `tf.function` with one
forward pass for all players that need it, by `benchmarks/train_step.py`, which first checks that both train the
same weights. They take turns: *ratio* is the median of the ratios of a turn, *least* and *most* their range. One
thread."""


def _checked(console: Console, systems: list[str]) -> bool:
    """Whether every loop trains the weights that `fit` trains; says so."""
    differences = {system: loops.check(system) for system in systems}
    for system, (difference, weight) in differences.items():
        where = f"weights within {difference:.1e} of fit's after {CHECKED_STEPS} steps"
        verdict = f"FAILED, most in {weight}: " if difference > TOLERANCE else ""
        console.print(f"{system}: {verdict}{where}", highlight=False, soft_wrap=True)
    return all(difference <= TOLERANCE for difference, _ in differences.values())


def main(
    systems: Annotated[str | None, typer.Option(help=f"Which, of {', '.join(fused.STEPS)}; none: all.")] = None,
    shapes: Annotated[str | None, typer.Option(help="Of the images; none: 28x28x1,32x32x3.")] = None,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of one timing; none: 100.")] = None,
    repeats: Annotated[
        int, typer.Option(min=0, help="Timings of each loop, in turns; 0: only check the weights.")
    ] = REPEATS,
    width: Annotated[int | None, typer.Option(min=1, help="Base channels of the networks; none: their own.")] = None,
    clock: Annotated[
        Literal["wall", "cpu"], typer.Option(help="cpu: time of all threads, steadier where others use the machine.")
    ] = "wall",
    check: Annotated[bool, typer.Option(help="Whether the weights are compared first.")] = True,
    quick: Annotated[
        bool, typer.Option(help=f"Other defaults: --systems {QUICK} --shapes 28x28x1 --steps 20.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Directory of the CSV file and the page; none: only shown.")] = None,
) -> None:
    """Times `fit` against loops written by hand, after checking that both train the same weights.

    There is one loop for each shape of game: what an expert would write for this one system, a `tf.function` with one
    forward pass for all players that need it. Both have the same networks, optimizers, noise, averages and data; the
    timed ones are float32 and compiled as `fit` compiles by default.

    The exit code is 1 if a weight differs from `fit`'s by more than 1e-5 after 20 steps. Timings mean something only
    on a machine that does nothing else; short ones also weigh what `fit` does once.

    [bold]Examples[/bold]

    [cyan]python benchmarks/train_step.py --quick[/cyan]

    [cyan]python benchmarks/train_step.py --systems ijae --shapes 64x64x3 --steps 30 --no-check[/cyan]

    [cyan]python benchmarks/train_step.py --repeats 0[/cyan]

    [cyan]OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/train_step.py --shapes 28x28x1 --clock cpu --out docs[/cyan]
    """
    console, table = Console(), Table(*COLUMNS)
    chosen = names(systems or (QUICK if quick else ",".join(fused.STEPS)), fused.STEPS)
    sizes, steps = shapes_of(shapes or ("28x28x1" if quick else "28x28x1,32x32x3")), steps or (20 if quick else STEPS)
    same = not check or _checked(console, chosen)
    for system, shape in [(system, shape) for shape in sizes for system in chosen] if repeats else []:
        seconds = measure(system, shape, batch_size, width, steps, repeats, clock)
        speed = f"{steps * batch_size / statistics.median(seconds['fit']):.0f}"
        table.add_row(system, text(shape), speed, ratio(seconds["fused"], seconds["fit"]))
        if out:
            short = SHORT if steps < STEPS or repeats < REPEATS else ""
            median, *reach = (f"{value:.3f}" for value in ratios(seconds["fused"], seconds["fit"]))
            row = dict(zip(KEPT, (system, text(shape), speed, median, *reach, clock), strict=True))
            row |= {SHORT: short, "machine": machine()} | origin("train_step.py", "benchmarks")
            append(out / FILE, row, list(row))
            latest = {(row["system"], row["images"]): row for row in read(out / FILE)}
            write_section(out, HEADING, ABOUT, KEPT, latest.values())
    if repeats:
        console.print(table)
    raise typer.Exit(0 if same else 1)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
