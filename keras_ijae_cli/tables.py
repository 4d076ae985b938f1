"""Tables of the command: for people, as wide as the terminal; for programs, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae_cli.output import printable

Csv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV, numbers in full.")]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON, numbers in full.")]

Row = Mapping[str, Any]


def show(
    rows: Sequence[Row],
    csv: bool = False,
    json: bool = False,
    *,
    title: str = "",
    notes: str = "",
    brief: Sequence[str] = (),
) -> None:
    """Prints rows on standard output.

    For people a table that is too wide is cut into several below each other, each with the columns of text at its
    left; nothing is left out of a cell.

    Args:
        rows: column -> value, of each row; a column that a row has not is empty there.
        csv, json: what is asked for instead; not both.
        title, notes: above and below the table for people.
        brief: the columns that people are shown; all by default.

    Raises:
        ValueError: both are asked for.
    """
    if csv and json:
        raise ValueError("Give --csv or --json, not both.")
    if csv or json:
        sys.stdout.write(as_csv(rows) if csv else as_json(rows))
        return
    console = Console()
    columns = brief or list(dict.fromkeys(name for row in rows for name in row))
    for index, names in enumerate(_fitting(rows, columns, console)):
        console.print(_best(rows, names, "" if index else title, console))
    if notes:
        console.print(printable(notes), markup=False, highlight=False)


def as_csv(rows: Sequence[Row]) -> str:
    """With a line of names; what is missing is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(content: Any) -> str:
    """Indented; NaN and infinities, which JSON has not, are strings that `float` reads.

    Letters of all alphabets stand as they are, characters that steer a terminal as their numbers.
    """
    text = json.dumps(_plain(content), indent=2, allow_nan=False, ensure_ascii=False, default=str) + "\n"
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def cell(value: Any) -> str:
    """A value for people: numbers to five digits, nothing for None, and no character that steers the terminal."""
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else printable(str(value))


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {str(name): _plain(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content


def _numeric(rows: Sequence[Row], name: str) -> bool:
    return any(isinstance(row.get(name), int | float) for row in rows)


def _best(rows: Sequence[Row], names: Sequence[str], title: str, console: Console) -> Table:
    """With names and numbers in one line each; where there is no room, with numbers, or with neither."""
    numbers = [name for name in names if _numeric(rows, name)]
    for whole in ([*names[:1], *numbers], numbers, []):
        table = _table(rows, names, title, whole)
        if _fits(table, console):
            break
    return table


def _table(rows: Sequence[Row], names: Sequence[str], title: str = "", whole: Sequence[str] = ()) -> Table:
    table = Table(title=escape(printable(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        number = _numeric(rows, name)
        width = max(map(cell_len, [printable(name), *(cell(row.get(name)) for row in rows)])) if name in whole else None
        how = {"no_wrap": name in whole, "min_width": width, "overflow": "fold"}
        table.add_column(escape(printable(name)), justify="right" if number else "left", **how)
    for row in rows:
        table.add_row(*(escape(cell(row.get(name))) for name in names))
    return table


def _fitting(rows: Sequence[Row], columns: Sequence[str], console: Console) -> list[list[str]]:
    """The columns of each of the tables into which they are cut."""
    texts = [name for name in columns if not _numeric(rows, name)]
    parts, part = [], list(texts)
    for name in (name for name in columns if name not in texts):
        if len(part) > len(texts) and not _fits(_table(rows, [*part, name]), console):
            parts.append(part)
            part = list(texts)
        part.append(name)
    return [*parts, part]


def _fits(table: Table, console: Console) -> bool:
    """Whether all of its words stand whole in the width."""
    unlimited = console.options.update(max_width=10_000)
    return console.measure(table, options=unlimited).minimum <= console.width
