"""Commands that use a trained model: reconstruct, interpolate, export; and what others take of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_ijae_cli.output import writable, wrote
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import only_ours, start_tensorflow
from keras_ijae_cli.settings import parse

if TYPE_CHECKING:
    from keras_ijae.training import Recipe


_UNKNOWN_CLASS = r"Could not locate class '(\w+)'"
"""What Keras says of a class that is in a file and has not been imported."""


def _existing(model: Path) -> Path:
    if not model.exists():
        raise ValueError(f"Argument MODEL must be a run directory or a .keras file. Nothing exists at {model}")
    return model


def ends_in(*suffixes: str) -> Callable[[Path], Path]:
    """The callback of an --out that must be a file with one of these suffixes, which can be written."""

    def checked(out: Path) -> Path:
        if out.suffix.lower() not in suffixes:
            raise ValueError(f"Option --out must name a file that ends in {' or '.join(suffixes)}. Received: {out}")
        writable(out)
        return out

    return checked


Model = Annotated[Path, typer.Argument(help="A run directory, or a .keras file.", callback=_existing)]
Picture = Annotated[
    Path, typer.Option(help="PNG file to write; one that stands there is replaced.", callback=ends_in(".png"))
]
Dataset = Annotated[str | None, typer.Option(help="Dataset; by default the one the run was trained on.")]
Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="KEY=VALUE",
        help="An argument of the dataset, as size=64, in place of the run's own; KEY=none removes one; repeatable.",
    ),
]
Split = Annotated[str | None, typer.Option(help="test, train[:1000], ...; by default what was held out.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, help="How many.")]
Columns = Annotated[int | None, typer.Option(min=1, help="Images in a row.")]
Seed = Annotated[int, typer.Option(help="Seed of the noise; the same seed gives the same result.")]


def reconstruct(
    model: Model,
    out: Picture = Path("reconstructions.png"),
    dataset: Dataset = None,
    data_: Data = None,
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
    from keras_ijae.game.data import unpack
    from keras_ijae.training.data import some_rows
    from keras_ijae.training.pictures import save_pairs

    data = some_rows(recipe_of(model, dataset, loaded, data_), split, count)
    caption = caption_of(model, loaded, "held-out images above their reconstructions")
    save_pairs(out, unpack(data), loaded.reconstruct(data, seed=seed), columns, caption=caption)
    wrote(out)


def interpolate(
    model: Model,
    out: Picture = Path("interpolations.png"),
    dataset: Dataset = None,
    data_: Data = None,
    split: Split = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many rows.")] = 8,
    steps: Annotated[int, typer.Option(min=2, help="Images in a row.")] = 10,
    import_: Import = None,
) -> None:
    """Draw rows of images that lead from one held-out image to another, along the codes.

    Those of a conditional model keep the label of the first.

    [bold]Example[/bold]

    [cyan]keras-ijae interpolate runs/mnist --out interpolations.png -n 6 --steps 12[/cyan]
    """
    loaded = _of_images(model)
    from keras_ijae.game.data import unpack
    from keras_ijae.training.data import some_rows
    from keras_ijae.training.pictures import save_grid

    data = some_rows(recipe_of(model, dataset, loaded, data_), split, 2 * count)
    if len(unpack(data)) < 2:
        raise ValueError(f"Option --split must hold at least two images. Received: {split}")
    caption = caption_of(model, loaded, "from one held-out image, left, to another, along the codes")
    save_grid(out, ways(loaded, data, steps), steps, caption=caption)
    wrote(out)


def export(
    model: Model,
    out: Annotated[Path, typer.Option(help="Directory to write, new or empty.")] = ...,
    format_: Annotated[
        str, typer.Option("--format", help="savedmodel, onnx (needs the extra keras_ijae\\[onnx]) or tflite.")
    ] = "savedmodel",
    encoder: Annotated[
        bool, typer.Option("--encoder", help="The encoder alone, a SavedModel that can be trained further.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was exported to --out before.")] = False,
    import_: Import = None,
) -> None:
    """Write the model for programs that do not have this package: a SavedModel, ONNX or TFLite.

    A SavedModel's signatures are sample (also serving_default), encode, decode and reconstruct; those of a conditional
    model take labels, and sample_labels draws what they ask for. ONNX and TFLite have encode, decode and reconstruct;
    samples are decoded from codes that are given. `keras-ijae info OUT` says what is there.

    [bold]Examples[/bold]

    [cyan]keras-ijae export runs/mnist --out served/1[/cyan]

    [cyan]keras-ijae export runs/mnist --out onnx --format onnx[/cyan]

    [cyan]keras-ijae export runs/mnist --out encoder/1 --encoder[/cyan]
    """
    if encoder and format_ != "savedmodel":
        raise ValueError(f"Option --encoder goes with --format savedmodel alone. Received: --format {format_}")
    check_free(out, overwrite)
    loaded = load(model)
    from keras_ijae.datasets.names import without_directories
    from keras_ijae.training import RunDirectory, info

    found = info(RunDirectory(model).model if model.is_dir() else model)  # its run's history may be damaged
    about = {"system": found["system"], "dataset": without_directories(found["dataset"])}
    with only_ours():
        if encoder:
            loaded.export_encoder(out, overwrite=True, about=about)  # it is empty, or may be replaced
        else:
            loaded.export(out, overwrite=True, format=format_, about=about)
    wrote(out)


def check_free(out: Path, overwrite: bool) -> None:
    """Raises unless an export may go to `out`: nothing but an earlier export is replaced, and that when asked."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not overwrite):
        raise ValueError(
            f"{out} exists and is not empty; it is not overwritten. Choose another directory, or --overwrite."
        )
    if out.is_dir() and any(out.iterdir()) and _kind(out) not in ("savedmodel", "onnx", "tflite"):
        raise ValueError(f"Option --overwrite replaces what was exported alone. {out} is something else.")
    start_tensorflow(devices=False)
    from keras_ijae.files import check_directory

    check_directory(out, "Option --out")


