"""`keras-ijae sample`: what a trained model draws, as a picture or as arrays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_ijae_cli.output import wrote
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.tables import as_csv
from keras_ijae_cli.use import Columns, Count, Model, Seed, caption_of, ends_in, load

if TYPE_CHECKING:
    import numpy as np


def sample(
    model: Model,
    out: Annotated[
        Path,
        typer.Option(
            help="File to write, .png, .npz or .csv; one that stands there is replaced.",
            callback=ends_in(".png", ".npz", ".csv"),
        ),
    ] = Path("samples.png"),
    count: Count = 64,
    columns: Columns = None,
    label: Annotated[
        str | None,
        typer.Option(
            help="Of a conditional model, what is drawn: 0, 1, ..., or a class by its name; without it each label has "
            "a row of a picture, and in arrays labels are as frequent as in training."
        ),
    ] = None,
    seed: Seed = 0,
    observation: Annotated[
        str,
        typer.Option(
            help="mean: what the model expects to see; draw: drawn from its likelihood, of which a Gaussian's or "
            "Laplace's leaves [0, 1]: a picture shows it clipped."
        ),
    ] = "mean",
    import_: Import = None,
) -> None:
    """Draw new images or vectors, sampled from the model.

    A picture, .png, is of images. Of a conditional model each label has a row, unless --label asks for one. Images that
    stand in a column have one code. There are --columns of them in a row, or as many as bring the whole nearest to
    --count.

    Arrays are of any data, as many as --count says: .npz holds `samples`, images and vectors as the model gives them
    (what is drawn is not clipped), and `labels` of a conditional model; .csv has a line for each vector, and its label
    last.

    [bold]Examples[/bold]

    [cyan]keras-ijae sample runs/mnist --out samples.png -n 100 --seed 7[/cyan]

    [cyan]keras-ijae sample runs/cgan --out threes.png --label 3[/cyan]

    [cyan]keras-ijae sample runs/mnist --out samples.npz -n 10000[/cyan]
    """
    if columns is not None and out.suffix.lower() != ".png":
        raise ValueError(f"Option --columns is of pictures, .png. Received: --out {out}")
    loaded, names = load(model), _names_of(model)
    _check_kind(model, loaded.data_shape, out)
    number = None if label is None else _number_of(label, names, loaded.classes)
    if out.suffix.lower() == ".png":
        _draw(out, model, loaded, names, number, count=count, columns=columns, seed=seed, observation=observation)
    else:
        labels = loaded.sample_labels(count, seed) if number is None and loaded.classes is not None else number
        _write(out, loaded.sample(count, seed, labels, observation), labels)
    wrote(out)


def _check_kind(model: Path, shape: tuple[int, ...], out: Path) -> None:
    """ValueError where such a file does not hold observations of this shape."""
    suffix, images = out.suffix.lower(), len(shape) == 3
    if suffix == ".png" and not images:
        raise ValueError(
            f"{model} makes vectors of shape {shape}, of which there are no pictures: Option --out must end in .npz or "
            f".csv. Received: {out}"
        )
    if suffix == ".csv" and images:
        raise ValueError(
            f"{model} makes images of shape {shape}, and a .csv has vectors: Option --out must end in .png or .npz. "
            f"Received: {out}"
        )


def _draw(
    out: Path,
    model: Path,
    loaded: Any,
    names: list[str],
    label: int | None,
    *,
    count: int,
    columns: int | None,
    seed: int,
    observation: str,
) -> None:
    """Writes a picture."""
    from keras_ijae.training.pictures import class_names, samples_to_show, save_grid, to_show

    rows: list[str] = []
    if label is None:
        images, columns = to_show(loaded, count, seed, observation, columns)
        rows = names if len(names) == loaded.classes else class_names(loaded)
    else:
        images = samples_to_show(loaded, count, seed, observation, label)
    of_label = "" if label is None else f" of label {label}"
    save_grid(out, images, columns, rows=rows, caption=caption_of(model, loaded, f"samples{of_label}, seed {seed}"))


def _write(out: Path, samples: np.ndarray, labels: np.ndarray | int | None) -> None:
    """Writes arrays, whole or not at all; one label for all or for each."""
    import numpy as np

    from keras_ijae.files import replacing, write_text

    of_each = [] if labels is None else np.broadcast_to(np.asarray(labels, np.int32), len(samples))
    if out.suffix.lower() == ".csv":
        rows = [{f"x{at}": value for at, value in enumerate(row)} for row in samples]
        for row, label in zip(rows, of_each, strict=False):
            row["label"] = label
        return write_text(out, as_csv(rows))
    with replacing(out) as temporary, temporary.open("wb") as file:
        np.savez(file, samples=samples, **({} if labels is None else {"labels": of_each}))


def _names_of(model: Path) -> list[str]:
    """The names of the classes of a run, or of the model in it, where they are known."""
    from keras_ijae.training import RunDirectory

    run = RunDirectory(model if model.is_dir() else model.parent)
    return run.read_class_names() if model in (run.path, run.model) else []


def _number_of(label: str, names: list[str], classes: int | None) -> int:
    """The label that the name of a class, or else a number, stands for: names can be numbers too."""
    from keras_ijae.checks import did_you_mean, whole

    if classes is None:
        raise ValueError(f"Option --label is not taken: the model has no classes. Received: {label!r}")
    if label in names:
        return names.index(label)
    if not re.fullmatch(r"[+-]?\d{1,18}", label):
        known = f", or one of {', '.join(map(repr, names))}" if names else ""
        raise ValueError(
            f"Option --label must be a number, 0, 1, ...{known}. Received: {label!r}.{did_you_mean(label, names)}"
        )
    return whole("label", int(label), -1, classes - 1, ", -1 for unknown")
