"""`keras-ijae systems`: what can be trained, and one system explained from its class."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from keras_ijae.game import Role

SYMBOLS = {"x": "x", "y": "y", "z": "codes z", "n": "noise", "h": "features", "logit": "a logit"}
OF_COMMAND = {"data_shape", "latent_dim", "classes", "preset", "seed", "name"}
"""Arguments that are options of the command, or follow from others."""


def systems(
    system: Annotated[str | None, typer.Argument(help="Explain this one; by default all are listed.")] = None,
    import_: Import = None,
) -> None:
    """List the systems that `train` takes, one line each, or explain one: objective, networks, arguments, paper.

    [bold]Examples[/bold]

    [cyan]keras-ijae systems[/cyan]

    [cyan]keras-ijae systems ijae[/cyan]
    """
    start_tensorflow()
    from keras_ijae import list_models

    if system is not None:
        return _explain(system)
    table = Table("system", "what")
    for name, line in list_models().items():
        table.add_row(name, line)
    Console().print(table)


def _explain(name: str) -> None:
    from keras_ijae.game.docstrings import arguments_in, joined, sections
    from keras_ijae.game.registry import entry_of

    entry, console = entry_of(name), Console()
    parts = sections(inspect.getdoc(entry.system))
    console.print(f"[bold]{name}[/bold]: {escape(entry.help)}\n", highlight=False)
    console.print(joined(parts[""]), markup=False, highlight=False)
    console.print(_networks(entry.system.ROLES, arguments_in(parts)))
    console.print(_arguments(entry, parts))
    for line in _remarks(entry.system):
        console.print(line, markup=False, highlight=False)
    console.print(f"\n{joined(parts.get('References', ''))}\n", markup=False, highlight=False)
    console.print(f"keras-ijae train {name} --dataset mnist --out runs/{name}", style="cyan", highlight=False)


def _remarks(system: type) -> list[str]:
    takes_labels = any(role.takes_labels for role in system.ROLES)
    labels = "makes a conditional model of K labels" if takes_labels else f"is not taken: {system.UNCONDITIONAL}"
    presets = "; ".join(f"--set preset={name}" for name in system.PRESETS)
    return [f"--classes K {labels}.", *([f"Other networks, rates and arguments: {presets}."] if presets else [])]


def _networks(roles: tuple[Role, ...], meanings: dict[str, str]) -> Table:
    table = Table("network", "from", "gives", "there", "what", title="Networks", title_justify="left")
    for role in roles:
        sees = ", ".join(SYMBOLS[key] for key in role.sees) + (" (labels)" if role.takes_labels else "")
        there = "always" if role.needed is None else f"depends on {role.because}"
        table.add_row(role.name, sees, SYMBOLS[role.gives], there, escape(meanings.get(role.name, "")))
    return table


def _arguments(entry: Any, parts: dict[str, str]) -> Table:
    """Those that `--set` takes, with their defaults under this name."""
    from keras_ijae.game import Game
    from keras_ijae.game.arguments import arguments_of
    from keras_ijae.game.docstrings import arguments_in, sections

    meanings = {**arguments_in(sections(inspect.getdoc(Game))), **arguments_in(parts)}
    left = {role.name for role in entry.system.ROLES if role.kind is not None} | OF_COMMAND
    table = Table("argument", "default", "what", title="Arguments (--set NAME=VALUE)", title_justify="left")
    for name, default in arguments_of(entry.system).items():
        if name not in left:
            table.add_row(name, escape(str(entry.fixed.get(name, default))), escape(meanings.get(name, "")))
    return table
