"""Runs side by side: what they were told differently, and what came of it."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keras_ijae.evaluation.better import is_objective, sense
from keras_ijae.training.recipes import Recipe
from keras_ijae.training.runs import RunDirectory

_SCORES = {"scores.json": "", "evaluation.json": "evaluate: ", "metrics.json": "demo: "}
_MEASURED = {"scores.json": "scored on", "evaluation.json": "evaluated on"}
_LOGGED = (", last", ", best", ", best epoch")
_FACTS = ("system", "dataset", "epochs done", *_MEASURED.values())


def compare_runs(runs: Sequence[str | os.PathLike]) -> list[dict[str, Any]]:
    """A table of runs: a row for each thing that they have, a column for each run.

    Args:
        runs: run directories, at least two, finished or not.

    Returns:
        Rows {"what": ..., RUN: value, ...}; None where a run has no such thing. First system, data set and epochs done;
        arguments that differ ("--lam" is one of the system's); then the last value of everything logged, of validation
        the best one too, where there is a better, with its epoch; and the scores that stand in the directories.

    Raises:
        ValueError: fewer than two, one twice, or a directory that is no run.

    Example:
        compare_runs(["runs/vae", "runs/ijae"])
    """
    names = [str(run) for run in runs]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"Argument `runs` must be at least two directories, none twice. Received: {names}")
    if "what" in names:
        raise ValueError("Argument `runs` must have no directory 'what', a column's name. Give its full path")
    of_each = {name: _facts(RunDirectory(Path(name))) for name in names}
    rows = []
    for what in sorted(dict.fromkeys(key for facts in of_each.values() for key in facts), key=_place):
        values = {name: facts.get(what) for name, facts in of_each.items()}
        setting = what.startswith("--")
        if not setting or len({json.dumps(value) for value in values.values()}) > 1:
            rows.append({"what": what, **values})
    return rows


def objective(recipe: Recipe, name: str) -> str:
    """What a loss of this name is of: its values compare between runs of which this is the same.

    The loss of validation, by which a model is selected, is a system's error or negative bound, whatever the weights of
    its objective; the losses of moves are all of the objective.
    """
    validated = name.removeprefix("val_") == "loss"
    arguments = {"likelihood": recipe.arguments.get("likelihood")} if validated else recipe.arguments
    return json.dumps([recipe.system, arguments, _data(recipe)], sort_keys=True, default=str)


def not_comparable(rows: Sequence[dict[str, Any]], runs: Sequence[str | os.PathLike]) -> dict[str, list[str]]:
    """Rows of `compare_runs` in which nothing stands side by side, or what is another quantity in each run.

    Args:
        rows, runs: what `compare_runs` returned, and what it was given.

    Returns:
        Why -> "what" of each such row; none where nothing is to be said.
    """
    recipes = [RunDirectory(Path(run)).read_recipe() for run in runs]
    measured = {row["what"]: _values(row) for row in rows if row["what"] in _MEASURED.values()}
    data, found = [_data(recipe) for recipe in recipes], {}
    for row in (row for row in rows if row["what"] not in _FACTS and not row["what"].startswith("--")):
        what, values = row["what"], _values(row)
        logged, name = what.endswith(_LOGGED), term(what)
        on = data if logged else measured.get("evaluated on" if what.startswith("evaluate: ") else "scored on", data)
        there = [index for index, value in enumerate(values) if value is not None]
        if logged and len(there) == 1:
            found.setdefault("logged by one run alone", []).append(what)
        elif is_objective(name) and len({objective(recipes[index], name) for index in there}) > 1:
            found.setdefault("losses of different objectives (system, arguments or data)", []).append(what)
        elif len({on[index] for index in there}) > 1:
            found.setdefault("measured on different data", []).append(what)
    return found


def _values(row):
    return [value for name, value in row.items() if name != "what"]


def term(what: str) -> str:
    """The name of what was logged or scored, of a row."""
    what = what.rpartition(", ")[0] if what.endswith(_LOGGED) else what
    return what.removeprefix("evaluate: ").removeprefix("demo: ")


def _data(recipe: Recipe) -> str:
    return json.dumps([recipe.dataset, recipe.data], sort_keys=True, default=str)


def _facts(run: RunDirectory) -> dict[str, Any]:
    """What -> value, in the order of the table."""
    recipe, history = run.read_recipe(), run.read_history()
    done = max((row["epoch"] for row in history), default=0)
    top = {"system": recipe.system, "dataset": recipe.dataset, "epochs done": done}
    return {**top, **_settings(recipe), **_logged(history), **_scores(run)}


def _place(what: str) -> int:
    """Of a row in the table, among those of its kind as the runs have them."""
    return 0 if what in _FACTS[:3] else 1 if what.startswith("--") else 2


def _settings(recipe: Recipe) -> dict[str, Any]:
    fields = asdict(recipe)
    inner = {**fields.pop("arguments"), **{f"data {name}": value for name, value in fields.pop("data").items()}}
    plain = {name: value for name, value in fields.items() if name not in ("system", "dataset", "summary")}
    return {f"--{name.replace('_', '-')}": _shown(value) for name, value in (plain | inner).items()}


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else json.dumps(value)


def _logged(history: list[dict[str, float]]) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    for name in dict.fromkeys(name for row in history for name in row if name != "epoch"):
        values = [(row[name], row["epoch"]) for row in history if name in row]
        finite = [pair for pair in values if math.isfinite(pair[0])]
        found[f"{name}, last"] = values[-1][0]
        better = sense(name)
        if name.startswith("val_") and finite and better:
            value, epoch = max(finite, key=lambda pair: better * pair[0])
            found |= {f"{name}, best": value, f"{name}, best epoch": epoch}
    return found


def _scores(run: RunDirectory) -> dict[str, Any]:
    """Of files that are there: on what they were measured, and numbers, by their names."""
    found = {}
    for file, start in _SCORES.items():
        path = run.path / file
        if path.is_file():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                scores = content.get("scores", content)
                on = [content[key] for key in ("dataset", "split") if key in content]
                values = {name: value["value"] if isinstance(value, dict) else value for name, value in scores.items()}
            except (OSError, ValueError, KeyError, AttributeError) as error:
                raise ValueError(f"{path} does not hold scores: {error}") from error
            found |= {_MEASURED[file]: ", ".join(map(str, on))} if file in _MEASURED and on else {}
            found |= {f"{start}{name}": float(v) for name, v in values.items() if isinstance(v, int | float | str)}
    return found
