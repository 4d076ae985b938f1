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

    Below the table stands which rows it leaves out: what one run alone has logged, losses of different systems or
    arguments, log p(x) beside log p(x | label), scores on different data, of other numbers of examples or in other
    features. --csv and --json have all. Values are those of history.csv, scores those
    of scores.json and evaluation.json, which `keras-ijae evaluate` writes into a run directory.

    [bold]Examples[/bold]

    [cyan]keras-ijae compare runs/vae runs/ijae[/cyan]

    [cyan]keras-ijae compare runs/* --csv > runs.csv[/cyan]
    """
    start_tensorflow()
    from keras_ijae.training.comparing import compare_runs, not_comparable, term

    rows = compare_runs(runs)
    left_out = {} if csv or json else not_comparable(rows, runs)
    every = [what for of_reason in left_out.values() for what in of_reason]
    terms = {why: ", ".join(dict.fromkeys(map(term, of_reason))) for why, of_reason in left_out.items()}
    notes = [f"Left out, {why}: {names}." for why, names in terms.items()]
    shown = [row for row in rows if row["what"] not in every]
    show(shown, csv, json, notes="\n".join([*notes, *(["--csv and --json have all rows."] if notes else [])]))
