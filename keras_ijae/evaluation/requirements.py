"""What a measure lacks is said before anything is computed."""

from collections.abc import Sequence
from typing import Any

from keras_ijae.checks import whole
from keras_ijae.evaluation.measures import MEASURES, PRDC, Measure
from keras_ijae.metrics.features import DataSpace, Extractor

_IMAGES = ("psnr", "ssim", "ms_ssim", "lpips", "diversity")
_ENCODES = ("mse", *_IMAGES[:-1], "nac", "active_dimensions", "latent_kl")
_BOUNDS = {"elbo": "elbo", "iw_bound": "importance_weighted_bound"}


def chosen(
    names: str | Sequence[str],
    model: Any,
    extractor: Extractor | None,
    train: Any = None,
    samples: int | None = None,
    seed: int = 0,
) -> dict[str, Measure]:
    """The measures named; one for the two of balls, if both are.

    Raises:
        ValueError: a name is unknown, or what it needs is missing; `samples` or `seed` is no such number.
    """
    names = [names] if isinstance(names, str) else list(names)
    if not names:
        raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: none")
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: {name!r}")
        _check_arguments(name, model, extractor, train)
        _check_model(name, model)
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


def _check_arguments(name: str, model: Any, extractor: Extractor | None, train: Any) -> None:
    needs, images = MEASURES[name].needs, len(model.data_shape) == 3
    if needs in ("features", "probabilities"):
        if extractor is None:
            raise ValueError(f"Argument `features` is needed for {name!r}: an extractor. Received: None")
        if not images and not isinstance(extractor, DataSpace):
            raise ValueError(f"Argument `features` must be 'data' for vectors. Received: {extractor.name!r}")
        if needs == "probabilities" and not extractor.has_probabilities:
            raise ValueError(f"Metric {name!r} needs class probabilities, which {extractor.name!r} has not")
    if needs == "copies" and train is None:
        raise ValueError(f"Argument `train` is needed for {name!r}: the training data. Received: None")


def _check_model(name: str, model: Any) -> None:
    kind = type(model).__name__
    if name in _ENCODES and not model.has_encoder:
        raise ValueError(f"Metric {name!r} needs an encoder. Received: a {kind}")
    if name in _IMAGES and len(model.data_shape) != 3:
        raise ValueError(f"Metric {name!r} needs images. Received: a {kind} of shape {model.data_shape}")
    if name == "nac" and model.latent_dim < 2:
        raise ValueError(f"Metric 'nac' needs at least two latent dimensions. Received: {model.latent_dim}")
    if name in _BOUNDS and not hasattr(model, _BOUNDS[name]):
        raise ValueError(f"Metric {name!r} needs an explicit posterior and likelihood. Received: a {kind}")
    if name == "ais" and (model.observation_model is None or not model.observation_model.has_log_prob):
        advice = "`ki.evaluation.ais_log_likelihood` takes one"
        raise ValueError(f"Metric 'ais' needs a likelihood with a density ({advice}). Received: a {kind}")
