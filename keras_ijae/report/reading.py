"""A run directory as far as it can be read: what is missing or damaged is noted, and the rest is there."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_ijae.figures import PALETTE
from keras_ijae.game import Game, load_model
from keras_ijae.training import Backup, Recipe, RunDirectory
from keras_ijae.training.data import data_shape, in_order, splits
from keras_ijae.training.journal import read_journal
from keras_ijae.training.measured import read_scores
from keras_ijae.training.trainer import build

FAILURES = (ValueError, OSError, RuntimeError)
"""What reading raises where a file or the data are bad."""

Curves = dict[str, tuple[np.ndarray, np.ndarray]]
"""Term -> epochs and values, (n,) each, of the epochs that have one; it may be NaN or infinite."""


@dataclasses.dataclass
class Run:
    """A run.

    Attributes:
        name: what the page calls it.
        directory: where it stands.
        recipe: what was trained.
        versions: of what it was trained with, "commit" among them if it is known.
        curves: the history.
        journal: of `read_journal`.
        scores: what stands in evaluation.json, scores.json and metrics.json, by these names.
        model: the finished model, else the newest backup; None: neither can be had.
        is_done: whether it is the finished one.
        weights: which of the two, in words.
        notes: what is missing or damaged, in words.
        colour: of everything in the page that is this run's own.
    """

    name: str
    directory: RunDirectory
    recipe: Recipe
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    curves: Curves = dataclasses.field(default_factory=dict)
    journal: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    scores: dict[str, Any] = dataclasses.field(default_factory=dict)
    model: Game | None = None
    is_done: bool = False
    weights: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    colour: str = PALETTE[0]

    def read(self, read: Callable[..., Any], *arguments: Any, otherwise: Any = None) -> Any:
        """`read(*arguments)`, or a note of what it raised and `otherwise`."""
        try:
            return read(*arguments)
        except FAILURES as error:
            self.notes.append(str(error))
            return otherwise


def read_run(path: str | os.PathLike, name: str, colour: str = PALETTE[0]) -> Run:
    """The run in a directory, to which the page gives a name and a colour.

    Raises:
        ValueError: there is no run.
    """
    directory = RunDirectory(Path(path))
    run = Run(name, directory, directory.read_recipe(), colour=colour)
    run.versions = run.read(_versions, directory.config, otherwise={})
    run.curves = run.read(_curves, directory, otherwise={})
    run.journal = run.read(read_journal, directory.journal, otherwise=[])
    for kind, read in (("evaluation", _scores), ("scores", read_scores), ("metrics", _scores)):
        if (file := directory.path / f"{kind}.json").is_file() and (found := run.read(read, file)) is not None:
            run.scores[kind] = found
    run.is_done = directory.model.is_file()
    run.model, run.weights = run.read(_model, directory, run.recipe, run.is_done, otherwise=(None, ""))
    return run


def names_of(paths: list[Path]) -> list[str]:
    """The directories' own names, or their paths where two have one name."""
    names = [path.resolve().name or str(path) for path in paths]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]


def _json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _scores(path):
    if not isinstance(found := _json(path), dict):
        raise ValueError(f"{path} does not hold scores by name: {found!r:.200}")
    return found


def _versions(path):
    found = _json(path).get("versions", {})
    if not isinstance(found, dict) or not all(isinstance(version, str) for version in found.values()):
        raise ValueError(f"{path} has no versions by name: {found!r:.200}")
    return found


def _curves(directory):
    rows = directory.read_history()
    if not rows:
        raise ValueError(f"There is no epoch in {directory.history}: none has ended, or it was deleted.")
    names = dict.fromkeys(name for row in rows for name in row if name != "epoch")
    points = {name: [(row["epoch"], row[name]) for row in rows if name in row] for name in names}
    return {name: tuple(np.array(of_name, float).T) for name, of_name in points.items()}


def _model(directory, recipe, is_done):
    """The model with the best weights there are, and which they are."""
    if is_done:
        model = load_model(directory.model)
        return model, f"model.keras, after {int(keras.ops.convert_to_numpy(model.steps)):,} steps"
    model = build(recipe, data_shape(in_order(recipe, splits(recipe)["validation"], 1)))
    state = Backup(directory.backup).restore(model)
    if state is None:
        raise ValueError(f"{directory.path} has no model.keras and no backup: there is no model to show.")
    return model, f"the newest backup, after {state[0]} epochs" + (f" and {state[1]} steps" if state[1] else "")


def not_finite(run: Run) -> list[str]:
    """Where there is NaN or an infinity: "val_loss from epoch 3", "the weights of decoder"."""
    curves = [
        f"{name} from epoch {epochs[~np.isfinite(values)][0]:.0f}"
        for name, (epochs, values) in run.curves.items()
        if not np.isfinite(values).all()
    ]
    networks = {} if run.model is None else run.model.networks
    return curves + [f"the weights of {name}" for name, network in networks.items() if not _is_finite(network)]


def _is_finite(network):
    return all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in network.weights)
