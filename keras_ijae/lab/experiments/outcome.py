"""What an experiment hands back."""

import dataclasses
from collections.abc import Callable

import matplotlib.figure


@dataclasses.dataclass(frozen=True, eq=False)
class Outcome:
    """A table, a word on it, and a figure.

    Attributes:
        title: one line above the table.
        columns: names of the columns.
        rows: one tuple per row, a cell per column: texts and numbers.
        notes: one to three sentences: what to see.
        draw: draws the figure into an empty `matplotlib.figure.Figure`.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]
    notes: str
    draw: Callable[[matplotlib.figure.Figure], None]
