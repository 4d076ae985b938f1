"""`keras-ijae lab`: the texts' small exact experiments, each a table and a figure."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show


def lab(
    name: Annotated[str | None, typer.Argument(help="Which experiment; all are listed without it.")] = None,
    figure: Annotated[Path | None, typer.Option(help="File to draw to: .png, .pdf, .svg ...")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is random, where anything is.")] = 0,
    csv: Csv = False,
    json: Json = False,
) -> None:
    """Run a small exact experiment: its table is printed, its figure drawn to a file.

    [bold]Examples[/bold]

    [cyan]keras-ijae lab[/cyan]
      list the experiments

    [cyan]keras-ijae lab mean-field --figure mean_field.png[/cyan]

    [cyan]keras-ijae lab mixture --csv > mixture.csv[/cyan]
    """
    suffix = None if figure is None else _drawable(figure)
    start_tensorflow()
    from keras_ijae.lab import experiments

    if name is None:
        listed = [{"experiment": name, "what it shows": experiments.describe(name)} for name in experiments.NAMES]
        return show(listed, csv, json)
    with Console(stderr=True).status(escape(f"{name}: {experiments.describe(name)}")):
        outcome = experiments.get_experiment(name)(seed)
    rows = [dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows]
    show(rows, csv, json, title=outcome.title, notes=outcome.notes)
    if figure is not None:
        _draw(outcome, figure, suffix)
        Console(stderr=True).print(f"Wrote {figure}", soft_wrap=True)


def _drawable(path: Path) -> str:
    """The suffix without its dot; ValueError unless matplotlib draws such files and `path` can be one."""
    from matplotlib.figure import Figure

    suffix, known = path.suffix[1:].lower(), sorted(Figure().canvas.get_supported_filetypes())
    if suffix not in known:
        raise ValueError(f"Option --figure must end in one of {', '.join(known)}. Received: {path}")
    if path.is_dir():
        raise ValueError(f"Option --figure must name a file. Received the directory {path}")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"Option --figure must be in a directory that can be written to. Received: {path}")
    return suffix


def _draw(outcome: Any, path: Path, suffix: str) -> None:
    from matplotlib.figure import Figure

    from keras_ijae.files import replacing

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    outcome.draw(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=120)
