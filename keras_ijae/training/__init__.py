"""Callbacks, pictures, recipes and run directories. Names are loaded when first used.

`recipes` and `runs` do not import TensorFlow, so that the command line can list and check without it.
"""

import importlib
from typing import Any

_HOMES = {
    "Backup": "callbacks",
    "History": "callbacks",
    "ReconstructionGrid": "callbacks",
    "SampleGrid": "callbacks",
    "MetricsCallback": "metrics_callback",
    "grid": "pictures",
    "save_grid": "pictures",
    "save_pairs": "pictures",
    "interleave": "pictures",
    "Progress": "progress",
    "RECIPES": "recipes",
    "Recipe": "recipes",
    "get_recipe": "recipes",
    "RunDirectory": "runs",
    "open_run": "runs",
    "train": "trainer",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
