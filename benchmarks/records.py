"""Rows and sections of docs/performance.md, kept as the experiments keep theirs, and the machine they are of."""

import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "experiments"))

from experiment import append, finished, origin, print_table, printed, processor, read, text, write_tables  # noqa: E402

PAGE = "performance.md"
OUT = Path("runs/benchmarks")
SHORT = "short"
"""In the column of that name: fewer steps or repeats than by default, to see that all works."""

__all__ = ["OUT", "ROOT", "SHORT", "append", "finished", "machine", "origin", "read", "text", "write_section"]


def machine() -> str:
    """The processor, the cores that this process may use, and the versions of what computes."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy"))
    cores = len(os.sched_getaffinity(0))
    return f"{processor()}, {cores} core{'s' * (cores > 1)}, Python {platform.python_version()}, {packages}"


def write_section(
    out: Path, heading: str, about: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> None:
    """A section of the page in `out`: its heading, what it says, a table, and the machines of its rows.

    Rows of short runs are shown only where there are no others.

    Args:
        out: directory of the page.
        heading: "## ...".
        about: Markdown, the protocol; a picture too.
        columns: shown.
        rows: as they stand in a CSV file, with columns "machine" and "short".
    """
    every = list(rows)
    rows = [row for row in every if not row[SHORT]] or every
    machines = "".join(f"\nMeasured on {name}.\n" for name in dict.fromkeys(row["machine"] for row in rows))
    if any(row[SHORT] for row in rows):
        machines += "\nRows marked *short* only show that the program works: they are not to be cited.\n"
    shown = [*columns, *([SHORT] if any(row[SHORT] for row in rows) else [])]
    if not (out / PAGE).exists():
        write_tables(out / PAGE, "# Performance", "")
    table = printed(print_table, shown, [[row[column] or "–" for column in shown] for row in rows])
    write_tables(out / PAGE, heading, f"\n{about}\n\n{table}{machines}")
