"""`keras-ijae train-classifier`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli import settings
from keras_ijae_cli.output import tell
from keras_ijae_cli.quiet import start_tensorflow


def train_classifier(
    dataset: Annotated[
        str, typer.Option(help="digits, a name of tensorflow-datasets such as mnist, folder:DIR, npz:FILE.")
    ],
    data: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An argument of the dataset, as size=64; repeatable.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Which label, where images have several: digit, or digit,color for each pair.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write, ending in .keras; DATASET[-LABEL]-classifier.keras by default.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data: by default five, and more of small sets.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the first weights, the order of the data and dropout.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a classifier that stands there.")] = False,
) -> None:
    """Train a small classifier of a dataset: the extractor of scores that needs no download.

    Its accuracy on held-out images is stored beside it as .json. Scores by its features carry its name and are
    neither FID nor Inception Score: they compare systems on this dataset.

    [bold]Examples[/bold]

    [cyan]keras-ijae train-classifier --dataset mnist[/cyan]

    [cyan]keras-ijae train-classifier --dataset fashion_mnist --out classifiers/fashion.keras[/cyan]

    [cyan]keras-ijae train-classifier --dataset color_mnist --label digit,color[/cyan]

    [cyan]keras-ijae train-classifier --dataset folder:photos --data size=64[/cyan]
    """
    name = f"{dataset}-{label}" if label else dataset
    out = out or Path(re.sub(r"[^\w.-]+", "-", name).strip("-") + "-classifier.keras")
    start_tensorflow()
    from keras_ijae.training.classifier import train_classifier as train
    from keras_ijae.training.progress import Progress

    progress = Progress(title=f"classifier of {name}")
    loaded = settings.parse("--data", data or (), ("label", "seed"))
    how = {"data": loaded, "label": label, "epochs": epochs, "seed": seed}
    try:
        record = train(dataset, out, **how, overwrite=overwrite, callbacks=[progress])
    except KeyboardInterrupt:
        tell("\nInterrupted: nothing was written.")
        raise typer.Exit(130) from None
    finally:
        progress.stop()
    tell(
        f"Wrote {out}: {100 * record.accuracy:.2f} % of {dataset}'s {record.split} images right, "
        f"{record.classes} classes."
    )
