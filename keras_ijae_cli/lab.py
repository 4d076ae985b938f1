"""`keras-ijae lab`: the texts' small exact experiments, each a table and a figure."""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae_cli.output import drawable
from keras_ijae_cli.quiet import start_tensorflow


def lab(
    name: Annotated[str | None, typer.Argument(help="Which experiment; all are listed without it.")] = None,
    figure: Annotated[Path | None, typer.Option(help="File to draw to: .png, .pdf, .svg ...")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is random, where anything is.")] = 0,
) -> None:
    """Run a small exact experiment: its table is printed, its figure drawn to a file.

    [bold]Examples[/bold]

    [cyan]keras-ijae lab[/cyan]
      list the experiments

    [cyan]keras-ijae lab mean-field --figure mean_field.png[/cyan]
    """
    suffix = None if figure is None else drawable(figure, "--figure")
    start_tensorflow()
    from keras_ijae.lab import experiments

    if name is None:
        Console().print(_listed(experiments))
        return
    with Console(stderr=True).status(escape(f"{name}: {experiments.describe(name)}")):
        outcome = experiments.get_experiment(name)(seed)
    table, console = _table(outcome), Console()
    # no number is cut off, however narrow the terminal is
    console.width = max(console.width, console.measure(table, options=console.options.update(max_width=1000)).minimum)
    console.print(table)
    Console().print(outcome.notes, markup=False, highlight=False)
    if figure is not None:
        _draw(outcome, figure, suffix)
        Console(stderr=True).print(f"Wrote {figure}", soft_wrap=True)


def _listed(experiments: ModuleType) -> Table:
    table = Table("experiment", "what it shows")
    for name in experiments.NAMES:
        table.add_row(name, experiments.describe(name))
    return table


def _table(outcome: Any) -> Table:
    table = Table(title=escape(outcome.title))
    for index, column in enumerate(outcome.columns):
        numbers = any(isinstance(row[index], int | float) for row in outcome.rows)
        table.add_column(escape(column), justify="right" if numbers else "left")
    for row in outcome.rows:
        table.add_row(*(f"{cell:.7g}" if isinstance(cell, float) else escape(str(cell)) for cell in row))
    return table


def _draw(outcome: Any, path: Path, suffix: str) -> None:
    from keras_ijae.figures import new_figure, save_figure, styled

    with styled():
        figure = new_figure(9, 4.5)
        outcome.draw(figure)
    save_figure(figure, path, format=suffix, dpi=120)
