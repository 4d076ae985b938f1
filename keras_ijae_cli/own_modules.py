"""`--import MODULE`: the user's own modules, imported before anything else so that their systems are known.

They are named on the command line alone. A run directory never says what to import: a file that somebody hands over
must not run code.
"""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_ijae_cli.quiet import start_tensorflow


def import_own(names: list[str] | None) -> list[str]:
    """Imports the modules, from the current directory or wherever Python finds them; gives back their names.

    Raises:
        ValueError: one is not there, or fails.
    """
    if names:
        start_tensorflow(devices=False)
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
    for name in names or ():
        _import(name)
    return list(names or ())


def _import(name: str) -> None:
    if "" in name.split("."):  # as "../own.py": Python takes it for a name relative to a package
        raise _no_module(name)
    try:
        importlib.import_module(name)
    except Exception as error:  # a module of the user's own may fail in any way
        if isinstance(error, ModuleNotFoundError) and error.name in (name, name.split(".")[0]):
            raise _no_module(name) from error
        raise ValueError(f"Option --import {name} fails. {type(error).__name__}: {error}") from error


def _no_module(name: str) -> ValueError:
    return ValueError(
        "Option --import must name a module in the current directory or on Python's path, "
        f"without .py. Received: {name}"
    )


Import = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="Module of your own to import first, such as one that registers a system; without .py; repeatable.",
        callback=import_own,
    ),
]
"""The option of every command that makes or loads a model."""
