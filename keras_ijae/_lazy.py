"""Rooms whose names are loaded when first used, so that importing one costs little."""

import importlib
import sys
from collections.abc import Callable
from typing import Any


def lazy(room: str, homes: dict[str, str | None]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """A room's `__getattr__`, `__dir__` and `__all__`.

    Args:
        room: the package's `__name__`.
        homes: public name -> module of the room that defines it; None: the name is a module itself.
    """
    names = sorted(homes)

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        module = importlib.import_module(f"{room}.{homes[name] or name}")
        found = module if homes[name] is None else getattr(module, name)
        setattr(sys.modules[room], name, found)
        return found

    return load, lambda: names, names
