"""The systems that the landscape has again, with another seed and on other data: how far is their order the same?"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from experiment import print_table, printed
from landscape_ranks import agreement, in_words
from scipy import stats

from keras_ijae.figures import new_figure, save_figure, styled

HEADING = "## Again: another seed, other data"
TIMES = {"MNIST": ("mnist", "0"), "MNIST, seed 1": ("mnist", "1"), "Fashion-MNIST": ("fashion_mnist", "0")}
"""What a time is called -> data set and seed."""
Rows = Sequence[Mapping[str, str]]


def together(rows: Rows) -> dict[str, list[Mapping[str, str]]]:
    """system -> its runs with its defaults, one of each time; systems that lack one are left out, and fewer than 3."""
    plain = {(row["system"], row["dataset"], row["seed"]): row for row in rows if _plain(row)}
    systems = dict.fromkeys(system for system, *_ in plain)
    found = {system: [plain.get((system, *time)) for time in TIMES.values()] for system in systems}
    found = {system: runs for system, runs in found.items() if all(runs)}
    return found if len(found) > 2 else {}


def _plain(row):
    return (row["settings"], row["prior"], row["codes"], row["budget"]) == ("{}", "", "16", "5 minutes")


def section(rows: Rows) -> str:
    """Of the page: distances and ranks of samples, steps, and how alike the orders of two times are."""
    found = together(rows)
    return printed(_print, found) if found else ""


def _print(found):
    samples = _samples(found)
    for (a, first), (b, second) in combinations(zip(TIMES, samples.T, strict=True), 2):
        alike = agreement(first, second)
        print(
            f"\n{a} and {b}, {len(found)} systems: rank correlation {alike.rho:.2f}, 95 % of resampled systems between "
            f"{alike.low:.2f} and {alike.high:.2f}; chance gives as much in {in_words(alike.chance)} of orders."
        )
    print()
    ranks = stats.rankdata(samples, axis=0)
    lines = [
        [system, *(f"{at:.3g} ({rank:g}; {run['steps']})" for run, at, rank in zip(runs, *of, strict=True))]
        for (system, runs), *of in zip(found.items(), samples, ranks, strict=True)
    ]
    order = np.argsort(samples[:, 0])
    processors = [run["processor"] for run in next(iter(found.values()))]
    names = [f"{name}, {processor} (rank; steps)" for name, processor in zip(TIMES, processors, strict=True)]
    print_table(["system", *names], [lines[place] for place in order])


def _samples(found):
    return np.array([[float(run["samples"]) for run in runs] for runs in found.values()])


@styled()
def draw(rows: Rows, path: Path) -> None:
    """A line for each system from time to time, by the rank of its samples; the distances stand beside the points."""
    found = together(rows)
    samples = _samples(found)
    ranks = stats.rankdata(samples, axis=0)
    figure = new_figure(8, 6)
    axis = figure.subplots()
    for system, of, distances in zip(found, ranks, samples, strict=True):
        (line,) = axis.plot(of, "o-", markersize=5)
        for at, (rank, distance) in enumerate(zip(of, distances, strict=True)):
            axis.annotate(f"{distance:.3g}", (at, rank), (0, 6), textcoords="offset points", ha="center", fontsize=7)
        axis.annotate(system, (0, of[0]), (-14, -3), textcoords="offset points", ha="right", color=line.get_color())
        axis.annotate(system, (2, of[-1]), (14, -3), textcoords="offset points", color=line.get_color())
    axis.set(xlim=(-0.6, len(TIMES) - 0.4), ylabel="rank of samples, 1 is the nearest")
    axis.set_xticks(range(len(TIMES)), list(TIMES))
    axis.invert_yaxis()
    save_figure(figure, path, dpi=100)
