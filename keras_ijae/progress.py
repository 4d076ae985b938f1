"""What long work shows of itself, on standard error: on a terminal a bar, elsewhere a line when a part is done."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")
_SHOWN: ContextVar[bool] = ContextVar("shown", default=False)


@contextlib.contextmanager
def showing(shown: bool = True) -> Iterator[None]:
    """Inside, `tracked` shows what it is not told about, or does not."""
    before = _SHOWN.set(shown)
    try:
        yield
    finally:
        _SHOWN.reset(before)


def tracked(items: Iterable[Item], title: str, shown: bool | None = None) -> Iterator[Item]:
    """`items`; what is tracked while they are gone through is not shown, for one bar stands at a time.

    Args:
        items: to go through.
        title: what is done with them.
        shown: None: as `showing` says, and not at all outside of it.
    """
    if not (_SHOWN.get() if shown is None else shown):
        yield from items
        return
    console, began = Console(stderr=True), time.monotonic()
    if console.is_terminal:
        items = track(items, title, console=console, transient=True)
    with showing(False):
        yield from items
    if not console.is_terminal:
        console.print(f"{clock()}  {title}: done in {duration(time.monotonic() - began)}", soft_wrap=True)


def duration(seconds: float) -> str:
    """Words for a time, such as 12 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def clock() -> str:
    """The time of the day, for lines of a file."""
    return time.strftime("%H:%M:%S")
