"""Runs side by side: what they were told differently, and what came of it."""

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keras_ijae.evaluation.better import is_objective, sense
from keras_ijae.training.measured import data_in_words, measured_on, protocol, read_scores
from keras_ijae.training.recipes import Recipe
from keras_ijae.training.runs import RunDirectory

_SCORED, _EVALUATED = "scored on", "evaluated on"
_OTHERS = {"evaluation.json": "evaluate: ", "metrics.json": "demo: "}
_LOGGED = (", last", ", best", ", best epoch")
_COUNTS = {"n_real": ", real", "n_fake": ", generated"}
_OF_DATA = re.compile("elbo|log_likelihood|bound_nats|ais_nats|bits_per_dim")
"""Terms of log p(x), which of a conditional model is log p(x|y)."""
_FACTS = ("system", "dataset", "epochs done", _SCORED, _EVALUATED)


def compare_runs(runs: Sequence[str | os.PathLike]) -> list[dict[str, Any]]:
    """A table of runs: a row for each thing that they have, a column for each run.

    Args:
        runs: run directories, at least two, finished or not.

    Returns:
        Rows {"what": ..., RUN: value, ...}; None where a run has no such thing. First system, data set and epochs done;
        arguments that differ ("--lam" is one of the system's); then the last value of everything logged, of validation
        the best one too, where there is a better, with its epoch; and the scores that stand in the directories, with
        the numbers of real and generated examples where these differ.

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
        is_count = what.endswith(tuple(_COUNTS.values()))
        different = {json.dumps(value) for value in values.values() if not (is_count and value is None)}
        if len(different) > 1 or not (is_count or what.startswith("--")):
            rows.append({"what": what, **values})
    return rows


def objective(recipe: Recipe, name: str) -> str:
    """What a loss of this name is of: its values compare between runs of which this is the same.

    The loss of validation, by which a model is selected, is a system's error or negative bound, whatever the weights of
    its objective; the losses of moves are all of the objective. Of a conditional model it is given the labels.
    """
    validated = name.removeprefix("val_") == "loss"
    arguments = {"likelihood": recipe.arguments.get("likelihood")} if validated else recipe.arguments
    of = [recipe.system, arguments, recipe.classes is not None, _data(recipe)]
    return json.dumps(of, sort_keys=True, default=str)


def not_comparable(rows: Sequence[dict[str, Any]], runs: Sequence[str | os.PathLike]) -> dict[str, list[str]]:
    """Rows of `compare_runs` in which nothing stands side by side, or what is another quantity in each run.

    Args:
        rows, runs: what `compare_runs` returned, and what it was given.

    Returns:
        Why -> "what" of each such row; none where nothing is to be said.
    """
    recipes = [RunDirectory(Path(run)).read_recipe() for run in runs]
    evaluated = next((_values(row) for row in rows if row["what"] == _EVALUATED), None)
    data, found = [_data(recipe) for recipe in recipes], {}
    scores = [_measured(RunDirectory(Path(run))) for run in runs]
    plain = (*_FACTS, *_counts(scores))
    for row in (row for row in rows if row["what"] not in plain and not row["what"].startswith("--")):
        what, values = row["what"], _values(row)
        logged, name = what.endswith(_LOGGED), term(what)
        how = [of_run.get(what, {}) for of_run in scores]
        on = [_on(score, of) or all_of for score, of, all_of in zip(how, recipes, data, strict=True)]
        on = evaluated or data if what.startswith("evaluate: ") else on
        there = [index for index, value in enumerate(values) if value is not None]
        if logged and len(there) == 1:
            found.setdefault("logged by one run alone", []).append(what)
        elif is_objective(name) and len({objective(recipes[index], name) for index in there}) > 1:
            found.setdefault("losses of different objectives (system, arguments, classes or data)", []).append(what)
        elif _OF_DATA.search(name) and len({recipes[index].classes is None for index in there}) > 1:
            found.setdefault("of log p(x) in one run, given labels in another", []).append(what)
        elif len({on[index] for index in there}) > 1:
            found.setdefault("measured on different data", []).append(what)
        elif len({_way(how[index]) for index in there}) > 1:
            found.setdefault("of other numbers of examples or in other features", []).append(what)
    return found


def _way(score):
    """How a score was measured, but for the seed, by which numbers scatter, and versions."""
    how = protocol(score)
    return json.dumps([how.get(key) for key in (*_COUNTS, "extractor", "weights", "resize", "dtype")], default=str)


def _counts(scores):
    return {name + suffix for of_run in scores for name in of_run for suffix in _COUNTS.values()}


def _values(row):
    return [value for name, value in row.items() if name != "what"]


def term(what: str) -> str:
    """The name of what was logged or scored, of a row."""
    what = what.rpartition(", ")[0] if what.endswith(_LOGGED) else what
    return what.removeprefix("evaluate: ").removeprefix("demo: ")


def _data(recipe: Recipe) -> str:
    return json.dumps([recipe.dataset, recipe.split, recipe.data], sort_keys=True, default=str)


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
    scores, recipe, facts, found = _measured(run), run.read_recipe(), {}, {}
    if places := dict.fromkeys(filter(None, (_on(score, recipe) for score in scores.values()))):
        facts[_SCORED] = "; ".join(places)
    for name, score in scores.items():
        found[name] = score["value"]
        found |= {name + suffix: score[key] for key, suffix in _COUNTS.items() if score.get(key) is not None}
    for file, start in _OTHERS.items():
        path = run.path / file
        if path.is_file():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                found |= {f"{start}{name}": value for name, value in content.get("scores", content).items()}
                on = _on(content, recipe) if file == "evaluation.json" else ""
            except (OSError, ValueError, AttributeError) as error:
                raise ValueError(f"{path} does not hold scores: {error}") from error
            facts |= {_EVALUATED: on} if on else {}
    return facts | {name: float(value) for name, value in found.items() if isinstance(value, int | float | str)}


def _measured(run: RunDirectory) -> dict[str, dict[str, Any]]:
    path = run.path / "scores.json"
    return read_scores(path) if path.is_file() else {}


def _on(found: dict[str, Any], recipe: Recipe) -> str:
    """Data set, its arguments and split of a score, in words; "" if they are not known."""
    return data_in_words(*measured_on(found, recipe))
