"""`keras-ijae systems`: what can be trained, and one system explained from its class."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from keras_ijae_cli.own_modules import Import
from keras_ijae_cli.quiet import start_tensorflow
from keras_ijae_cli.tables import Csv, Json, as_json, show

if TYPE_CHECKING:
    from keras_ijae.game.entries import Entry

SYMBOLS = {"x": "x", "y": "y", "z": "codes z", "n": "noise", "h": "features", "logit": "a logit"}
OF_COMMAND = {"data_shape", "latent_dim", "classes", "preset", "seed", "name"}
"""Arguments that are options of the command, or follow from others."""


def systems(
    system: Annotated[str | None, typer.Argument(help="Explain this one; by default all are listed.")] = None,
    csv: Csv = False,
    json: Json = False,
    import_: Import = None,
) -> None:
    """List the systems that `train` takes, one line each, or explain one: objective, networks, arguments, paper.

    [bold]Examples[/bold]

    [cyan]keras-ijae systems[/cyan]

    [cyan]keras-ijae systems ijae[/cyan]
    """
    start_tensorflow()
    from keras_ijae import list_models

    if system is None:
        return show([{"system": name, "what": line} for name, line in list_models().items()], csv, json)
    found = explained(system)
    if json and not csv:
        sys.stdout.write(as_json(found))
    elif csv:
        show(found["arguments"], csv, json)
    else:
        _print(found)


def explained(name: str) -> dict[str, Any]:
    """All that a system's class says of it: text and rows of tables."""
    from keras_ijae.game.docstrings import arguments_in, sections
    from keras_ijae.game.registry import entry_of

    entry = entry_of(name)
    parts = sections(inspect.getdoc(entry.system))
    return {
        "system": name,
        "what": entry.help,
        "objective": parts[""],
        "networks": _networks(entry, arguments_in(parts)),
        "arguments": _arguments(entry, parts),
        "remarks": _remarks(entry),
        "references": parts.get("References", ""),
    }


def _print(found: dict[str, Any]) -> None:
    from keras_ijae.game.docstrings import joined

    console, name = Console(), found["system"]
    console.print(f"[bold]{name}[/bold]: {escape(found['what'])}\n", highlight=False)
    console.print(fitted(joined(found["objective"]), console.width), markup=False, highlight=False)
    show(found["networks"], title="Networks")
    show(found["arguments"], title="Arguments (--set NAME=VALUE)")
    for line in found["remarks"]:
        console.print(line, markup=False, highlight=False)
    console.print(f"\n{joined(found['references'])}\n", markup=False, highlight=False)
    console.print(f"keras-ijae train {name} --dataset mnist --out runs/{name}", style="cyan", highlight=False)


def _remarks(entry: Entry) -> list[str]:
    why = entry.unconditional
    labels = f"is not taken: {why}" if why else "makes a conditional model of K labels"
    presets = "; ".join(f"--set preset={name}" for name in entry.presets)
    return [f"--classes K {labels}.", *([f"Other networks, rates and arguments: {presets}."] if presets else [])]


def _networks(entry: Entry, meanings: dict[str, str]) -> list[dict[str, str]]:
    rows, unconditional = [], entry.unconditional
    for role in entry.system.ROLES:
        labels = " (labels)" if role.takes_labels and not unconditional else ""
        sees = ", ".join(SYMBOLS[key] for key in role.sees) + labels
        depends = "" if role.needed is None else f" There or not by `{role.because}`."
        what = f"{meanings.get(role.name, '')}{depends}"
        gives = "a number" if role.kind == "critic" else SYMBOLS[role.gives]
        rows.append({"network": role.name, "from -> gives": f"{sees} -> {gives}", "what": what})
    return rows


def _arguments(entry: Entry, parts: dict[str, str]) -> list[dict[str, Any]]:
    """Those that `--set` takes, with their defaults under this name."""
    from keras_ijae.game import Game
    from keras_ijae.game.arguments import arguments_of
    from keras_ijae.game.docstrings import arguments_in, sections
    from keras_ijae.game.entries import refused

    meanings = {**arguments_in(sections(inspect.getdoc(Game))), **arguments_in(parts)}
    networks = {role.name for role in entry.system.ROLES if role.kind is not None}
    left = networks | OF_COMMAND | refused(entry.system)
    return [
        {"argument": name, "default": str(entry.fixed.get(name, default)), "what": meanings.get(name, "")}
        for name, default in arguments_of(entry.system).items()
        if name not in left
    ]


def fitted(text: str, width: int) -> str:
    """Equations, lines that are indented, broken where they may be; what stands far to the right goes below."""
    return "\n".join(piece for line in text.split("\n") for piece in _fitted_line(line, width))


def _fitted_line(line: str, width: int) -> list[str]:
    if len(line) <= width or not line.startswith(" "):
        return [line]
    indent = len(line) - len(line.lstrip())
    left, sign, right = line.partition(" = ")
    beside = re.fullmatch(r"(\s*\S.*?) {3,}(\S.*)", right if sign else left.lstrip())
    equation, remark = beside.groups() if beside else (right if sign else left.lstrip(), "")
    start = len(left + sign) if sign and len(left) <= width // 3 else indent + 8
    lines = _broken(f"{left}{sign}{equation}" if sign else " " * indent + equation, start, width)
    return [*lines, *(_broken(" " * start + remark, start, width) if remark else [])]


def _broken(line: str, start: int, width: int) -> list[str]:
    """What is too long goes on at column `start`, from the best place: outside of brackets, before a sign."""
    lines = []
    while len(line) > width:
        places, depth = [], 0
        for at, sign in enumerate(line[: width + 1]):
            depth += (sign in "([{") - (sign in ")]}")
            if sign == " " and line[start:at].strip():
                places.append((depth, not (line[at + 1 :].startswith(("+ ", "- ")) or line[at - 1] == ","), -at))
        if not places:
            break
        at = -min(places)[2]
        lines.append(line[:at].rstrip())
        line = " " * start + line[at:].lstrip()
    return [*lines, line]
