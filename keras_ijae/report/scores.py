"""Scores that were measured before, with the protocol that each carries."""

import dataclasses
import math
from typing import Any

from keras_ijae.report.reading import FAILURES, Run

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
            read = run.read(_read, kind, content, run)
            if read is None:
                continue
            title, cells, note = read
            group = found.setdefault(title, Group(title))
            for name, cell in cells.items():
                group.rows.setdefault(name, {})[run.name] = cell
            if note:
                group.notes[run.name] = note
    return list(found.values())


def _read(kind: str, content: dict[str, Any], run: Run) -> tuple[str, dict[str, Cell], str]:
    try:
        if kind == "metrics":
            return "Measured by the demo", {name: Cell(_number(value)) for name, value in content.items()}, ""
        on = f"{content['dataset']}, {content['split']}"
        if kind == "evaluation":
            cells = {name: Cell(_number(value)) for name, value in content["scores"].items()}
            return f"Losses on {on}", cells, _WITHOUT_NOISE if "squared_error_sum" in cells and _has_noise(run) else ""
        scores = content["scores"]
        drawn = any(name.startswith("rec/") for name in scores) and _has_noise(run)
        cells, note = {name: _cell(score) for name, score in scores.items()}, _shared(scores)
        return f"Scores on {on}", cells, f"{_DRAWN} {note}" if drawn else note
    except (KeyError, TypeError, AttributeError, *FAILURES) as error:
        raise ValueError(f"{run.directory.path / kind}.json does not hold scores: {error!r}") from error


def _has_noise(run):
    return run.model is not None and run.model.code_noise_dim > 0


def _cell(score: dict[str, Any]) -> Cell:
    spread = "" if score.get("std") is None else f" ± {float(score['std']):.2g}"
    parts = [f"{score[key]:,} {word}" for key, word in _COUNTS.items() if score.get(key) is not None]
    parts += [f"seed {score['seed']}"] if score.get("seed") is not None else []
    if score.get("extractor") is not None:
        weights = f" {score['weights'][:12]}" if score.get("weights") else ""
        parts.append(f"features of {score['extractor']}{weights}, resized: {score.get('resize') or 'no'}")
    return Cell(_number(score["value"]) + spread, ", ".join(parts))


def _shared(scores: dict[str, Any]) -> str:
    """The versions, which are those of one process."""
    versions = next(iter(scores.values()))["versions"] if scores else {}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _number(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_number, value))
    number = float(value)
    return f"{number:,.0f}" if math.isfinite(number) and number == int(number) else f"{number:.4g}"
