"""A bar for long work."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def tracked(items: Iterable[Item], title: str, shown: bool) -> Iterator[Item]:
    """`items`, with a bar on standard error if `shown` and that is a terminal."""
    console = Console(stderr=True)
    return track(items, title, console=console, transient=True, disable=not (shown and console.is_terminal))
