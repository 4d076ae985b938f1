"""`keras-ijae info`: what a run, a `.keras` file or an exported model says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae_cli.output import printable
from keras_ijae_cli.quiet import start_tensorflow


def info(
    path: Annotated[Path, typer.Argument(help="A run directory, a .keras file, or what `export` wrote.")],
    json_: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell what a trained model is: its system, sizes, training data and versions.

    Only descriptions are read: no network is loaded, and nothing that stands in the files is run.

    [bold]Examples[/bold]

    [cyan]keras-ijae info runs/mnist[/cyan]

    [cyan]keras-ijae info served/1 --json[/cyan]
    """
    start_tensorflow(devices=False)
    from keras_ijae.training import info as info_of

    found = info_of(path)
    if json_:
        return typer.echo(json.dumps(found, indent=2))
    table = Table("what", "value", show_header=False)
    for name, value in found.items():
        table.add_row(*(escape(printable(part)) for part in (name, _words(value))))
    Console().print(table)


def _words(value: Any) -> str:
    """A list or dictionary on one line, without the marks of JSON."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_words(part) for part in value) or "none"
    return str(value)
