"""`keras-ijae figure`: the figures of the texts, of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.figures import FIGURES, Asked
from keras_ijae_cli.output import drawable, wrote
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show
from keras_ijae_cli.use import Data, Dataset, Seed, Split


def figure(
    name: Annotated[str | None, typer.Argument(help="Which figure; all are listed without it.")] = None,
    runs: Annotated[
        list[Path] | None, typer.Argument(help="A run directory or a .keras file; prd and distances take several.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to draw to: .png, .pdf, .svg ...; by default NAME.png. One that stands there is replaced."
        ),
    ] = None,
    dataset: Dataset = None,
    data: Data = None,
    split: Split = None,
    count: Annotated[int, typer.Option("--count", "-n", min=4, help="Held-out examples to read, at most.")] = 1000,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Rows of images, at most; 6, of attributes and dimensions 10, by default.")
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="By what neighbours and prd compare: data (pixels, or vectors as they are), inception, or a "
            "classifier that train-classifier stored (.keras); neighbours draws those in the data beside the others."
        ),
    ] = "data",
    seed: Seed = 0,
    csv: Csv = False,
    json: Json = False,
    import_: Import = None,
) -> None:
    """Draw a figure of a trained model, as papers have them.

    Neighbours and prd compare the data as they are, pixels, or the features that --features chooses; the titles of the
    drawing say which.

    [bold]Examples[/bold]

    [cyan]keras-ijae figure[/cyan]
      list the figures, and what each needs

    [cyan]keras-ijae figure latent-traversals runs/mnist --out traversals.pdf[/cyan]

    [cyan]keras-ijae train-classifier --dataset mnist[/cyan]
    [cyan]keras-ijae figure neighbours runs/mnist --features mnist-classifier.keras[/cyan]

    [cyan]keras-ijae figure prd runs/vae runs/gan --features mnist-classifier.keras[/cyan]
    """
    if name is None:
        return show(_listed(), csv, json)
    if csv or json:
        raise ValueError("Options --csv and --json are for the list of figures: figures of runs are drawn to --out.")
    if name not in FIGURES:
        raise _unknown(name)
    known, out = FIGURES[name], out or Path(f"{name}.png")
    suffix = drawable(out)
    runs = _existing(name, runs or [])
    start_tensorflow()
    from keras_ijae.figures import save_figure, together

    asked = Asked(name, runs, dataset, data, split, count, rows, features, seed)
    asked.check(known.needs)
    drawings = known.make(asked)
    save_figure(together(*drawings, columns=known.columns), out, format=suffix)
    wrote(out)


def _unknown(name: str) -> ValueError:
    start_tensorflow(devices=False)
    from keras_ijae.checks import did_you_mean

    hint = did_you_mean(name, FIGURES)
    listed = f"`keras-ijae figure` lists them: {', '.join(FIGURES)}"
    return ValueError(f"There is no figure {name!r}. {listed}{'.' * bool(hint)}{hint}")


def _existing(name: str, runs: list[Path]) -> list[Path]:
    if not runs or (len(runs) > 1 and not FIGURES[name].several):
        wanted = "one RUN or several" if FIGURES[name].several else "one RUN"
        raise ValueError(f"Figure {name} is of {wanted}. Received: {len(runs)}")
    if missing := [str(run) for run in runs if not run.exists()]:
        raise ValueError(f"Argument RUN must be a run directory or a .keras file. Nothing exists at {missing[0]}")
    return runs


def _listed() -> list[dict[str, str]]:
    return [
        {"figure": name, "what it shows": known.summary, "needs": ", ".join(known.needs) or "any model"}
        for name, known in FIGURES.items()
    ]
