"""Speed and memory of the metrics against what else computes them: `python benchmarks/metrics.py --help`."""

import contextlib
import io
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import typer  # noqa: E402
from options import names  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Column, Table  # noqa: E402

from keras_ijae.metrics import FrechetAccumulator, prdc  # noqa: E402

COLUMNS = ("comparison", "seconds, ours / theirs", "times faster", "MB, ours / theirs", "numbers differ by")


@dataclass
class Comparison:
    """Two ways to the same numbers; `tolerance` is relative. `ours` and `theirs` return a list of floats.

    `memory`: whether both hold what they need in NumPy's arrays, where it can be seen.
    """

    name: str
    ours: Callable[[], list[float]]
    theirs: Callable[[], list[float]]
    tolerance: float
    memory: bool = True


def frechet(rows: int, dimensions: int) -> Comparison:
    """The distance from sums at hand, against the root of the covariances' product as SciPy takes it."""
    import scipy.linalg

    first, second = FrechetAccumulator(dimensions), FrechetAccumulator(dimensions)
    for seed, accumulator in enumerate((first, second)):
        accumulator.update(_features(rows, dimensions, seed))
    one, other, means = first.covariance, second.covariance, first.mean - second.mean

    def with_sqrtm() -> list[float]:
        root = scipy.linalg.sqrtm(one @ other)
        return [float(means @ means + np.trace(one + other) - 2 * np.trace(root).real)]

    name = f"Frechet distance, d = {dimensions}, and scipy.linalg.sqrtm"
    return Comparison(name, lambda: [first.result(second)], with_sqrtm, 1e-8, memory=False)


def neighbours(rows: int, dimensions: int) -> Comparison:
    """Precision, recall, density and coverage, against the package `prdc`, with its one k for all."""
    from prdc import compute_prdc

    real, fake = (_features(rows, dimensions, seed) for seed in (0, 1))

    def with_the_package() -> list[float]:
        with contextlib.redirect_stdout(io.StringIO()):
            return [float(value) for value in compute_prdc(real, fake, nearest_k=5).values()]

    name = f"precision, recall, density, coverage, {rows} x {rows} x {dimensions}, and the package prdc"
    return Comparison(name, lambda: list(vars(prdc(real, fake, 5, 5)).values()), with_the_package, 1e-9)


def ais(rows: int, dimensions: int) -> Comparison:
    """All chains of all observations at once, against one chain of one observation after the other.

    A linear decoder, eight observations, four chains, 200 steps, whatever `rows` and `dimensions` are. Estimates are
    random: their means must agree to 5 %.
    """
    import keras
    from scipy.special import logsumexp

    from keras_ijae import models, random
    from keras_ijae.evaluation.annealing import Joint

    keras.utils.set_random_seed(0)
    codes, x = keras.Input((2,)), keras.Input((4,))
    encoder, decoder = keras.Model(x, keras.layers.Dense(4)(x)), keras.Model(codes, keras.layers.Dense(4)(codes))
    model = models.VAE(encoder=encoder, decoder=decoder, likelihood="gaussian")
    observations = random.normal([8, 4], 0)
    together, alone = (Joint(model, None, steps=200, chains=4, leapfrog_steps=10) for _ in range(2))

    def estimate(joint: Joint, x: Any, chains: int, seed: int) -> np.ndarray:
        key = random.fold(seed, "benchmark")
        return joint.anneal(x, joint.sample(chains, len(x), key), key, reverse=False, progress=False)[0]

    def one_by_one() -> list[float]:
        chains = [[estimate(alone, x[None], 1, 10 * i + c)[0] for c in range(4)] for i, x in enumerate(observations)]
        return [float(np.mean(logsumexp(chains, axis=1) - np.log(4)))]

    name = "AIS, 8 observations x 4 chains x 200 steps, and the same one by one"
    return Comparison(name, lambda: [float(estimate(together, observations, 4, 1).mean())], one_by_one, 0.05, False)


COMPARISONS: dict[str, Callable[[int, int], Comparison]] = {"frechet": frechet, "prdc": neighbours, "ais": ais}


def _features(rows: int, dimensions: int, seed: int) -> np.ndarray:
    """Gaussian, with deviations over a factor of 100 and a shifted mean."""
    scales = np.geomspace(0.01, 1, dimensions)
    return (np.random.default_rng(seed).normal(size=(rows, dimensions)) + 0.1 * seed) * scales


