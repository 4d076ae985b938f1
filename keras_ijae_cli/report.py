"""`keras-ijae report`: trained runs as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.output import wrote
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories, up to ten, side by side.")],
    out: Annotated[Path, typer.Option(help="HTML file to write; one that stands there is replaced.")] = Path(
        "report.html"
    ),
    import_: Import = None,
) -> None:
    """Make one page of a run, or of several side by side, that opens anywhere and fetches nothing.

    It shows what was trained and how it went, samples, reconstructions, interpolations, the nearest training examples,
    codes, curves, and the scores that `keras-ijae evaluate` left. A run that is not done, or went bad, is shown by its
    newest backup.

    [bold]Examples[/bold]

    [cyan]keras-ijae report runs/mnist --out report.html[/cyan]

    [cyan]keras-ijae report runs/vae runs/ijae --out comparison.html[/cyan]
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"Option --out must name a file that ends in .html. Received: {out}")
    start_tensorflow()
    from keras_ijae.report import write_report

    write_report(runs, out, progress=True)
    wrote(out)
