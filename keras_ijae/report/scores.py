"""Scores that were measured before, with the protocol that each carries."""

import dataclasses
import math
from typing import Any

from keras_ijae.evaluation.digits import WORDS, in_words, shares_in_words
from keras_ijae.report.reading import FAILURES, Run
from keras_ijae.training.measured import data_in_words, measured_on

_COUNTS = {"n_real": "real", "n_fake": "generated"}
_WITHOUT_NOISE = "Errors are of reconstructions without the encoder's noise."
_DRAWN = "The codes of reconstructions (rec) are drawn with the seed."


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run's value of a score, and its protocol."""

    value: str
    protocol: str = ""


@dataclasses.dataclass
class Group:
    """Scores that were measured together.

    Attributes:
        title: on what.
        rows: score -> {run's name: its cell}.
        notes: what all scores of a run share, by its name.
    """

    title: str
    rows: dict[str, dict[str, Cell]] = dataclasses.field(default_factory=dict)
    notes: dict[str, str] = dataclasses.field(default_factory=dict)


def groups(runs: list[Run]) -> list[Group]:
    """The scores of all runs; those on the same data stand together. What is damaged is noted in the run."""
    found: dict[str, Group] = {}
    for run in runs:
        for kind, content in run.scores.items():
            for title, cells, note in run.read(_read, kind, content, run) or ():
                group = found.setdefault(title, Group(title))
                for name, cell in cells.items():
                    group.rows.setdefault(name, {})[run.name] = cell
                if note:
                    group.notes[run.name] = note
    return list(found.values())


def _read(kind: str, content: dict[str, Any], run: Run) -> list[tuple[str, dict[str, Cell], str]]:
    """A title, cells by their scores and what they share, of each data set and split."""
    try:
        if kind == "metrics":
            return [("Measured by the demo", *_of_demo(content))]
        if kind == "evaluation":
            cells = {name: Cell(_number(value)) for name, value in content["scores"].items()}
            note = _WITHOUT_NOISE if "squared_error_sum" in cells and _has_noise(run) else ""
            return [(f"Losses on {_place(content, run)}", cells, note)]
        found: dict[str, dict[str, Any]] = {}
        for name, score in content.items():
            found.setdefault(f"Scores on {_place(score, run)}", {})[name] = score
        return [(title, *_told(scores, run)) for title, scores in found.items()]
    except (KeyError, TypeError, AttributeError, *FAILURES) as error:
        raise ValueError(f"{run.directory.path / kind}.json does not hold scores: {error!r}") from error


def _place(found: dict[str, Any], run: Run) -> str:
    _, data, _ = measured_on(found, run.recipe)
    return data_in_words(found["dataset"], data, found["split"])


def _of_demo(measured: dict[str, Any]) -> tuple[dict[str, Cell], str]:
    """Cells by what the demo says in the terminal, with their aims, and the shares of the classes."""
    told = {*WORDS, "class_shares"}
    cells = {name: Cell(_number(value)) for name, value in measured.items() if name not in told}
    cells |= {what: Cell(value, aim and f"aim: {aim}") for what, (value, aim) in in_words(measured).items()}
    return cells, shares_in_words(measured) if "class_shares" in measured else ""


def _has_noise(run):
    return run.model is not None and run.model.code_noise_dim > 0


def _told(scores: dict[str, Any], run: Run) -> tuple[dict[str, Cell], str]:
    """Cells by their scores, and what they share."""
    drawn = any(name.startswith("rec/") for name in scores) and _has_noise(run)
    cells, note = {name: _cell(score) for name, score in scores.items()}, _shared(scores)
    return cells, f"{_DRAWN} {note}" if drawn else note


def _cell(score: dict[str, Any]) -> Cell:
    spread = "" if score.get("std") is None else f" ± {float(score['std']):.2g}"
    parts = [f"{score[key]:,} {word}" for key, word in _COUNTS.items() if score.get(key) is not None]
    parts += [f"seed {score['seed']}"] if score.get("seed") is not None else []
    if score.get("extractor") is not None:
        weights = f" {score['weights'][:12]}" if score.get("weights") else ""
        parts.append(f"features of {score['extractor']}{weights}, resized: {score.get('resize') or 'no'}")
        parts += [score["dtype"]] if score.get("dtype") else []
    return Cell(_number(score["value"]) + spread, ", ".join(parts))


def _shared(scores: dict[str, Any]) -> str:
    """The versions, of each process that measured some of them."""
    versions = [", ".join(f"{name} {version}" for name, version in of["versions"].items()) for of in scores.values()]
    return "; ".join(dict.fromkeys(versions))


def _number(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_number, value))
    number = float(value)
    return f"{number:,.0f}" if math.isfinite(number) and number == int(number) else f"{number:.4g}"
