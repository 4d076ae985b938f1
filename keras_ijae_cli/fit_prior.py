"""`keras-ijae fit-prior`: a density fitted to a run's codes, which its samples are then drawn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.output import tell
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.use import load


def _directory(run: Path) -> Path:
    if not run.is_dir():
        raise ValueError(
            "Argument RUN must be a run directory, which says what the model was trained on. For a .keras file there "
            f"is `model.fit_prior(data)` in Python. Received: {run}"
        )
    return run


def fit_prior(
    run: Annotated[Path, typer.Argument(help="A run directory.", callback=_directory)],
    prior: Annotated[
        str | None,
        typer.Option(help="gmm, normal, flow, two_stage, vamp or sphere; by default what the system was created with."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the fit.")] = 0,
    import_: Import = None,
) -> None:
    """Fit a density to the codes of a run's training data; samples are then drawn from it.

    The run's model.keras is replaced by the same model with this density: sample, export and scores of samples use it,
    losses do not; older scores are kept as scores.old.json. Where `keras-ijae train --resume` goes on, the density is
    fitted again at the end. On tens of thousands of images this takes a minute or two.

    [bold]Example[/bold]

    [cyan]keras-ijae fit-prior runs/mnist --prior gmm[/cyan]
    """
    model = load(run)
    from keras_ijae.training import RunDirectory
    from keras_ijae.training.data import in_order, splits

    directory = RunDirectory(run)
    recipe = directory.read_recipe()
    split = splits(recipe)["train"]
    with directory.writing():
        model.fit_prior(in_order(recipe, split), prior, seed, progress=True)
        model.save(directory.model)
        replaced = directory.set_aside("scores.json")
    for old in replaced:
        tell(f"scores.json was of other samples: it is now {old}")
    tell(
        f"Fitted a {type(model.sampling_prior).__name__} to the codes of {recipe.dataset}, {split}; samples are drawn "
        f"from it. Wrote {directory.model}"
    )
