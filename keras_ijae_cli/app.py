"""The command's entry: its sub-commands, and how errors are shown."""

import inspect
import os
import re
import sys
import warnings
from collections.abc import Sequence

import typer

from keras_ijae_cli import (
    classifier,
    compare,
    demo,
    evaluate,
    explore,
    figure,
    film,
    fit_prior,
    info,
    lab,
    report,
    sample,
    systems,
    train,
    use,
)
from keras_ijae_cli.errors import Command
from keras_ijae_cli.output import end_with, note

EXAMPLES = """Train, measure and serve auto-encoding generative models.

[bold]First steps[/bold]

[cyan]keras-ijae demo --out runs/demo[/cyan]
  learn handwritten digits in minutes, with pictures and a served model at the end

[cyan]keras-ijae train ijae --dataset fashion_mnist --out runs/fashion --epochs 20[/cyan]
  train a system on a dataset; `keras-ijae systems` lists them, `keras-ijae systems ijae` explains one

[cyan]keras-ijae train --resume --out runs/fashion --epochs 40[/cyan]
  continue where it stopped, or train longer

[cyan]keras-ijae sample runs/fashion --out samples.png[/cyan]
  draw new images; likewise reconstruct, interpolate, export

[cyan]keras-ijae evaluate runs/fashion --metrics fid,prd --features fashion_mnist-classifier.keras[/cyan]
  score samples and reconstructions; `keras-ijae train-classifier` makes the extractor

[cyan]keras-ijae figure latent-traversals runs/fashion --out traversals.pdf[/cyan]
  figures as papers have them; `keras-ijae figure` lists them

[cyan]keras-ijae report runs/fashion --out report.html[/cyan]
  one page that shows it all, alone or beside other runs

[cyan]keras-ijae explore runs/fashion[/cyan]
  the codes in the browser: look at them, steer images, draw samples

[cyan]keras-ijae lab[/cyan]
  the theory's small exact experiments

`keras-ijae COMMAND --help` shows each command's options and examples."""

app = typer.Typer(
    help=EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (
    train.train,
    train.recipes,
    systems.systems,
    train.datasets,
    evaluate.evaluate,
    evaluate.metrics,
    report.report,
    explore.explore,
    compare.compare,
    classifier.train_classifier,
    fit_prior.fit_prior,
    sample.sample,
    use.reconstruct,
    use.interpolate,
    use.export,
    info.info,
    figure.figure,
    film.film,
    lab.lab,
    demo.demo,
):
    # typer keeps every line break of a docstring: only those before examples are meant
    text = re.sub(r"(?<=\S)\n(?=[^\s\[])", " ", inspect.getdoc(command))
    app.command(cls=Command, help=text)(command)


@app.callback()
def options(
    debug: bool = typer.Option(False, "--debug", help="Show the whole traceback of an error."),
) -> None:
    if debug:
        os.environ["KERAS_IJAE_DEBUG"] = "1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 done, 2 an error (one line on standard error), 130 interrupted.

    Args:
        arguments: those of the command line by default.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors are also exceptions
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            app(args=None if arguments is None else list(arguments))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        end_with(error)


def _note(message, category, *place) -> None:
    note(str(message))
