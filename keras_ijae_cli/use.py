"""Commands that use a trained model: sample, reconstruct, interpolate, export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from keras_ijae.training import Recipe


_UNKNOWN_CLASS = r"Could not locate class '(\w+)'"
"""What Keras says of a class that is in a file and has not been imported."""


def _existing(model: Path) -> Path:
    if not model.exists():
        raise ValueError(f"Argument MODEL must be a run directory or a .keras file. Nothing exists at {model}")
    return model


def _png(out: Path) -> Path:
    if out.suffix.lower() != ".png" or out.is_dir():
        raise ValueError(f"Option --out must name a file that ends in .png. Received: {out}")
    return out


Model = Annotated[Path, typer.Argument(help="A run directory, or a .keras file.", callback=_existing)]
Picture = Annotated[Path, typer.Option(help="PNG file to write.", callback=_png)]
Data = Annotated[str | None, typer.Option(help="Dataset; by default the one the run was trained on.")]
Split = Annotated[str | None, typer.Option(help="test, train[:1000], ...; by default what was held out.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, help="How many.")]
Columns = Annotated[int | None, typer.Option(min=1, help="Images in a row.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise; the same seed gives the same result.")]


def sample(
    model: Model,
    out: Picture = Path("samples.png"),
    count: Count = 64,
    columns: Columns = None,
    seed: Seed = 0,
    observation: Annotated[
        str, typer.Option(help="mean: what the model expects to see; draw: drawn from its likelihood.")
    ] = "mean",
    import_: Import = None,
) -> None:
    """Draw new images, sampled from the model.

    [bold]Example[/bold]

    [cyan]keras-ijae sample runs/mnist --out samples.png -n 100 --seed 7[/cyan]
    """
    loaded = _of_images(model)
    from keras_ijae.training.pictures import save_grid

    save_grid(out, loaded.sample(count, seed=seed, observation=observation), columns)
    _wrote(out)


def reconstruct(
    model: Model,
    out: Picture = Path("reconstructions.png"),
    dataset: Data = None,
    split: Split = None,
    count: Count = 32,
    columns: Annotated[int, typer.Option(min=1, help="Pairs in a row.")] = 8,
    seed: Seed = 0,
    import_: Import = None,
) -> None:
    """Draw held-out images, each above its reconstruction.

    [bold]Example[/bold]

    [cyan]keras-ijae reconstruct runs/mnist --out reconstructions.png[/cyan]
    """
    loaded = _of_images(model)
    from keras_ijae.training.pictures import save_pairs

    images = _images(model, dataset, split, count)
    save_pairs(out, images, loaded.reconstruct(images, seed=seed), columns)
    _wrote(out)


def interpolate(
    model: Model,
    out: Picture = Path("interpolations.png"),
    dataset: Data = None,
    split: Split = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many rows.")] = 8,
    steps: Annotated[int, typer.Option(min=2, help="Images in a row.")] = 10,
    import_: Import = None,
) -> None:
    """Draw rows of images that lead from one held-out image to another, along the codes.

    [bold]Example[/bold]

    [cyan]keras-ijae interpolate runs/mnist --out interpolations.png -n 6 --steps 12[/cyan]
    """
    loaded = _of_images(model)
    from keras_ijae.training.pictures import save_grid

    images = _images(model, dataset, split, 2 * count)
    if len(images) < 2:
        raise ValueError(f"Option --split must hold at least two images. Received: {split}")
    save_grid(out, ways(loaded, images, steps), steps)
    _wrote(out)


def export(
    model: Model,
    out: Annotated[Path, typer.Option(help="Directory of the SavedModel, new or empty.")] = ...,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="The encoder alone, which can be trained further.")
    ] = False,
    import_: Import = None,
) -> None:
    """Write a SavedModel that serves without this package.

    Its signatures are sample (also serving_default), encode, decode and reconstruct.

    [bold]Examples[/bold]

    [cyan]keras-ijae export runs/mnist --out served/1[/cyan]

    [cyan]keras-ijae export runs/mnist --out encoder/1 --encoder[/cyan]
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ValueError(f"{out} exists and is not empty; it is not overwritten. Choose another directory.")
    loaded = load(model)
    (loaded.export_encoder if encoder else loaded.export)(out, overwrite=True)  # it is empty, if it exists
    _wrote(out)


def ways(model: Any, images: Any, steps: int) -> Any:
    """(n * steps, height, width, channels): rows of `steps` images from the first half to the second half."""
    half = len(images) // 2
    rows = model.interpolate(images[:half], images[half : 2 * half], steps=steps)
    return rows.reshape(-1, *rows.shape[2:])


def load(model: Path) -> Any:
    """The model of a run directory or a .keras file; TensorFlow is started."""
    start_tensorflow()
    from keras_ijae import load_model
    from keras_ijae.training import RunDirectory

    path = RunDirectory(model).model if model.is_dir() else model
    if not path.is_file():
        unfinished = RunDirectory(model).config.is_file()
        hint = f" Training is not done: `keras-ijae train --resume --out {model}` goes on." if unfinished else ""
        raise ValueError(f"There is no model at {path}.{hint}")
    try:
        return load_model(path)
    except ValueError as error:
        if unknown := re.search(_UNKNOWN_CLASS, str(error)):
            raise ValueError(
                f"{path} has a class {unknown[1]}: name the module that defines it by --import."
            ) from error
        raise


def _of_images(model: Path) -> Any:
    """As `load`, for a model whose observations can be drawn."""
    loaded = load(model)
    if len(loaded.data_shape) != 3:
        raise ValueError(
            f"{model} makes vectors of shape {loaded.data_shape}, of which there are no pictures. In Python "
            f"`ki.load_model({str(model)!r})` has sample, reconstruct and interpolate, which give arrays."
        )
    return loaded


def recipe_of(model: Path, dataset: str | None) -> Recipe:
    """The run's recipe, or one that only says what the data are."""
    from keras_ijae.training import Recipe, RunDirectory

    recorded = RunDirectory(model).read_recipe() if model.is_dir() else None
    if recorded is not None and dataset in (None, recorded.dataset):
        return recorded
    if dataset is None:
        raise ValueError("A .keras file does not say what it was trained on. Give --dataset NAME.")
    return Recipe(system="", dataset=dataset)


def _images(model: Path, dataset: str | None, split: str | None, count: int) -> Any:
    from keras_ijae.training.data import first_rows, in_order

    return first_rows(in_order(recipe_of(model, dataset), split, count), count)


def _wrote(path: Path) -> None:
    Console(stderr=True).print(f"Wrote {path}", soft_wrap=True)
