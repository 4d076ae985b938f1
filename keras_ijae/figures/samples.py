"""Samples beside the data: nearest neighbours, precision and recall, distances over the size of the codes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae import metrics
from keras_ijae.evaluation.requirements import check_takes
from keras_ijae.figures.drawing import Drawing
from keras_ijae.figures.plots import OverDimension, PrecisionRecall, Scatter
from keras_ijae.figures.rows import Rows, check_drawable

SIDES = {"gen": "samples", "rec": "reconstructions"}
_MARGIN = 0.25
_DISTANCES = ("fid", "frechet_distance")


def neighbours(queries: ArrayLike, references: ArrayLike, k: int = 5, features: Any = "data") -> Drawing:
    """Observations, and beside each the references that are nearest to it, with their Euclidean distances.

    Of vectors (2,): the observations before the references, each with a line to its nearest.

    Args:
        queries, references: images in [0, 1] or vectors (2,), as samples and what the model was trained on.
        k: neighbours of each.
        features: where nearness is measured: "data" (pixels), or what else `ki.metrics.features.get` takes.

    Raises:
        ValueError: observations that cannot be drawn, of two shapes, or that the extractor does not take.
    """
    queries, references = np.asarray(queries, "float32"), np.asarray(references, "float32")
    check_drawable(queries.shape[1:])
    extractor = metrics.features.get(features)
    check_takes(extractor, queries.shape[1:])
    found = metrics.nearest_neighbours(*map(extractor.features, (queries, references)), k)
    vectors = queries.ndim == 2
    where = ("the plane" if vectors else "pixels") if extractor.name == "data" else f"features of {extractor.name}"
    title = f"Nearest of {len(references)} examples in {where}"
    pictures = np.concatenate([queries[:, None], references[found.indices]], axis=1)
    columns = ["sample", *(str(rank) for rank in range(1, k + 1))]
    if vectors:
        return Rows(pictures[:, :2], [""] * len(queries), ["sample", "nearest"], title, context=references)
    notes = [["", *map(_written, row)] for row in found.distances]
    across = "nearest examples, the Euclidean distance below each"
    return Rows(pictures, [""] * len(queries), columns, title, across, notes)


def samples_on_data(samples: ArrayLike, x: ArrayLike) -> Scatter:
    """Samples before data, in the frame of the data: samples outside are counted in the title.

    Args:
        samples, x: vectors, (n, 2) and (m, 2).

    Raises:
        ValueError: other shapes.
    """
    samples, x = (np.asarray(points, np.float64) for points in (samples, x))
    for name, points in (("samples", samples), ("x", x)):
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"Argument `{name}` must be vectors (n, 2). Received: shape {points.shape}")
    low, high = x.min(axis=0), x.max(axis=0)
    frame = np.stack([low - _MARGIN * (high - low), high + _MARGIN * (high - low)])
    outside = int(((samples < frame[0]) | (samples > frame[1])).any(axis=1).sum())
    title = f"Samples, {outside} of {len(samples)} outside" if outside else "Samples"
    return Scatter({"data": x, "samples": samples}, title, ("$x_1$", "$x_2$"), frame=frame)


def precision_recall(
    real: ArrayLike, fakes: Mapping[str, ArrayLike], features: Any = "data", seed: int = 0
) -> PrecisionRecall:
    """The precision-recall curve of the samples of each of several models.

    Args:
        real: data.
        fakes: whose -> samples, as many as there are data.
        features: in what they are compared: "data", or what else `ki.metrics.features.get` takes.
        seed: of k-means.

    Raises:
        ValueError: as of `ki.metrics.precision_recall_distribution`, or data that the extractor does not take.
    """
    extractor = metrics.features.get(features)
    if np.ndim(real):  # not of data sets, whose batches the extractor looks at
        check_takes(extractor, np.shape(real)[1:])
    base = extractor.features(real)
    curves = {
        name: metrics.precision_recall_distribution(base, extractor.features(fake), seed=seed)
        for name, fake in fakes.items()
    }
    return PrecisionRecall(curves, f"Precision and recall, {_features(extractor.name)}")


def distances_over_dimension(runs: list[tuple[int, Mapping[str, Mapping[str, Any]]]]) -> list[OverDimension]:
    """Frechet distances of samples and of reconstructions, over the size of the codes.

    Args:
        runs: latent_dim and scores of each, as `Evaluation.to_dict` gives them and `scores.json` has them.

    Returns:
        One for each kind of features in which all runs have distances, in the order of the first run's scores.

    Raises:
        ValueError: a run without a Frechet distance, or distances in different features, which do not compare.
    """
    if not runs:
        raise ValueError("Argument `runs` must hold at least one run. Received: none")
    drawn = drawn_distances([scores for _, scores in runs])
    of_each = [(latent_dim, found) for (latent_dim, _), found in zip(runs, drawn, strict=True)]
    return [_over_dimension(of_each, unit) for unit in _units(drawn[0])]


def drawn_distances(runs: list[Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Mapping[str, Any]]]:
    """Of the scores of each run those that are drawn: Frechet distances in features in which all runs have some.

    Raises:
        ValueError: a run without a Frechet distance, or no features that all have.
    """
    found = [_frechet_distances(scores) for scores in runs]
    for scores, distances in zip(runs, found, strict=True):
        if not distances:
            raise ValueError(f"Argument `runs` must have Frechet distances. Received: one with {sorted(scores)}")
    units = [set(_units(distances)) for distances in found]
    common = set.intersection(*units)
    if not common:
        raise ValueError(
            f"Argument `runs` must have distances in the same features. Received: {sorted(map(str, set.union(*units)))}"
        )
    return [{name: score for name, score in of.items() if _unit(name, score) in common} for of in found]


def _over_dimension(runs, unit):
    series = {}
    for latent_dim, found in runs:
        for name, score in found.items():
            if _unit(name, score) == unit:
                series.setdefault(SIDES[name.partition("/")[0]], []).append((latent_dim, float(score["value"])))
    return OverDimension(series, "Distance to held-out data", _in_words(unit[0]))


def _frechet_distances(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Those of the scores that are Frechet distances of samples or of reconstructions, in whatever features."""
    parts = {name: (name.partition("/")[0], name.partition("/")[2].partition("[")[0]) for name in scores}
    return {name: scores[name] for name, (side, metric) in parts.items() if side in SIDES and metric in _DISTANCES}


def _units(distances):
    return list(dict.fromkeys(_unit(*of) for of in distances.items()))


def _unit(name, score):
    """The metric, with its features, and the checksum of what made them."""
    return name.partition("/")[2], score.get("weights")


def _in_words(metric: str) -> str:
    """ "frechet_distance[mnist-classifier]" as an axis names it."""
    name, _, features = metric.partition("[")
    return "FID" if name == "fid" else f"Frechet distance, {_features(features.rstrip(']'))}"


def _features(name: str) -> str:
    return "of the data themselves" if name == "data" else f"features of {name}"


def _written(distance: float) -> str:
    return f"{distance:.2f}" if distance < 100 else f"{distance:.0f}"
