"""What long work shows of itself, on standard error: on a terminal a bar, elsewhere a line when a part is done."""

import contextlib
import operator
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")
_MINUTE = 60.0
_SHOWN: ContextVar[bool] = ContextVar("shown", default=False)


@contextlib.contextmanager
def showing(shown: bool = True) -> Iterator[None]:
    """Inside, `tracked` shows what it is not told about, or does not."""
    before = _SHOWN.set(shown)
    try:
        yield
    finally:
        _SHOWN.reset(before)


def is_shown() -> bool:
    """Whether `tracked` shows what it is not told about."""
    return _SHOWN.get()


def tracked(items: Iterable[Item], title: str, shown: bool | None = None) -> Iterator[Item]:
    """`items`; what is tracked while they are gone through is not shown, for one bar stands at a time.

    In a file long work has a line every minute too.

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
    else:
        items = _told(items, title, console, began)
    with showing(False):
        yield from items
    if not console.is_terminal:
        console.print(f"{clock()}  {title}: done in {duration(time.monotonic() - began)}", soft_wrap=True)


def _told(items: Iterable[Item], title: str, console: Console, began: float) -> Iterator[Item]:
    """`items`, with a line every minute."""
    size, told = operator.length_hint(items), began  # 0 of what does not know
    for done, item in enumerate(items):
        if (now := time.monotonic()) - told >= _MINUTE:
            told = now
            of = f"{done} of {size}" if size else done
            console.print(f"{clock()}  {title}: {of} after {duration(now - began)}", soft_wrap=True)
        yield item


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
