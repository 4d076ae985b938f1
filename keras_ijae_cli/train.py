"""`keras-ijae train`, and the lists of what can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_ijae_cli import settings
from keras_ijae_cli.output import tell
from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, show

if TYPE_CHECKING:
    from keras_ijae.training import Recipe, RunDirectory


def train(
    system: Annotated[
        str | None, typer.Argument(help="What to train, as vae; `keras-ijae systems` lists them.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="What to train on: digits (needs no download), mnist, folder:DIR, npz:FILE ...; "
            "`keras-ijae datasets` lists them."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Which part of the dataset to train on, as train[:1000]: less its last tenth, where the set has no "
            "other validation split.",
            show_default="train",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Run directory: everything that the run writes.")] = ...,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Named settings of all that follows, in the place of the defaults; `keras-ijae recipes` lists them."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data.", show_default="20")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Examples per step, of all devices together.", show_default="64")
    ] = None,
    latent_dim: Annotated[int | None, typer.Option(min=1, help="Size of the code.", show_default="16")] = None,
    networks: Annotated[
        str | None, typer.Option(help="auto (by the shape of the data), mlp, dcgan or resnet.", show_default="auto")
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Channels of the first convolution, or hidden units of mlp.",
            show_default="that of the networks",
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(min=2, help="How many labels the dataset has, 0, 1, ...: a conditional model, which learns them."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Rate of the system's first optimizer; the others change in proportion.", show_default="the system's"
        ),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs between two backups, pictures and validations; the last one always has them.",
            show_default="1",
        ),
    ] = None,
    every_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of an epoch between two further backups, where epochs are long.")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="mirrored: all GPUs of this machine share each batch; multiworker: those of several machines, each of "
            "which runs this command with its own TF_CONFIG; none.",
            show_default="none",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of the first weights, the order of the data and all noise.", show_default="0"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An argument of the system, as lam=0.3; repeatable."),
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An argument of the dataset, as size=64; repeatable.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Delete the run in --out first.")] = False,
    import_: Import = None,
) -> None:
    """Train a system on a dataset into a run directory.

    The directory gets config.json, history.csv, journal.json, TensorBoard logs/, pictures in grids/, backup/ to resume
    from and, when done, model.keras. An existing run is never touched unless you say --resume or --overwrite.
    Ctrl-C, or SIGTERM, stops after a backup; --resume goes on from there. Validation, every few epochs and at the end,
    is on the set's own validation split, or else on the last tenth of train (or of --split), which is then not trained
    on; test is left for `keras-ijae evaluate`.

    [bold]Examples[/bold]

    [cyan]keras-ijae train ijae --dataset mnist --out runs/mnist --epochs 20 --set lam=0.3[/cyan]

    [cyan]keras-ijae train vae --dataset folder:photos --data size=64 --out runs/photos[/cyan]

    [cyan]keras-ijae train gan --dataset mnist --classes 10 --out runs/cgan[/cyan]
      a conditional model: `keras-ijae sample runs/cgan --label 3` draws threes

    [cyan]keras-ijae train --recipe ijae_mnist --out runs/mnist --epochs 5[/cyan]

    [cyan]keras-ijae train --resume --out runs/mnist --epochs 40[/cyan]

    [cyan]keras-ijae train vae --dataset mnist --strategy mirrored --out runs/mnist[/cyan]
      on all GPUs of this machine; several machines need --strategy multiworker and a directory that all share

    [cyan]keras-ijae train my_vae --import my_module --dataset mnist --out runs/mine[/cyan]
      a system of your own, registered in my_module.py
    """
    if resume and (overwrite or recipe is not None):
        raise ValueError("Option --resume goes with neither --overwrite nor --recipe: the run goes on as it was begun.")
    start_tensorflow(devices=False)
    from keras_ijae.training import open_run

    run = open_run(out, resume, overwrite)
    given: dict[str, Any] = {
        "split": split,
        "epochs": epochs,
        "batch_size": batch_size,
        "latent_dim": latent_dim,
        "networks": networks,
        "width": width,
        "classes": classes,
        "learning_rate": learning_rate,
        "every": every,
        "every_steps": every_steps,
        "strategy": strategy,
        "seed": seed,
        "arguments": settings.parse("--set", set_ or ()),
        "data": settings.parse("--data", data or ()),
    }
    if resume:
        chosen = settings.resumed_recipe(run.read_recipe(), system=system, dataset=dataset, **given)
    else:
        chosen = settings.new_recipe(recipe, system, dataset, **given)
    if chosen.strategy != "multiworker":
        start_tensorflow()
    own = "".join(f" --import {name}" for name in import_ or ())
    model = run_training(chosen, run, f"keras-ijae train --resume --out {out}{own}", overwrite)
    if model.awaits_fit:
        fitted = f"Samples are drawn from the {type(model.sampling_prior).__name__} that was fitted to the codes."
        tell(fitted)
    following = f"sample {out} --out samples.png" if len(model.data_shape) == 3 else f"evaluate {out}"
    tell(f"Done: {run.model}. Next: keras-ijae {following}{own}")


def run_training(recipe: Recipe, run: RunDirectory, again: str, overwrite: bool = False) -> Any:
    """Trains with a progress bar and returns the model; on Ctrl-C says which command goes on (`again`)."""
    from keras_ijae.training.progress import Progress
    from keras_ijae.training.trainer import train as train_recipe

    watch = f"to watch: tensorboard --logdir {run.path / 'logs'}"
    progress = Progress(recipe.every, f"{recipe.system} on {recipe.dataset}, batches of {recipe.batch_size}", (watch,))
    try:
        return train_recipe(recipe, run, [progress], overwrite)
    except (KeyboardInterrupt, SystemExit) as stopped:
        tell(f"\nInterrupted. To go on: {again}")
        raise typer.Exit(130 if isinstance(stopped, KeyboardInterrupt) else stopped.code) from None
    finally:
        progress.stop()


def recipes(csv: Csv = False, json: Json = False) -> None:
    """List the recipes, named settings that `train --recipe` takes.

    [bold]Example[/bold]

    [cyan]keras-ijae train --recipe ijae_mnist --out runs/mnist[/cyan]
    """
    start_tensorflow()
    from keras_ijae.training import RECIPES

    of_each = ("system", "dataset", "networks", "epochs")
    rows = [
        {"recipe": name, **{field: getattr(recipe, field) for field in of_each}, "what": recipe.summary}
        for name, recipe in RECIPES.items()
    ]
    show(rows, csv, json, brief=("recipe", "epochs", "what"))


def datasets(csv: Csv = False, json: Json = False) -> None:
    """List the datasets that `train` and other commands take by name.

    [bold]Example[/bold]

    [cyan]keras-ijae train vae --dataset folder:photos --data size=64 --out runs/photos[/cyan]
    """
    start_tensorflow()
    from keras_ijae.datasets.names import NAMES

    show([{"dataset": name, "what": line} for name, line in NAMES.items()], csv, json)
