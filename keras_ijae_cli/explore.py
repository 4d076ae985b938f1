"""`keras-ijae explore`: a trained model in the browser."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_ijae_cli.output import tell
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.use import Data, Dataset, Model, Split, load, recipe_of


def explore(
    model: Model,
    dataset: Dataset = None,
    data: Data = None,
    split: Split = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=2, max=10_000, help="Images at most, and samples of the prior.")
    ] = 1000,
    host: Annotated[
        str,
        typer.Option(help="Address to serve on; one that other machines reach needs the token in what is printed."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")] = 8050,
    import_: Import = None,
) -> None:
    """Look at a trained model in the browser, and steer it.

    The codes of held-out images and of the prior are points: hover shows the image, a click picks it, a lasso selects.
    Sliders move a code along principal components or single dimensions, and the decoded image follows. There are ways
    between two images, arithmetic with attributes, samples by seed; of a conditional model the class is chosen.
    All that is seen can be saved. Without an encoder the points are samples. It needs the extra keras_ijae\\[explore],
    and runs until Ctrl-C.

    [bold]Examples[/bold]

    [cyan]keras-ijae explore runs/mnist[/cyan]
      then open the address that it prints

    [cyan]keras-ijae explore runs/mnist --host 0.0.0.0 --port 9000[/cyan]
      for others in the network: whoever has the address with its token may look
    """
    _need_dash()
    loaded = load(model)
    from keras_ijae.explorer import Space, listening

    x, labels = _held_out(model, loaded, (dataset, data), split, count)
    space = Space(loaded, x, labels, model.resolve().name, count)
    with listening(space, host, port) as server:
        tell(f"Open {server.url}\nCtrl-C stops it.")
        server.serve()
    tell("Stopped.")


def _need_dash() -> None:
    try:
        importlib.import_module("dash")
    except ImportError as error:
        raise ValueError(
            f"`keras-ijae explore` needs dash: pip install 'keras_ijae[explore]'. Importing it fails: {error}"
        ) from error


def _held_out(model: Path, loaded: Any, of: tuple[Any, Any], split: str | None, count: int) -> tuple[Any, Any]:
    """Images and their labels; neither for a model without an encoder."""
    if not loaded.has_encoder:
        return None, None
    from keras_ijae.training.data import labelled_rows

    dataset, data = of
    return labelled_rows(recipe_of(model, dataset, loaded, data), split, count)
