"""`keras-ijae compare`: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, at least two.")],
    csv: Csv = False,
    json: Json = False,
) -> None:
    """Print runs side by side: arguments that differ, last and best values, scores that were measured.

    What one run alone has logged is in --csv and --json only. Values are those of history.csv, scores those of
    scores.json and evaluation.json, which `keras-ijae evaluate` writes into a run directory.

    [bold]Examples[/bold]

    [cyan]keras-ijae compare runs/vae runs/ijae[/cyan]

    [cyan]keras-ijae compare runs/* --csv > runs.csv[/cyan]
    """
    start_tensorflow()
    from keras_ijae.training.comparing import compare_runs

    rows = compare_runs(runs)
    shared = [row for row in rows if ", " not in row["what"] or sum(row[str(run)] is not None for run in runs) > 1]
    show(rows if csv or json else shared, csv, json)
