"""The figures that `keras-ijae figure` draws: what each shows, what it needs, and how it is made of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_ijae_cli.settings import parse
from keras_ijae_cli.use import load, recipe_of

if TYPE_CHECKING:
    from keras_ijae.figures import Drawing

ROWS = 6
"""Of images, unless another number is asked for."""
TRAINING = 20_000
"""Training examples among which nearest neighbours are sought, at most."""
_CHOOSE = "Choose by --dataset, --data and --split"


@dataclasses.dataclass
class Asked:
    """What the command was asked for, and what that leads to, read when it is needed."""

    name: str
    runs: list[Path]
    dataset: str | None
    loaded_with: list[str] | None
    split: str | None
    count: int
    rows: int | None
    features: str
    seed: int

    @cached_property
    def models(self) -> list[Any]:
        return [load(run) for run in self.runs]

    @property
    def model(self) -> Any:
        return self.models[0]

    @cached_property
    def recipe(self) -> Any:
        return recipe_of(self.runs[0], self.dataset, self.model, self.loaded_with)

    @cached_property
    def held_out(self) -> tuple[Any, Any]:
        """Observations, and their labels where they have some."""
        from keras_ijae.training.data import labelled_rows

        return labelled_rows(self.recipe, self.split, self.count)

    @property
    def data(self) -> Any:
        """The observations, with their labels where the model takes them."""
        return self.held_out if self.model.classes is not None else self.held_out[0]

    @property
    def classes(self) -> Any:
        """One label to an example, for colours; None: none, or several."""
        return None if isinstance(self.held_out[1], dict) else self.held_out[1]

    def part(self, start: int, stop: int) -> Any:
        """Some of `data`."""
        x, labels = (None if part is None or isinstance(part, dict) else part[start:stop] for part in self.held_out)
        return x if self.model.classes is None else (x, labels)

    def check(self, needs: tuple[str, ...]) -> None:
        """ValueError for the first thing that the figure needs and the run has not."""
        for need in needs:
            if need in _HAS and not _HAS[need](self):
                raise ValueError(f"Figure {self.name} needs {need}. Received: {self.runs[0]}, {_OTHERWISE[need](self)}")


@dataclasses.dataclass(frozen=True)
class Known:
    """A figure: one line, what it needs, how it is made, and how many of its parts stand in a row."""

    summary: str
    needs: tuple[str, ...]
    make: Callable[[Asked], list[Drawing]]
    columns: int | None = None
    several: bool = False


def _directions(asked):
    from keras_ijae.figures import attribute_directions

    return [attribute_directions(asked.model.encode(asked.data, seed=asked.seed), asked.held_out[1])]


def _attributes(asked):
    from keras_ijae.figures import attribute_traversals

    return [attribute_traversals(asked.model, asked.data, asked.held_out[1], attributes=asked.rows or 10)]


def _traversals(asked):
    from keras_ijae.figures import latent_traversals

    return [latent_traversals(asked.model, asked.data, dimensions=asked.rows or 10)]


def _neighbours(asked):
    from keras_ijae.figures import neighbours
    from keras_ijae.training.data import labelled_rows, splits

    samples = asked.model.sample(asked.rows or ROWS, asked.seed)
    train, _ = labelled_rows(asked.recipe, splits(asked.recipe)["train"], TRAINING)
    return [neighbours(samples, train, features=space) for space in dict.fromkeys(["data", asked.features])]


def _interpolations(asked):
    from keras_ijae.figures import WAYS, interpolations, sample_interpolations

    model, rows, between_data = asked.model, asked.rows or ROWS, []
    used = model.latent_dim if model.active_dims is None else len(model.active_dims)
    ways = WAYS if used > 1 else WAYS[:1]  # codes of one dimension are on no sphere
    if model.has_encoder:
        rows = min(rows, len(asked.held_out[0]) // 2)
        ends = asked.part(0, rows), asked.part(rows, 2 * rows)
        between_data = [interpolations(model, *ends, way=way) for way in ways]
    return between_data + [sample_interpolations(model, rows, way=way, seed=asked.seed) for way in ways]


def _mask(asked):
    from keras_ijae.figures import MaskTrace
    from keras_ijae.training import RunDirectory

    path = RunDirectory(asked.runs[0]).mask
    if not path.is_file():
        raise ValueError(f"Figure mask needs {path}, which a run with a mask writes while it trains")
    return [MaskTrace.read(path)]


def _covariance(asked):
    from keras_ijae.figures import code_covariances

    return code_covariances(asked.model, asked.data, asked.seed)


def _codes(asked):
    from keras_ijae.figures import codes_and_prior

    return [codes_and_prior(asked.model, asked.data, asked.classes, asked.seed)]


def _prd(asked):
    from keras_ijae.figures import precision_recall
    from keras_ijae.training.data import held_out_split

    pairs = zip(asked.runs, asked.models, strict=True)
    recipes = [recipe_of(run, asked.dataset, model, asked.loaded_with) for run, model in pairs if run.is_dir()]
    found = [(one.dataset, one.data, asked.split or held_out_split(one)) for one in recipes]
    _check_agreed(asked, [run for run in asked.runs if run.is_dir()], found)
    x = asked.held_out[0]
    names = [run.stem for run in asked.runs]
    names = names if len(set(names)) == len(names) else [str(run) for run in asked.runs]
    samples = {name: model.sample(len(x), asked.seed) for name, model in zip(names, asked.models, strict=True)}
    return [precision_recall(x, samples, asked.features, asked.seed)]


def _distances(asked):
    from keras_ijae.figures import distances_over_dimension
    from keras_ijae.figures.samples import drawn_distances
    from keras_ijae.training import RunDirectory

    recipes = [RunDirectory(run).read_recipe() for run in asked.runs]
    drawn = drawn_distances([_scores(asked, run) for run in asked.runs])
    _check_agreed(asked, asked.runs, [_one_place(*of) for of in zip(asked.runs, drawn, strict=True)])
    return distances_over_dimension([(one.latent_dim, found) for one, found in zip(recipes, drawn, strict=True)])


def _check_agreed(asked, runs, measured_on):
    """ValueError unless all are compared on one data set, with the same arguments, and one split."""
    from keras_ijae.training.measured import data_in_words

    for run, found in zip(runs, measured_on, strict=True):
        if found != measured_on[0]:
            one, other = (data_in_words(*of) for of in (measured_on[0], found))
            raise ValueError(
                f"Figure {asked.name} needs runs on one data set and split. Received: {runs[0]} on {one}, "
                f"and {run} on {other}. {_CHOOSE}"
            )


def _scores(asked: Asked, run: Path) -> dict[str, Any]:
    """The scores of a run directory, on the data set, its arguments and the split that are asked for, if any are."""
    from keras_ijae.training.measured import read_scores, wanted_scores

    path, given = run / "scores.json", parse("--data", asked.loaded_with or (), ("dataset", "split"))

    def wanted(score):
        dataset, arguments, split = _place(run, score)
        loaded_so = all(arguments.get(name) == value for name, value in given.items())
        return loaded_so and asked.dataset in (None, dataset) and asked.split in (None, split)

    try:
        found = wanted_scores(path, wanted)
    except FileNotFoundError:
        hint = f"`keras-ijae evaluate {run} --metrics fid --features ...` writes it"
        raise ValueError(f"Figure distances needs {path}: {hint}") from None
    if not found and (asked.dataset or asked.split or given):
        on = _listed(_places(run, read_scores(path)))
        needed = ", ".join(filter(None, (asked.dataset, *(asked.loaded_with or ()), asked.split)))
        raise ValueError(f"Figure distances needs scores on {needed}. Received: {path} with those on {on}")
    return found


def _one_place(run: Path, drawn: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """What the scores of a run that are drawn were measured on: data set, its arguments, and split."""
    places = _places(run, drawn)
    if len(places) > 1:
        raise ValueError(
            f"Figure distances needs scores on one data set and split. Received: {run / 'scores.json'} with those on "
            f"{_listed(places)}. {_CHOOSE}"
        )
    return places[0]


def _places(run, scores):
    """Those of all scores, each once."""
    found = [_place(run, score) for score in scores.values()]
    return [place for index, place in enumerate(found) if place not in found[:index]]


def _place(run, score):
    from keras_ijae.training import RunDirectory
    from keras_ijae.training.measured import measured_on

    return measured_on(score, RunDirectory(run).read_recipe())


def _listed(places):
    from keras_ijae.training.measured import data_in_words

    return " and ".join(sorted(data_in_words(*place) for place in places))


_ENCODER, _LABELS, _MASK, _DRAWN = "an encoder", "labels", "a mask", "images or vectors of 2 numbers"
_SCORES = "scores.json of runs with codes of several sizes"
_HAS = {
    _ENCODER: lambda asked: asked.model.has_encoder,
    _LABELS: lambda asked: asked.held_out[1] is not None,
    _MASK: lambda asked: asked.model.active_dims is not None,
    _DRAWN: lambda asked: len(asked.model.data_shape) == 3 or asked.model.data_shape == (2,),
}
_OTHERWISE = {
    _ENCODER: lambda asked: f"a {type(asked.model).__name__} without one",
    _LABELS: lambda asked: f"with data without any, {asked.recipe.dataset}",
    _MASK: lambda asked: f"a {type(asked.model).__name__} without one",
    _DRAWN: lambda asked: f"which makes vectors of {asked.model.data_shape[0]} numbers",
}
FIGURES = {
    "attribute-directions": Known("mean code with an attribute minus without", (_ENCODER, _LABELS), _directions),
    "attribute-traversals": Known("one image gains and loses attributes", (_ENCODER, _LABELS, _DRAWN), _attributes),
    "latent-traversals": Known("one dimension at a time, its KL beside it", (_ENCODER, _DRAWN), _traversals),
    "neighbours": Known("training examples nearest to samples, in pixels and in --features", (_DRAWN,), _neighbours),
    "interpolations": Known(
        "from data to data and sample to sample, on lines and on the sphere", (_DRAWN,), _interpolations, columns=2
    ),
    "mask": Known("the mask over the steps of training", (_MASK,), _mask),
    "covariance": Known("covariance of the codes, before and after a mask", (_ENCODER,), _covariance),
    "codes": Known("t-SNE of codes of data before codes of samples", (_ENCODER,), _codes),
    "prd": Known("precision-recall curves of samples in --features, of several runs", (), _prd, several=True),
    "distances": Known("Frechet distances over the size of the codes", (_SCORES,), _distances, several=True),
}