def _kind(path: Path) -> str | None:
    start_tensorflow(devices=False)
    from keras_ijae.training import info

    try:
        return info(path)["kind"]
    except ValueError:
        return None


def ways(model: Any, data: Any, steps: int) -> Any:
    """(n * steps, height, width, channels): rows of `steps` images from the first half to the second half.

    Args:
        model: with an encoder.
        data: images, as a pair with their labels where the model is conditional.
        steps: images in a row.
    """
    import tensorflow as tf

    half = len(tf.nest.flatten(data)[0]) // 2
    first = tf.nest.map_structure(lambda part: part[:half], data)
    second = tf.nest.map_structure(lambda part: part[half : 2 * half], data)
    rows = model.interpolate(first, second, steps=steps)
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
        python = f"; in Python `ki.load_model({str(model)!r})` has reconstruct and interpolate, which give arrays"
        raise ValueError(
            f"{model} makes vectors of shape {loaded.data_shape}, of which there are no pictures. `keras-ijae sample` "
            f"writes arrays of samples, .npz and .csv{python if loaded.has_encoder else ''}."
        )
    return loaded


def recipe_of(model: Path, dataset: str | None, loaded: Any, data: Sequence[str] | None = None) -> Recipe:
    """The run's recipe, or one that only says what the data are: with labels, where the loaded model has classes.

    Args:
        data: KEY=VALUE, merged over the arguments with which the run's data were loaded. These stay for another
            `dataset` too, for the model was trained on data that were loaded so.

    Raises:
        ValueError: a .keras file and no `dataset`, data of another shape than the model's, or arguments that do not
            suit them.
    """
    from keras_ijae.training import Recipe, RunDirectory

    recorded = RunDirectory(model).read_recipe() if model.is_dir() else None
    given, name = parse("--data", data or (), ("dataset", "split")), dataset or (recorded and recorded.dataset)
    if name is None:
        raise ValueError("A .keras file does not say how its data were loaded. Give --dataset NAME, and --data.")
    same = recorded is not None and name == recorded.dataset
    if same and not given:
        return recorded
    own = {} if recorded is None else recorded.data
    arguments = {key: value for key, value in {**own, **given}.items() if value is not None}
    _check_shape(name, arguments, given, loaded)
    if same:
        return dataclasses.replace(recorded, data=arguments)
    return Recipe(system="", dataset=name, data=arguments, classes=loaded.classes)


def _check_shape(dataset: str, arguments: dict[str, Any], given: dict[str, Any], loaded: Any) -> None:
    """ValueError unless data loaded so have the model's shape; it says which arguments, not `given`, are the run's."""
    from keras_ijae.training.data import check_names, described

    kept = ", ".join(f"{key}={value}" for key, value in arguments.items() if key not in given)
    hint = f". The run's data were loaded with {kept}: --data KEY=VALUE replaces one, KEY=none removes it" * bool(kept)
    try:
        check_names(given)  # those that remove an argument are no more among `arguments`
        shape = described(dataset, arguments).data_shape
    except ValueError as error:
        raise ValueError(f"{str(error).removesuffix('.')}{hint}") from error
    if shape != loaded.data_shape:
        raise ValueError(
            f"Option --dataset must have examples of the model's shape {loaded.data_shape}. Received: {dataset!r} of "
            f"shape {shape}{hint}"
        )


def caption_of(model: Path, loaded: Any, what: str) -> str:
    """What is seen, and of which run."""
    from keras_ijae.training import RunDirectory

    recipe = RunDirectory(model).read_recipe() if model.is_dir() else None
    kind = f"{recipe.system} on {recipe.dataset}" if recipe else loaded.created_as or type(loaded).__name__
    return f"{what}. {model}: {kind}, {int(loaded.steps.numpy()):,} steps"
