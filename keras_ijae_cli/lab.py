"""`keras-ijae lab`: the texts' small exact experiments, each a table and a figure."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from keras_ijae_cli.output import drawable, wrote
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show


def lab(
    name: Annotated[str | None, typer.Argument(help="Which experiment; all are listed without it.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure", "--out", help="File to draw to: .png, .pdf, .svg ...; one that stands there is replaced."
        ),
    ] = None,
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
    suffix = None if figure is None else drawable(figure, "--figure")
    start_tensorflow()
    from keras_ijae.lab import experiments

    if name is None:
        listed = [{"experiment": name, "what it shows": experiments.describe(name)} for name in experiments.NAMES]
        return show(listed, csv, json)
    console, about = Console(stderr=True), escape(f"{name}: {experiments.describe(name)}")
    if not console.is_terminal:
        console.print(about, soft_wrap=True)  # what turns on a terminal is not seen in a file
    with console.status(about):
        outcome = experiments.get_experiment(name)(seed)
    rows = [dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows]
    show(rows, csv, json, title=outcome.title, notes=outcome.notes)
    if figure is not None:
        _draw(outcome, figure, suffix)
        wrote(figure)


def _draw(outcome: Any, path: Path, suffix: str) -> None:
    from keras_ijae.figures import new_figure, save_figure, styled

    with styled():
        figure = new_figure(9, 4.5)
        outcome.draw(figure)
    save_figure(figure, path, format=suffix, dpi=120)
