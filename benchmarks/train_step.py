"""How fast `fit` trains, against loops written by hand: `python benchmarks/train_step.py --help`."""

import os
import statistics
from typing import Annotated, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import fused  # noqa: E402
import typer  # noqa: E402
from loops import CHECKED_STEPS, Shape, check, measure  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

TOLERANCE = 1e-5
COLUMNS = ("system", "images", "fit images/s", "fit speed / fused", "fit speed / joined", "fit time / naive")


def _shapes(text: str) -> list[Shape]:
    try:
        shapes = [tuple(int(size) for size in part.split("x")) for part in text.split(",")]
    except ValueError:
        shapes = []
    if not shapes or any(len(shape) != 3 or min(shape) < 1 for shape in shapes):
        raise typer.BadParameter(f"--shapes must be HxWxC,HxWxC,... Received: {text}")
    return shapes


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))


def _systems(text: str) -> list[str]:
    names = text.split(",")
    unknown = sorted(set(names) - set(fused.STEPS))
    if unknown:
        raise typer.BadParameter(f"--systems must be of {', '.join(fused.STEPS)}. Received: {', '.join(unknown)}")
    return names


def _ratio(over: list[float], under: list[float]) -> str:
    """Median of the repeats' ratios, and their range."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def _row(system: str, shape: Shape, images_per_repeat: int, seconds: dict[str, list[float]]) -> list[str]:
    speed = f"{images_per_repeat / statistics.median(seconds['fit']):.0f}"
    fused_over_fit = [_ratio(seconds[name], seconds["fit"]) if name in seconds else "-" for name in ("fused", "joined")]
    fit_over_naive = _ratio(seconds["fit"], seconds["naive"]) if "naive" in seconds else "one player"
    return [system, _text(shape), speed, *fused_over_fit, fit_over_naive]


def main(
    systems: Annotated[str, typer.Option(help="Which, with commas between.")] = ",".join(fused.STEPS),
    shapes: Annotated[str, typer.Option(help="Of the images, HxWxC, with commas between.")] = "28x28x1,32x32x3",
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of one timing.")] = 100,
    repeats: Annotated[int, typer.Option(min=0, help="Timings of each loop, in turns; 0: only check the weights.")] = 5,
    width: Annotated[int | None, typer.Option(min=1, help="Base channels of the networks; none: their own.")] = None,
    floatx: Annotated[
        Literal["float64", "float32"], typer.Option(help="Precision in which the weights are compared.")
    ] = "float64",
    clock: Annotated[
        Literal["wall", "cpu"], typer.Option(help="cpu: time of all threads, steadier where others use the machine.")
    ] = "wall",
) -> None:
    """Times `fit` against loops written by hand, after checking that all of them train the same weights.

    [bold]fused[/bold]: what an expert would write for this one system: a `tf.function` with one forward pass of encoder
    and decoder for all players. [bold]joined[/bold]: the same, where a network that has several batches to see gets
    them in one call, which is right only without batch statistics. [bold]naive[/bold]: each player runs its own forward
    passes. All have the same networks, optimizers, noise, averages and data; the timed ones are float32 and compiled
    as `fit` compiles by default.

    The exit code is 1 if a weight differs from `fit`'s by more than 1e-5 after 20 steps. Timings mean something only
    on a machine that does nothing else; short ones also weigh what `fit` does once.

    [bold]Examples[/bold]

    [cyan]python benchmarks/train_step.py[/cyan]

    [cyan]python benchmarks/train_step.py --systems ijae --shapes 64x64x3 --steps 30[/cyan]

    [cyan]python benchmarks/train_step.py --repeats 0[/cyan]
    """
    console, failed, table = Console(), [], Table(*COLUMNS)
    for system, shape in [(system, shape) for shape in _shapes(shapes) for system in _systems(systems)]:
        for loop, (difference, weight) in check(system, shape, batch_size, width, floatx).items():
            where = (
                f"{system} {_text(shape)} {loop}: weights within {difference:.1e} of fit's after {CHECKED_STEPS} steps"
            )
            console.print(where, highlight=False, soft_wrap=True)
            failed += [f"{where}, most in {weight}"] if difference > TOLERANCE else []
        if repeats:
            seconds = measure(system, shape, batch_size, width, steps, repeats, clock)
            table.add_row(*_row(system, shape, steps * batch_size, seconds))
    if repeats:
        console.print(table)
    for line in failed:
        Console(stderr=True).print(f"FAILED, more than {TOLERANCE:g}: {line}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
