"""Trains a lambda-IJAE and evaluates it again and again: memory stays flat, and nothing is traced anew.

    python benchmarks/soak.py --minutes 20                     # into runs/benchmarks
    python benchmarks/soak.py --minutes 5 --limit 1500         # at most so many MiB resident

Each round trains for an epoch on the digits, evaluates, reconstructs, samples and scores. soak_rounds.csv has a row for
each: seconds, resident memory in MiB, and how many graphs TensorFlow has traced so far; pictures/soak.png draws them,
and what came of it is appended to soak.csv and stands in performance.md, all in --out. The exit code is 1 if, after the
first quarter of the time, memory still grows by more than 2 % of what it is (a line fitted to the rest, from its
beginning to its end), if anything is traced, or at once if the limit is passed.
"""

import argparse
import csv
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from records import OUT, SHORT, append, machine, origin, read, write_section

from keras_ijae.files import replacing

WARM_UP, GROWTH, MINUTES = 0.25, 0.02, 20.0
HEADING, FILE, ROUNDS, PICTURE = "## Memory over time", "soak.csv", "soak_rounds.csv", "pictures/soak.png"
COLUMNS = ["rounds", "minutes", "resident_mib", "growth", "traced"]
KEPT = [*COLUMNS, SHORT, "machine", "commit", "command"]
ABOUT = f"""Of a process that trains a λ-IJAE on the digits, evaluates, reconstructs, samples and scores, again and
again, by `benchmarks/soak.py`: *resident_mib* at the end; how much of it has come since the first quarter of the
time, *growth* (a line fitted to the rest); and graphs *traced* since then. The program fails where memory grows by
more than {GROWTH:.0%} or anything is traced.

![Resident memory and traced graphs over time]({PICTURE})"""


class Row(NamedTuple):
    """After a round."""

    round: int
    seconds: float
    resident_mib: float
    traced: int


def resident() -> float:
    """MiB of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


class Traces:
    """Counts the graphs that TensorFlow traces from now on, but for those that read data: each data set has its own."""

    def __init__(self) -> None:
        from tensorflow.python.framework import func_graph  # there is no public count

        self.count, real = 0, func_graph.FuncGraph.__init__

        def counting(graph, name, *arguments, **options):
            self.count += not name.startswith("Dataset_")
            real(graph, name, *arguments, **options)

        func_graph.FuncGraph.__init__ = counting


def rounds(minutes: float, limit: float | None, system: str = "ijae"):
    """A `Row` after each round, until the time is over; MemoryError beyond the limit."""
    import keras_ijae as ki

    traces = Traces()
    train, test = ki.datasets.load("digits"), ki.datasets.load("digits", "test")
    model = ki.create(system, data_shape=(8, 8, 1), latent_dim=8, networks="mlp")
    model.compile()
    begun, number = time.monotonic(), 0
    while time.monotonic() < begun + 60 * minutes:
        model.fit(train, verbose=0)
        model.evaluate(test, verbose=0)
        model.reconstruct(next(iter(test)), seed=number)
        ki.evaluation.evaluate(model, test, ["sliced_wasserstein", "mse"], "data", samples=297, seed=number)
        number += 1
        row = Row(number, round(time.monotonic() - begun, 1), round(resident(), 1), traces.count)
        if limit is not None and row.resident_mib > limit:
            raise MemoryError(f"{row.resident_mib} MiB are resident after round {number}, more than {limit}")
        yield row


def verdict(rows: list[Row]) -> tuple[float, int]:
    """After the warm-up: growth of memory, as a share of it, and graphs traced."""
    late = [row for row in rows if row.seconds >= WARM_UP * rows[-1].seconds]
    seconds, memory = np.array([[row.seconds, row.resident_mib] for row in late]).T
    slope = np.polyfit(seconds, memory, 1)[0] if len(late) > 1 else 0.0
    return float(slope * (seconds[-1] - seconds[0]) / memory.mean()), late[-1].traced - late[0].traced


def draw(rows: list[Row], path: Path) -> None:
    """Memory and traced graphs over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    left = figure.subplots()
    minutes = [row.seconds / 60 for row in rows]
    left.plot(minutes, [row.resident_mib for row in rows], color="C0")
    left.set(xlabel="minutes", ylabel="resident MiB", ylim=(0, 1.2 * max(row.resident_mib for row in rows)))
    right = left.twinx()
    right.plot(minutes, [row.traced for row in rows], color="C1")
    right.set(ylabel="graphs traced", ylim=(0, 1.5 * max(row.traced for row in rows)))
    left.yaxis.label.set_color("C0"), right.yaxis.label.set_color("C1")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long (default: %(default)s)")
    parser.add_argument("--limit", type=float, help="MiB that may be resident")
    parser.add_argument(
        "--out", type=Path, default=OUT, help="directory of rows, page and picture (default: %(default)s)"
    )
    given = parser.parse_args(command)
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with (given.out / ROUNDS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        for row in rounds(given.minutes, given.limit):
            rows.append(row)
            writer.writerow(row)
            file.flush()
    draw(rows, given.out / PICTURE)
    growth, traced = verdict(rows)
    row = {"rounds": len(rows), "minutes": rows[-1].seconds / 60, "resident_mib": rows[-1].resident_mib}
    row |= {"growth": f"{growth:.2%}", "traced": traced, SHORT: SHORT if given.minutes < MINUTES else ""}
    append(given.out / FILE, row | {"machine": machine()} | origin("soak.py", "benchmarks"), KEPT)
    write_section(given.out, HEADING, ABOUT, COLUMNS, read(given.out / FILE))
    print(
        f"{len(rows)} rounds in {rows[-1].seconds / 60:.1f} minutes: {rows[-1].resident_mib:.0f} MiB resident, which "
        f"after the warm-up grew by {growth:.2%}; {traced} graphs traced meanwhile."
    )
    if growth > GROWTH or traced:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
