"""`keras-ijae info`: what a run, a `.keras` file or an exported model says of itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_ijae_cli.output import printable
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, as_json, show


def info(
    path: Annotated[Path, typer.Argument(help="A run directory, a .keras file, or what `export` wrote.")],
    csv: Csv = False,
    json: Json = False,
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
    told = {name: _words(value) for name, value in found.items()}
    if "epochs" in found:
        told["epochs"] = "{} done of {}".format(*map(_words, found["epochs"]))
    if found.get("dataset") is None:
        told["dataset"] = "unknown"
    if json and not csv:
        sys.stdout.write(as_json(found))
    else:
        show([{"what": printable(name), "value": printable(value)} for name, value in told.items()], csv, json)


def _words(value: Any) -> str:
    """A list or dictionary on one line, without the marks of JSON."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_words(part) for part in value) or "none"
    return str(value)
