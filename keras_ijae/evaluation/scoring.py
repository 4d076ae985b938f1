"""A model and a data set to scores: of its samples (gen), of its reconstructions (rec), and of the model itself."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_ijae import checks
from keras_ijae.datasets.failing import in_words
from keras_ijae.evaluation import requirements
from keras_ijae.evaluation.material import Material
from keras_ijae.evaluation.measures import Measure, Value
from keras_ijae.files import plain, write_json
from keras_ijae.metrics.features import Extractor
from keras_ijae.metrics.perceptual import LPIPS
from keras_ijae.metrics.score import Score
from keras_ijae.progress import showing

Sides = Iterator[tuple[str, Sequence[Value], tuple[int | None, int | None]]]
"""Side, what was found, and the numbers of real and generated examples."""

_NAME = 38
"""Letters of a name for which a table of 80 columns has room; where there are longer ones the features stand below."""


@dataclass(frozen=True)
class Evaluation:
    """Scores by name: "gen/..." of samples, "rec/..." of reconstructions, others of the model.

    Attributes:
        scores: name -> `ki.metrics.Score`, which says what it depends on.
    """

    scores: dict[str, Score]

    def __getitem__(self, name: str) -> float:
        """The value of a score, by its whole name, or by its name without the extractor in brackets."""
        for key, score in self.scores.items():
            if name in (key, key.partition("[")[0]):
                return score.value
        raise KeyError(f"{name!r} is not among the scores: {', '.join(self.scores)}")

    def to_dict(self) -> dict[str, dict]:
        """All of it, for JSON, which has no NaN and no infinity: these are strings, which `float` reads."""
        return {name: plain(score.to_dict()) for name, score in self.scores.items()}

    def rows(self) -> list[dict[str, Any]]:
        """The scores as rows of a table, for `csv.DictWriter` or a data frame."""
        return [{"score": name, **score.to_dict()} for name, score in self.scores.items()]

    def save(self, path: str | os.PathLike) -> None:
        """Writes `path` as JSON, whole or not at all."""
        write_json(path, self.to_dict())

    def __str__(self) -> str:
        """The table, as `print` shows it."""
        console = Console(file=io.StringIO())
        console.print(self.table())
        return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())

    def table(self) -> Table:
        """For `rich.print`: a row for each score; below, what they share."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=escape(_caption(self.scores.values())))
        table.caption_justify = "left"
        table.add_column("score", overflow="fold")
        for column in ("value", "std", "real", "fake"):
            table.add_column(column, justify="right")
        longest = max(map(len, self.scores), default=0)
        for name, score in self.scores.items():
            name = name.replace("[", "\n[", 1) if longest > _NAME else name
            counts = ["" if count is None else str(count) for count in (score.n_real, score.n_fake)]
            table.add_row(escape(name), f"{score.value:.5g}", "" if score.std is None else f"{score.std:.2g}", *counts)
        return table


@in_words("Evaluation")
def evaluate(
    model: Any,
    dataset: Any,
    metrics: str | Sequence[str] | None = None,
    features: Any = None,
    *,
    lpips: LPIPS | None = None,
    samples: int | None = None,
    train: Any = None,
    seed: int = 0,
    cache: str | os.PathLike | None = None,
    progress: bool = False,
) -> Evaluation:
    """Scores a model on data: its samples and, where it has an encoder, its reconstructions.

    All is taken batch by batch. What is held grows with the data only for measures whose `takes` in
    `ki.evaluation.MEASURES` is "features" or "class_features" (features), "probabilities" or "class_probabilities"
    (these), "model", "samples" or "copies" (images), and by a number for each example for "perceptual".

    Of a model whose strategy is over several machines, all of them must call this: they share the batches, but for
    measures of whole images, and get the same scores.

    Args:
        model: any of the library's models.
        dataset: held-out data, not shuffled anew each time: a `tf.data.Dataset` of batches, a `keras.utils.PyDataset`,
            or an array (n, *data_shape). Of a conditional model with labels, as `fit` takes them: batches (x, labels)
            or {"image", "label"}, or such a pair or dictionary of arrays. Reconstructions and bounds are those for
            these labels; samples have the labels that the model draws by their counts in training.
        metrics: one or more names, keys of `ki.evaluation.MEASURES`. None for scores that every model and data set
            can have: "fid" if `features` are given, else "sliced_wasserstein" between the data themselves; "mse" if
            there is an encoder; "elbo" if the model has that bound.
        features: for metrics of features and classes: an extractor, a Keras model, "inception", the path of a stored
            classifier, or "data" for the data themselves. Only scores by "inception" are called fid; others carry the
            extractor's name in brackets.
        lpips: the distance for the metric of that name; `ki.metrics.LPIPS()` by default, which downloads its weights.
        samples: how many samples; as many as there are data by default.
        train: the training data, for "critic" and "nearest".
        seed: of samples, of encoders' noise and of the metrics' subsets, at least 0. Samples and codes are drawn in
            batches of 256, each with its own seed derived from this one; how the data are batched changes nothing.
        cache: directory where features of data are kept between calls.
        progress: show bars.

    Raises:
        ValueError: unknown metrics, or ones that lack something: named, before anything is computed; fewer data or
            samples than a metric needs: before anything is sampled.

    Example:
        >>> model = ki.create("vae", data_shape=(8, 8, 1), latent_dim=4)
        >>> test = ki.datasets.load("digits", split="test")
        >>> scores = ki.evaluation.evaluate(model, test, ["fid", "mse"], features="data")
        >>> sorted(scores.scores)
        ['gen/frechet_distance[data]', 'rec/frechet_distance[data]', 'rec/mean_squared_error']
        >>> scores["gen/frechet_distance"] > 0
        True
    """
    checks.flag("progress", progress)
    if cache is not None:
        checks.path("cache", cache)
    if lpips is not None and not callable(lpips):
        raise ValueError(f"Argument `lpips` must be a `ki.metrics.LPIPS`. Received: lpips={lpips!r:.200}")
    names, extractor = requirements.asked(metrics, features, model)
    chosen = requirements.chosen(names, model, extractor, train, samples, seed)
    requirements.check_labels(dataset, chosen, model)
    lpips = lpips or LPIPS() if "lpips" in chosen else None
    material = Material(chosen.values(), model, dataset, extractor, lpips, samples, train, seed, cache, progress)
    made_by = dict.fromkeys(requirements.OF_FEATURES, extractor) | {"perceptual": lpips}
    for name, measure in chosen.items():
        material.check_least(name, measure)
    scores = {}
    for measure in chosen.values():
        by = made_by.get(measure.takes)
        for side, values, counts in _shown(_COMPUTE[measure.takes](measure, material), progress):
            for name, value in zip(measure.names, values, strict=True):
                score = _score(name, value, by, counts, seed)
                scores[f"{side}/{score.metric}" if side else score.metric] = score
    return Evaluation(scores)


