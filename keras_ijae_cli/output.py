"""What commands say on standard error, and files that they write: checked before anything is computed."""

import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from keras_ijae_cli.quiet import start_tensorflow

LONGEST = 800
"""Characters of an error's one line."""


def drawable(path: Path, option: str = "--out") -> str:
    """The suffix without its dot; ValueError unless matplotlib draws such files and `path` can be one."""
    from matplotlib.figure import Figure

    suffix, known = path.suffix[1:].lower(), sorted(Figure().canvas.get_supported_filetypes())
    if suffix not in known:
        raise ValueError(f"Option {option} must end in one of {', '.join(known)}. Received: {path}")
    writable(path, option)
    return suffix


def writable(path: Path, option: str = "--out") -> None:
    """ValueError unless `path` can become a file."""
    start_tensorflow(devices=False)
    from keras_ijae.files import check_file

    check_file(path, f"Option {option}")


def tell(text: str) -> None:
    """Says `text` as it is, paths with brackets too."""
    Console(stderr=True).print(printable(text), markup=False, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """Says what the user should know."""
    text = escape(printable(text))
    Console(stderr=True).print(f"[yellow]note:[/yellow] {text}", soft_wrap=True, highlight=False)


def wrote(path: Path) -> None:
    tell(f"Wrote {path}")


def printable(text: str) -> str:
    """Text of which no character but the end of a line steers the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)


def end_with(error: Exception) -> NoReturn:
    """Says in one line on standard error what was wrong, with KERAS_IJAE_DEBUG also where, and exits: 2."""
    if os.environ.get("KERAS_IJAE_DEBUG"):
        traceback.print_exception(error)
    _say(error)
    sys.exit(2)


def _say(error: Exception) -> None:
    text = " ".join(str(error).split()) or type(error).__name__
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} ... (`keras-ijae --debug COMMAND` shows all)"
    if not isinstance(error, ValueError | OSError | RuntimeError):
        text = f"{type(error).__name__}: {text}"
    Console(stderr=True).print(
        f"[bold red]error:[/bold red] {escape(printable(text))}", soft_wrap=True, highlight=False
    )
