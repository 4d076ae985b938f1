"""`keras-ijae demo`: from nothing to a served sampler of handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.train import run_training
from keras_ijae_cli.use import ways

if TYPE_CHECKING:
    from keras_ijae.training import Recipe, RunDirectory

SAMPLES = 500


def demo(
    out: Annotated[Path, typer.Option(help="Directory for everything that the demo writes.")] = Path("runs/demo"),
) -> None:
    """Train lambda-IJAE on handwritten digits, measure it, draw it, export it, report it: minutes on two cores.

    A demo that was interrupted is resumed; where one is complete it stays, and the new one goes to OUT-2,
    OUT-3 and so on.

    [bold]Example[/bold]

    [cyan]keras-ijae demo --out runs/demo[/cyan]
    """
    start_tensorflow()
    from keras_ijae.training import get_recipe

    console, recipe = Console(), get_recipe("ijae_digits")
    run, resumed = _place(out, recipe)
    console.print(
        f"{'Resuming' if resumed else 'Training'} lambda-IJAE on scikit-learn's digits in {run.path}", markup=False
    )
    model = run_training(recipe, run, f"keras-ijae demo --out {out}")
    metrics = finish(model, recipe, run)
    console.print(_figures(metrics))
    console.print(_files(run))
    console.print(f"All of it on one page: {run.path / 'report.html'}", soft_wrap=True, highlight=False, markup=False)


def finish(model: Any, recipe: Recipe, run: RunDirectory) -> dict[str, Any]:
    """Measures, draws, exports and reports; the report, written last, says that the demo is complete."""
    import numpy as np

    from keras_ijae.evaluation.digits import measure_digits
    from keras_ijae.files import write_json
    from keras_ijae.report import write_report
    from keras_ijae.training.pictures import save_grid, save_pairs

    train, test = _labelled(recipe, "train"), _labelled(recipe, "test")
    samples = np.asarray(model.sample(SAMPLES, seed=0))
    metrics = {
        "samples": SAMPLES,
        **measure_digits(samples, train, test),
        "squared_error": float(np.mean(model.reconstruction_error(test[0]))),
    }
    of = f"{recipe.system} on {recipe.dataset}, {recipe.epochs} epochs"
    save_grid(run.path / "samples.png", samples[:100], caption=f"samples of {of}, seed 0")
    again = model.reconstruct(test[0][:32], seed=0)
    save_pairs(run.path / "reconstructions.png", test[0][:32], again, caption=f"held-out digits, {of}")
    between = f"from one held-out digit, left, to another, {of}"
    save_grid(run.path / "interpolations.png", ways(model, test[0][:16], steps=10), 10, caption=between)
    about = {"system": recipe.system, "dataset": recipe.dataset}
    model.export(run.path / "saved_model", overwrite=True, about=about)  # of a demo that was interrupted here
    write_json(run.path / "metrics.json", metrics)
    write_report(run.path, run.path / "report.html", progress=True)
    return metrics


def _place(out: Path, recipe: Recipe) -> tuple[RunDirectory, bool]:
    """Where to go: an interrupted demo, else a directory in which nothing stands; and whether to resume."""
    from keras_ijae.training import RunDirectory, open_run
    from keras_ijae.training.runs import next_free

    interrupted = (out / "config.json").is_file() and not (out / "report.html").is_file()
    if interrupted and RunDirectory(out).read_recipe() == recipe:
        return open_run(out, resume=True), True
    free = next_free(out)
    if free != out:
        Console().print(f"{out} is not empty and stays as it is.", markup=False)
    return open_run(free), False


def _labelled(recipe: Recipe, split: str) -> tuple[Any, Any]:
    """Images and labels of a split of the digits, whole."""
    from keras_ijae.training.data import in_order

    return next(in_order(recipe, split, 2000, labels=True).as_numpy_iterator())


def _figures(metrics: dict[str, Any]) -> Table:
    from keras_ijae.evaluation.digits import in_words, shares_in_words

    table = Table(title=f"{metrics['samples']} samples and the digits", caption=shares_in_words(metrics))
    table.add_column("measured", no_wrap=True)
    table.add_column("value")
    table.add_column("aim")
    for what, (value, aim) in in_words(metrics).items():
        table.add_row(what, value, aim)
    return table


def _files(run: RunDirectory) -> Table:
    what = {
        "samples.png": "new digits",
        "reconstructions.png": "digits above what their codes give back",
        "interpolations.png": "ways from digit to digit along the codes",
        "saved_model": "served by TensorFlow without this package",
        "model.keras": "for keras.models.load_model",
        "metrics.json": "the figures above",
        "report.html": "all of it on one page",
        "history.csv": "losses by epoch",
        "logs": "tensorboard --logdir",
        "config.json": "what was trained",
    }
    table = Table("file", "what", title=escape(f"In {run.path}"))
    for name, line in what.items():
        table.add_row(name, line)
    return table
