"""Which measures are meant, and what they lack: said before anything is computed."""

from collections.abc import Sequence
from typing import Any

from keras_ijae.checks import did_you_mean, whole
from keras_ijae.evaluation.measures import MEASURES, PRDC, Measure
from keras_ijae.evaluation.reading import ROWS
from keras_ijae.game import data as batches
from keras_ijae.metrics.features import DataSpace, Extractor, get

OF_FEATURES = ("features", "moments", "probabilities", "class_features", "class_probabilities")
"""What measures of an extractor take."""


def asked(metrics: str | Sequence[str] | None, features: Any, model: Any) -> tuple[list[str], Extractor | None]:
    """The names of the metrics, and the extractor, loaded.

    Args:
        metrics, features: as in `evaluate`. Without metrics: "fid" if there are features, else "sliced_wasserstein" of
            the data themselves; "mse" if the model has an encoder; "elbo" if it has that bound.
        model: what they are for.
    """
    extractor = None if features is None else get(features)
    if metrics is not None:
        if not isinstance(metrics, str | Sequence):
            raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: {metrics!r:.200}")
        return [metrics] if isinstance(metrics, str) else list(metrics), extractor
    of_samples = "sliced_wasserstein" if extractor is None else "fid"
    others = [name for name in ("mse", "elbo") if MEASURES[name].lacks(model) is None]
    return [of_samples, *others], extractor or DataSpace()


def chosen(
    names: Sequence[str],
    model: Any,
    extractor: Extractor | None,
    train: Any = None,
    samples: int | None = None,
    seed: int = 0,
) -> dict[str, Measure]:
    """The measures of these names; one measure in the place of "precision_recall" and "density_coverage" if both are.

    Raises:
        ValueError: a name is unknown, or what it needs is missing; `samples` or `seed` is no such number.
    """
    if not names:
        raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: none")
    for name in names:
        if not isinstance(name, str) or name not in MEASURES:
            raise _unknown(name)
        _check_arguments(name, model, extractor, train)
        lacking = MEASURES[name].lacks(model)
        if lacking is not None:
            kind = f"{type(model).__name__} of data shape {model.data_shape}, latent_dim {model.latent_dim}"
            raise ValueError(f"Metric {name!r} needs {lacking.what}. Received: {kind}")
    if samples is not None:
        whole("samples", samples, 2)
    whole("seed", seed, 0)
    measures = {name: MEASURES[name] for name in names}
    if measures.keys() >= {"precision_recall", "density_coverage"}:
        del measures["density_coverage"]
        measures["precision_recall"] = PRDC
    return measures


def check_monitor(monitor: str, measures: dict[str, Measure], model: Any) -> None:
    """ValueError unless one of the scores will have that name (without its extractor)."""
    known = [
        f"{side}/{name}" if side else name
        for measure in measures.values()
        for side in measure.sides(model)
        for name in measure.names
    ]
    if monitor not in known:
        raise ValueError(f"Argument `monitor` must be one of {', '.join(known)}. Received: {monitor!r}")


def check_labels(dataset: Any, measures: dict[str, Measure], model: Any) -> None:
    """ValueError where measures need labels, and the first batch of the data has none, or none that fit."""
    if any(measure.reads_labels(model) for measure in measures.values()):
        first, _ = batches.first_batch(dataset, ROWS)
        model.batch_of(first)


def _unknown(name: Any) -> ValueError:
    """The error for a name of no metric; that of a score, "gen/frechet_distance[data]", leads to its metric."""
    hint = ""
    if isinstance(name, str):
        score = name.partition("[")[0].removeprefix("gen/").removeprefix("rec/")
        of_score = [metric for metric, measure in MEASURES.items() if score in measure.names]
        hint = did_you_mean((of_score or [score])[0], MEASURES)
    return ValueError(
        f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: {name!r}{'.' * bool(hint)}{hint}"
    )


def check_takes(extractor: Extractor, data_shape: tuple[int, ...]) -> None:
    """ValueError unless the extractor takes observations of that shape."""
    images = len(data_shape) == 3
    if not images and not isinstance(extractor, DataSpace):
        raise ValueError(f"Argument `features` must be 'data' for vectors. Received: {extractor.name!r}")
    if images and not extractor.takes(data_shape):
        raise ValueError(
            f"Argument `features` must take images of shape {data_shape}. Received: {extractor.name!r}, which takes "
            f"{extractor.image_shape}"
        )


def _check_arguments(name: str, model: Any, extractor: Extractor | None, train: Any) -> None:
    takes = MEASURES[name].takes
    if takes in OF_FEATURES:
        if extractor is None:
            raise ValueError(
                f"Argument `features` is needed for {name!r}: 'inception', the file of a classifier (`keras-ijae "
                "train-classifier`), or 'data', the pixels. Received: None"
            )
        check_takes(extractor, model.data_shape)
        if takes.endswith("probabilities") and not extractor.has_probabilities:
            raise ValueError(f"Metric {name!r} needs class probabilities, which {extractor.name!r} has not")
        if takes == "class_probabilities" and model.classes not in (None, extractor.classes):
            raise ValueError(
                f"Argument `features` must tell the model's {model.classes} classes for {name!r}. Received: "
                f"{extractor.name!r} of {extractor.classes}"
            )
    if takes == "copies" and train is None:
        raise ValueError(f"Argument `train` is needed for {name!r}: the training data. Received: None")
