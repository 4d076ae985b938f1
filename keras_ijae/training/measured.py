"""What was measured of a run's model, in files of its directory: what is measured anew joins what stands there."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_ijae.files import write_json
from keras_ijae.training.recipes import Recipe

_FOUND = ("value", "std")
"""What a score says of the model; all else that it carries is how it was measured."""


def measured_on(found: Mapping[str, Any], recipe: Recipe) -> tuple[str | None, dict[str, Any], str | None]:
    """Data set, arguments with which it was loaded, and split of what was measured of a run; None where not known.

    Arguments that are not named are those of the run, of another data set none.
    """
    dataset, own = found.get("dataset"), recipe.data if found.get("dataset") == recipe.dataset else {}
    return dataset, found.get("data", own), found.get("split")


def data_in_words(dataset: str | None, data: Mapping[str, Any], split: str | None) -> str:
    """What `measured_on` gives, as "digits, size=8, test"; "" where nothing is known."""
    parts = dataset, *(f"{name}={value}" for name, value in sorted(data.items())), split
    return ", ".join(str(part) for part in parts if part is not None)


def protocol(score: Mapping[str, Any]) -> dict[str, Any]:
    """How a score was measured: data set and split, numbers of examples, extractor, seed, versions.

    Older scores, which do not say in which floating type their features were computed, are of float32.
    """
    found = {name: value for name, value in score.items() if name not in _FOUND}
    return {**found, "dtype": score.get("dtype") or "float32"}


def read_scores(path: Path) -> dict[str, dict[str, Any]]:
    """The scores in a file by their names, each with the data set and the split that it was measured on.

    Raises:
        ValueError: the file does not hold scores.
        OSError: there is none, or it cannot be read.
    """
    return _read(path)[0]


def wanted_scores(path: Path, wanted: Callable[[Mapping[str, Any]], bool]) -> dict[str, dict[str, Any]]:
    """As `read_scores`, of each name the newest score of which `wanted` is true, be it one that another replaced."""
    kept, replaced = _read(path)
    older = [(score["score"], {key: part for key, part in score.items() if key != "score"}) for score in replaced]
    return {name: score for name, score in (*older, *kept.items()) if wanted(score)}


def keep_scores(path: Path, scores: Mapping[str, Mapping[str, Any]], **on: Any) -> list[str]:
    """Adds scores to those that stand in a file. Nothing is lost: what another protocol gave goes under "replaced".

    Args:
        path: `scores.json` of a run; need not exist.
        scores: as `Evaluation.to_dict` gives them. One of the same name and protocol as one that stands there takes its
            place.
        on: dataset and split that they were measured on, and "data", arguments with which these were loaded, where they
            are not the run's own.

    Returns:
        A line for each score in whose place one of another protocol now stands.

    Raises:
        ValueError: what stands there does not hold scores; it stays.
    """
    kept, replaced = _read(path) if path.is_file() else ({}, [])
    new = {name: {**score, **on} for name, score in scores.items()}
    others = [name for name in new if name in kept and protocol(kept[name]) != protocol(new[name])]
    again = [(name, protocol(score)) for name, score in new.items()]
    replaced = [score for score in replaced if (score["score"], _without_name(score)) not in again]
    replaced += [{"score": name, **kept[name]} for name in others]
    write_json(path, {"scores": kept | new, **({"replaced": replaced} if replaced else {})})
    return [_line(name, kept[name], new[name], path) for name in others]


def keep_losses(path: Path, losses: Mapping[str, Any], **on: Any) -> list[str]:
    """Writes losses, which are always measured together; those of another split or data set go under "replaced".

    Args:
        path: `evaluation.json` of a run; need not exist.
        losses: name -> value.
        on: dataset and split that they were measured on, and "data", arguments with which these were loaded, where they
            are not the run's own.

    Returns:
        A line, if losses on other data stood there.

    Raises:
        ValueError: what stands there does not hold losses; it stays.
    """
    before, older = read_losses(path) if path.is_file() else (None, [])
    others = [found for found in [before, *older] if found and _on(found) != on]
    write_json(path, {**on, "scores": losses, **({"replaced": others} if others else {})})
    if before is None or _on(before) == on:
        return []
    data = [data_in_words(of.get("dataset"), of.get("data", {}), of.get("split")) for of in (on, before)]
    return [f"Losses on {data[0]} stand in the place of those on {data[1]}, which {path} keeps under `replaced`"]


def read_losses(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Losses with "dataset" and "split", and those on other data that they replaced; ValueError if it holds none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        replaced = list(content.pop("replaced", []))
        if not all(isinstance(found["scores"], dict) for found in (content, *replaced)):
            raise ValueError("losses without names")
        if not all(isinstance(found.get("data", {}), dict) for found in (content, *replaced)):
            raise ValueError("arguments of the data that are no table")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} does not hold losses: {error!r:.200}") from error
    return content, replaced


def _on(found):
    return {key: found[key] for key in ("dataset", "split", "data") if key in found}


def _read(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        on = _on(content)  # older files say it once for all
        scores = {name: {**on, **score} for name, score in content["scores"].items()}
        replaced = content.get("replaced", [])
        if not all("score" in score for score in replaced) or not all("value" in score for score in scores.values()):
            raise ValueError("a score without its name or its value")
        if not all(isinstance(score.get("data", {}), dict) for score in (*replaced, *scores.values())):
            raise ValueError("arguments of the data that are no table")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} does not hold scores: {error!r:.200}") from error
    return scores, replaced


def _without_name(score):
    return {name: value for name, value in protocol(score).items() if name != "score"}


def _line(name, old, new, path):
    old, new = protocol(old), protocol(new)
    keys = [key for key in old | new if old.get(key) != new.get(key)]
    before, now = (", ".join(f"{key} {score.get(key)}" for key in keys) for score in (old, new))
    return f"{name} of {now} stands in the place of that of {before}, which {path} keeps under `replaced`"
