"""How fast `fit` trains, against loops written by hand: `python benchmarks/train_step.py --help`."""

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Annotated

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import fused  # noqa: E402
import keras  # noqa: E402
import naive  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import typer  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from step import compiled  # noqa: E402

import keras_ijae as ki  # noqa: E402

CHECKED_STEPS, TOLERANCE = 20, 1e-5
WARM_UP = 5
Shape = tuple[int, ...]
Loop = Callable[[tf.data.Dataset], None]


def images(shape: Shape, batch_size: int, steps: int) -> tf.data.Dataset:
    """Random images in [0, 1] in memory, as many batches as steps."""
    values = np.random.default_rng(0).random((steps * batch_size, *shape), dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices(values.astype(keras.config.floatx()))
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def loops(system: str, shape: Shape, width: int | None) -> dict[str, tuple[ki.models.Game, Loop]]:
    """name -> (model, its loop over a dataset), every model with the same weights and compiled by its defaults."""
    steps = {"fit": None, "fused": fused.STEPS[system], "naive": naive.STEPS.get(system)}
    found: dict[str, tuple[ki.models.Game, Loop]] = {}
    for name, step in steps.items():
        if name != "fit" and step is None:
            continue
        keras.utils.set_random_seed(0)
        model = ki.create(system, data_shape=shape, latent_dim=16, networks="dcgan", width=width)
        model.compile()
        if found:
            model.set_weights(found["fit"][0].get_weights())
        found[name] = (model, _fit(model) if step is None else _plain(compiled(step, model)))
    return found


def _fit(model) -> Loop:
    return lambda dataset: model.fit(dataset, verbose=0)


def _plain(step: Callable) -> Loop:
    def loop(dataset: tf.data.Dataset) -> None:
        losses = {}
        for batch in dataset:
            losses = step(batch)
        for loss in losses.values():
            loss.numpy()  # waits for the device

    return loop


@contextlib.contextmanager
def precision(floatx: str) -> Iterator[None]:
    """Models made inside have weights of this type."""
    before = keras.config.floatx()
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)


def check(system: str, shape: Shape, batch_size: int, width: int | None, floatx: str) -> dict[str, tuple[float, str]]:
    """loop -> (largest difference of a weight from `fit`'s after 20 steps, that weight)."""
    with precision(floatx):
        dataset = images(shape, batch_size, CHECKED_STEPS)
        made = loops(system, shape, width)
        for _, loop in made.values():
            loop(dataset)
    reference = made.pop("fit")[0]
    return {name: _largest_difference(reference, model) for name, (model, _) in made.items()}


def _largest_difference(reference, model) -> tuple[float, str]:
    """Over all weights: networks, spectral vectors, running averages, counters."""
    found = []
    for mine, other in zip(reference.weights, model.weights, strict=True):
        difference = np.abs(np.asarray(mine.numpy(), "float64") - np.asarray(other.numpy(), "float64")).max()
        found.append((float(difference) if np.isfinite(difference) else float("inf"), mine.path))
    return max(found)


def measure(system: str, shape: Shape, batch_size: int, width: int | None, steps: int, repeats: int) -> dict[str, list[float]]:
    """loop -> seconds of every repeat; the loops take turns, and who begins changes."""
    made = loops(system, shape, width)
    for _, loop in made.values():
        loop(images(shape, batch_size, WARM_UP))
    dataset = images(shape, batch_size, steps)
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for repeat in range(repeats):
        names = list(made)
        start = repeat % len(names)
        for name in names[start:] + names[:start]:
            begun = time.perf_counter()
            made[name][1](dataset)
            seconds[name].append(time.perf_counter() - begun)
    return seconds


def _shapes(text: str) -> list[Shape]:
    try:
        shapes = [tuple(int(size) for size in part.split("x")) for part in text.split(",")]
    except ValueError:
        shapes = []
    if not shapes or any(len(shape) != 3 or min(shape) < 1 for shape in shapes):
        raise typer.BadParameter(f"--shapes must be HxWxC,HxWxC,... Received: {text}")
    return shapes


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
    over_naive = _ratio(seconds["fit"], seconds["naive"]) if "naive" in seconds else "one player"
    return [system, "x".join(map(str, shape)), speed, _ratio(seconds["fused"], seconds["fit"]), over_naive]


def main(
    systems: Annotated[str, typer.Option(help="Which, with commas between.")] = ",".join(fused.STEPS),
    shapes: Annotated[str, typer.Option(help="Of the images, HxWxC, with commas between.")] = "28x28x1,32x32x3",
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of one timing; short ones weigh what `fit` does once.")] = 100,
    repeats: Annotated[int, typer.Option(min=0, help="Timings of each loop, in turns; 0 checks the weights alone.")] = 5,
    width: Annotated[int | None, typer.Option(min=1, help="Base channels of the networks; default: their own.")] = None,
    floatx: Annotated[str, typer.Option(help="Precision in which weights are compared: float64 or float32.")] = "float64",
) -> None:
    """Times `fit` against two loops written by hand, after checking that all three train the same weights.

    [bold]fused[/bold]: what an expert would write for this one system: a `tf.function` with one forward pass of encoder and
    decoder for all players. [bold]naive[/bold]: each player runs its own forward passes. All have the same networks, optimizers,
    noise, averages and data; the timed ones are float32 and compiled as `fit` compiles by default.

    The exit code is 1 if a weight differs from `fit`'s by more than 1e-5 after 20 steps. Ratios mean something only
    on a machine that does nothing else.

    [bold]Examples[/bold]

    [cyan]python benchmarks/train_step.py[/cyan]

    [cyan]python benchmarks/train_step.py --systems ijae --shapes 64x64x3 --steps 30[/cyan]

    [cyan]python benchmarks/train_step.py --repeats 0[/cyan]
    """
    console, failed = Console(), []
    cases = [(system, shape) for shape in _shapes(shapes) for system in _systems(systems)]
    table = Table("system", "images", "fit images/s", "fit speed / fused speed", "fit time / naive time")
    for system, shape in cases:
        for loop, (difference, weight) in check(system, shape, batch_size, width, floatx).items():
            line = f"{system} {shape}: {loop} differs from fit by {difference:.1e} after {CHECKED_STEPS} steps, most in {weight}"
            console.print(line, highlight=False, soft_wrap=True)
            failed += [line] if difference > TOLERANCE else []
        if repeats:
            seconds = measure(system, shape, batch_size, width, steps, repeats)
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