def _peak(work: Callable[[], Any]) -> tuple[Any, float]:
    """What `work` returns, and the most memory in MB that it held besides what was there before."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _seconds(work: Callable[[], Any], clock: str) -> float:
    now = {"wall": time.perf_counter, "cpu": time.process_time}[clock]
    start = now()
    work()
    return now() - start


def _row(comparison: Comparison, repeats: int, clock: str) -> tuple[list[str], float]:
    """A line of the table and the largest relative difference."""
    (ours, our_peak), (theirs, their_peak) = _peak(comparison.ours), _peak(comparison.theirs)
    difference = max(abs(a - b) / max(abs(b), 1e-300) for a, b in zip(ours, theirs, strict=True))
    times = [[_seconds(way, clock) for way in (comparison.ours, comparison.theirs)] for _ in range(repeats)]
    seconds, ratio = "-", "-"
    if times:
        seconds = " / ".join(f"{statistics.median(column):.2f}" for column in zip(*times, strict=True))
        ratios = [theirs / ours for ours, theirs in times]
        ratio = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    memory = "-" if not comparison.memory else f"{our_peak:.0f} / {their_peak:.0f} = {our_peak / their_peak:.2f}"
    return [comparison.name, seconds, ratio, memory, f"{difference:.0e}"], difference


def _accumulator_memory(dimensions: int, batch: int = 500) -> list[float]:
    """Peaks in MB for 2, 20 and 200 batches."""

    def accumulate(batches: int) -> None:
        accumulator, features = FrechetAccumulator(dimensions), _features(batch, dimensions, 0)
        for _ in range(batches):
            accumulator.update(features)

    return [_peak(lambda batches=batches: accumulate(batches))[1] for batches in (2, 20, 200)]


def main(
    only: Annotated[str, typer.Option(help="Which, with commas between.")] = ",".join([*COMPARISONS, "accumulator"]),
    rows: Annotated[int, typer.Option(min=10, help="Of each set of features.")] = 10000,
    dimensions: Annotated[int, typer.Option(min=1, help="Of the features.")] = 2048,
    repeats: Annotated[int, typer.Option(min=0, help="Timings of each, in turns; 0: only numbers and memory.")] = 3,
    clock: Annotated[
        Literal["wall", "cpu"], typer.Option(help="cpu: time of all threads, steadier where others use the machine.")
    ] = "wall",
) -> None:
    """Times the metrics against other programs, after checking that both give the same numbers.

    Memory is the peak of NumPy's arrays, without the features. Timings mean something only on a machine that does
    nothing else; what is to be read is the ratio. The package `prdc` must be installed for the second comparison.

    The exit code is 1 if numbers differ (by more than 1e-8 and 1e-9 relative; by 5 % for AIS, whose numbers are
    random), or if an accumulator's memory grows with the number of rows by more than 1 %.

    [bold]Examples[/bold]

    [cyan]python benchmarks/metrics.py[/cyan]

    [cyan]python benchmarks/metrics.py --only frechet --repeats 5[/cyan]
    """
    console, failed, table = Console(), [], Table(Column(COLUMNS[0], overflow="fold"), *COLUMNS[1:])
    chosen = names(only, [*COMPARISONS, "accumulator"], "only")
    for name in [name for name in COMPARISONS if name in chosen]:
        comparison = COMPARISONS[name](rows, dimensions)
        row, difference = _row(comparison, repeats, clock)
        table.add_row(*row)
        failed += (
            [f"{comparison.name}: numbers differ by {difference:.1e}"] if difference > comparison.tolerance else []
        )
    if table.row_count:
        console.print(table)
    if "accumulator" in chosen:
        peaks = _accumulator_memory(dimensions)
        text = ", ".join(f"{peak:.1f}" for peak in peaks)
        console.print(f"A Frechet accumulator holds at most {text} MB while it sees 1,000, 10,000 and 100,000 rows.")
        failed += [f"accumulator: memory grows, {text} MB"] if max(peaks) > 1.01 * min(peaks) else []
    for line in failed:
        Console(stderr=True).print(f"FAILED: {line}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(main)
    app()
