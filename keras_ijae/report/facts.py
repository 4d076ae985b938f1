"""What was trained, how far it came, and how it is explained: as text, from what a run directory says."""

import dataclasses
import inspect
import textwrap

from keras_ijae.game import Game, metadata
from keras_ijae.game.config import given
from keras_ijae.game.docstrings import joined, sections
from keras_ijae.game.registry import entry_of
from keras_ijae.progress import duration
from keras_ijae.report.reading import Run, not_finite

GOOD, OPEN, BAD = "good", "open", "bad"
"""How a run stands: done; not done, or it is not known whether; gone bad."""


@dataclasses.dataclass(frozen=True)
class Explained:
    """A system by its class: its line in the table, blocks of text (and whether they are equations), references."""

    name: str
    line: str
    blocks: list[tuple[bool, str]]
    references: str


def state(run: Run) -> tuple[str, str]:
    """How a run stands, and a sentence on it."""
    epochs, last = run.recipe.epochs, run.journal[-1] if run.journal else {}
    outcome = last.get("outcome") if run.journal or not run.directory.model.is_file() else "done"
    if outcome == "done":
        bad = not_finite(run)
        return (BAD, f"Done, but not finite: {', '.join(bad)}.") if bad else (GOOD, f"Done: {epochs} epochs.")
    if not run.journal:
        return OPEN, f"Not done: there is no model.keras yet. {epochs} epochs were asked for."
    if outcome == "failed":
        return BAD, f"Failed after {last['epochs']} of {epochs} epochs. {last.get('error')}"
    if outcome == "interrupted":
        return OPEN, f"Interrupted after {last['epochs']} of {epochs} epochs: `train --resume` goes on."
    sign = f"its last sign of life, after {last['epochs']} of {epochs} epochs, is of {last['seen']}"
    return OPEN, f"Not done: it is being trained, or its process was killed; {sign}."


def warned(run: Run) -> list[str]:
    """The warnings that were raised in training, each with how often."""
    found = [one for entry in run.journal for one in entry["warnings"]]
    counts: dict[str, int] = {}
    for one in found:
        text = f"{one.get('category')}: {one.get('text')}"
        counts[text] = counts.get(text, 0) + one.get("times", 1)
    return [text if times == 1 else f"{text} ({times} times)" for text, times in counts.items()]


def facts(run: Run) -> dict[str, str]:
    """What was trained: label -> text."""
    recipe, found = run.recipe, {}
    found["system"] = recipe.system + ("" if recipe.classes is None else f", conditional on {recipe.classes} labels")
    split = [] if recipe.split is None else [recipe.split]
    found["data"] = ", ".join([recipe.dataset, *split, *(f"{key}={value}" for key, value in recipe.data.items())])
    if run.model is not None:
        found["one example"] = " × ".join(map(str, run.model.data_shape))
        found["parameters"] = _parameters(run.model)
    found["code"] = f"{recipe.latent_dim} dimensions"
    found["networks"] = recipe.networks if recipe.width is None else f"{recipe.networks}, width {recipe.width}"
    found["arguments"] = ", ".join(f"{key}={value}" for key, value in recipe.arguments.items()) or "the defaults"
    rate = "" if recipe.learning_rate is None else f", rate {recipe.learning_rate:g}"
    found["training"] = f"{recipe.epochs} epochs, batches of {recipe.batch_size}{rate}, seed {recipe.seed}"
    if run.journal:
        found["time"] = _time(run)
    found["weights shown"] = run.weights or "none"
    versions = {name: version for name, version in run.versions.items() if name != "commit"}
    found["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items()) or "not recorded"
    found |= {"commit": run.versions["commit"]} if "commit" in run.versions else {}
    return found


def arguments(run: Run) -> dict[str, str]:
    """All arguments of a run's system that are no networks, with their values: those of the defaults too."""
    if run.model is None:
        return {}
    values = {name: value for name, value in given(run.model).items() if name not in run.model.networks}
    return {name: _shown(value) for name, value in values.items()}


def explained(runs: list[Run]) -> list[Explained]:
    """The systems of the runs, each once."""
    return [_explained(run) for run in {run.recipe.system: run for run in runs}.values()]


def _explained(run: Run) -> Explained:
    name = run.recipe.system
    try:
        entry = entry_of(name)
    except ValueError:
        return Explained(name, "a system that is not known here: `--import` names the module that registers it", [], "")
    parts = sections(inspect.getdoc(entry.system))
    blocks = [block for block in joined(parts[""]).split("\n\n") if block.strip()]
    shown = [(block.startswith(" "), textwrap.dedent(block).rstrip()) for block in blocks]
    return Explained(name, entry.help, shown, joined(parts.get("References", "")))


def _parameters(model: Game) -> str:
    counts = metadata.parameters_of_parts(model)
    parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{sum(counts.values()):,}: {parts}"


def _time(run: Run) -> str:
    seconds, last = sum(entry["seconds"] for entry in run.journal), run.journal[-1]
    begun = f", begun {len(run.journal)} times" if len(run.journal) > 1 else ""
    return f"{duration(seconds)} on {last['device']}{begun}, until {last['seen'][:16].replace('T', ' ')} UTC"


def _shown(value: object) -> str:
    if hasattr(value, "numpy"):
        return f"{float(value.numpy()):g}"
    plain = value is None or isinstance(value, bool | int | float | str | tuple | list)
    return str(value) if plain else type(value).__name__