def _shown(sides: Sides, progress: bool) -> list:
    """All of them; what takes long shows a bar if `progress`."""
    with showing(progress):
        return list(sides)


def _score(name: str, value: Value, by: Extractor | LPIPS | None, counts: tuple, seed: int) -> Score:
    origin = {} if by is None else {"extractor": by.name, "weights": by.checksum}
    if isinstance(by, Extractor):
        origin |= {"resize": by.resize, "dtype": by.dtype}
        name = by.metric_name(name)
    n_real, n_fake = value.n_real or counts[0], value.n_fake or counts[1]
    return Score(name, value.value, value.std, **origin, n_real=n_real, n_fake=n_fake, seed=seed)


def _of_features(measure: Measure, material: Material) -> Sides:
    """Of features themselves or of their moments, whichever the measure takes."""
    others = {"gen": material.fake} | ({"rec": material.of_pairs["features"]} if material.model.has_encoder else {})
    for side, other in others.items():
        real, fake = (getattr(features, measure.takes) for features in (material.real, other))
        yield side, measure.compute(real, fake, material.seed), (material.real.count, other.count)


def _of_probabilities(measure: Measure, material: Material) -> Sides:
    yield "gen", measure.compute(material.fake.probabilities), (None, material.fake.count)


def _of_pairs(measure: Measure, material: Material) -> Sides:
    rows = material.of_pairs["rows"]
    means, count = np.average(material.of_pairs[measure.names], axis=0, weights=rows), int(rows.sum())
    yield "rec", [Value(float(mean)) for mean in means], (count, count)


def _of_perceptual(measure: Measure, material: Material) -> Sides:
    distances = material.of_pairs["perceptual"]
    yield "rec", measure.compute(distances), (len(distances), len(distances))


def _of_samples(measure: Measure, material: Material) -> Sides:
    yield "gen", measure.compute(material.samples), (None, len(material.samples))


def _of_model(measure: Measure, material: Material) -> Sides:
    yield "", measure.compute(material.model, material.data, material.seed), (len(material.data.x), None)


def _of_copies(measure: Measure, material: Material) -> Sides:
    x = material.data.x
    yield "gen", measure.compute(x, material.samples, material.train, material.seed), (len(x), len(material.samples))


def _of_class_features(measure: Measure, material: Material) -> Sides:
    real, (labels, samples) = material.real_by_class, material.of_classes
    fake = np.split(samples.features, material.model.classes)
    yield "gen", measure.compute(real, fake), (sum(map(len, real)), len(labels))


def _of_class_probabilities(measure: Measure, material: Material) -> Sides:
    labels, samples = material.of_classes
    yield "gen", measure.compute(samples.probabilities, labels), (None, len(labels))


_COMPUTE = {
    "features": _of_features,
    "moments": _of_features,
    "probabilities": _of_probabilities,
    "pairs": _of_pairs,
    "perceptual": _of_perceptual,
    "samples": _of_samples,
    "model": _of_model,
    "copies": _of_copies,
    "class_features": _of_class_features,
    "class_probabilities": _of_class_probabilities,
}


def _caption(scores: Iterable[Score]) -> str:
    """What the scores depend on, once for each extractor."""
    scores = list(scores)
    by = {
        f"{s.extractor}, weights {s.weights[:12]}, resize {s.resize or 'none'}" + (f", {s.dtype}" if s.dtype else "")
        for s in scores
        if s.extractor
    }
    versions = " ".join(f"{name} {version}" for name, version in scores[0].versions.items())
    return "\n".join([*(f"extractor {line}" for line in sorted(by)), f"seed {scores[0].seed}; {versions}"])
