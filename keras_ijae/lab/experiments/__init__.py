"""The experiments by name: each module has `run(seed) -> Outcome`; its docstring begins with what it shows."""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path

NAMES = (
    "divergences",
    "mixture",
    "adversarial-mixture",
    "generator-objectives",
    "unimodal",
    "score-function",
    "mean-field",
    "regression",
    "clutter",
    "amortized",
    "change-of-variables",
    "transport",
    "topologies",
    "critic",
)


def get_experiment(name: str) -> Callable:
    """The function `run(seed) -> Outcome` of an experiment."""
    return importlib.import_module(f"{__name__}.{_module(name)}").run


def describe(name: str) -> str:
    """What an experiment shows, in one line; read from its source, since importing it may import TensorFlow."""
    source = (Path(__file__).parent / f"{_module(name)}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


def _module(name: str) -> str:
    """The module of an experiment; an unknown name is an error that lists the known."""
    if name not in NAMES:
        raise ValueError(f"There is no experiment {name!r}. Known: {', '.join(NAMES)}")
    return name.replace("-", "_")
