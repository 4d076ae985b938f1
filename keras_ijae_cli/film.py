"""`keras-ijae film`: the pictures that a run drew while it trained, as a film."""

from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.output import writable, wrote
from keras_ijae_cli.quiet import start_tensorflow


def film(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    out: Annotated[
        Path,
        typer.Option(
            help="File to write: .gif, .png or .apng (animated, all colours), .mp4 (extra film); one that stands there "
            "is replaced."
        ),
    ] = Path("film.gif"),
    name: Annotated[
        str, typer.Option(help="Of the pictures in the run's grids/: samples, reconstructions ...")
    ] = "samples",
    fps: Annotated[float, typer.Option(help="Pictures in a second.")] = 4.0,
) -> None:
    """Join the pictures that a run drew while it trained to a film, each with its epoch.

    `train --every` says how many epochs are between two. A run that is still training, or was stopped, has a film too.

    [bold]Examples[/bold]

    [cyan]keras-ijae film runs/mnist --out training.gif[/cyan]

    [cyan]keras-ijae film runs/mnist --name reconstructions --fps 10 --out training.mp4[/cyan]
    """
    writable(out)
    start_tensorflow()
    from keras_ijae.training import RunDirectory, save_film

    RunDirectory(run).read_recipe()
    save_film(run / "grids", out, name, fps)
    wrote(out)
