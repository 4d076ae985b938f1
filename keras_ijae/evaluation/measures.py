"""The measures that `evaluate` knows: what each needs, and how it is computed from that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_ijae import metrics
from keras_ijae.evaluation.ais import ais_log_likelihood
from keras_ijae.evaluation.codes import aggregate_posterior_kl
from keras_ijae.evaluation.critic import independent_critic

Found = dict[str, tuple[float, float | None]]
"""name -> value and standard deviation (None where there is none)."""

AIS_ROWS = 64
"""Observations of the data set that annealed importance sampling looks at."""


@dataclass(frozen=True)
class Measure:
    """One entry of `MEASURES`.

    Attributes:
        needs: "features" (of data against samples, and against reconstructions), "probabilities" (of samples' classes),
            "pairs" (data and their reconstructions, batch by batch; values are averaged over images), "perceptual" (of
            the same, by LPIPS), "samples" (images), "model" (the model and the data), or "copies" (data, samples and
            training data).
        compute: features: (real, fake, seed); probabilities: (probabilities,); pairs: (x, remade); perceptual:
            (distances,); samples: (images,); model: (model, x, seed); copies: (x, samples, train, seed).
        summary: one line for people.
    """

    needs: str
    compute: Callable[..., Found]
    summary: str


def _one(name: str, value: float) -> Found:
    return {name: (float(value), None)}


def _kid(real, fake, seed):
    size = min(1000, len(real), len(fake))
    found = metrics.kernel_distance(real, fake, subset_size=size, seed=seed)
    return {"kernel_distance": (found.mean, found.std)}


def _prd(real, fake, seed):
    rows = min(len(real), len(fake))
    recall_like, precision_like = metrics.precision_recall_distribution(real[:rows], fake[:rows], seed=seed).f_beta
    return _one("prd_f8_recall", recall_like) | _one("prd_f1/8_precision", precision_like)


def _precision_recall(real, fake, seed):
    found = metrics.precision_recall(real, fake)
    return _one("precision", found.precision) | _one("recall", found.recall)


def _density_coverage(real, fake, seed):
    found = metrics.density_coverage(real, fake)
    return _one("density", found.density) | _one("coverage", found.coverage)


def _inception_score(probabilities):
    found = metrics.inception_score(probabilities, splits=min(10, len(probabilities)))
    return {"inception_score": (found.mean, found.std)}


def _nac(model, x, seed):
    return _one("nac", metrics.nac(model.encode(x, seed=seed), _active(model, x, seed)))


def _active_dimensions(model, x, seed):
    return _one("active_dimensions", np.sum(_active(model, x, seed)))


def _active(model, x, seed):
    """By the mask, by the means of explicit posteriors, else by the spread of the codes."""
    if hasattr(model, "active_dims"):
        return np.isin(np.arange(model.latent_dim), model.active_dims)
    if model.posterior_family is not None:
        return metrics.active_dimensions(model.encode(x), "posterior_mean")
    return metrics.active_dimensions(model.encode(x, seed=seed), "stddev")


def _elbo(model, x, seed):
    return _one("elbo_nats", np.mean(model.elbo(x, seed=seed)))


def _importance_weighted(model, x, seed):
    return _one("importance_weighted_bound_nats", np.mean(model.importance_weighted_bound(x, seed=seed)))


def _ais(model, x, seed):
    values = ais_log_likelihood(model, x[:AIS_ROWS], seed=seed).log_likelihood
    return {f"ais_nats_of_{len(values)}": (float(values.mean()), float(values.std()))}


def _critic(x, samples, train, seed):
    found = independent_critic(samples, train, x, seed=seed)
    return _one("critic_validation", found.validation) | _one("critic_train", found.train)


def _nearest(x, samples, train, seed):
    flat = [np.reshape(rows, (len(rows), -1)) for rows in (train, samples, x)]
    return {
        f"nearest_train_of_{name}": (float(np.median(metrics.nearest_neighbours(rows, flat[0]).distances)), None)
        for name, rows in zip(("samples", "held_out"), flat[1:], strict=True)
    }


def _lpips(distances):
    return {"lpips": (float(distances.mean(dtype=np.float64)), float(distances.std(dtype=np.float64)))}


def _frechet(real, fake, seed):
    return _one("frechet_distance", metrics.frechet_distance(real, fake))


def _sliced(real, fake, seed):
    return _one("sliced_wasserstein", metrics.sliced_wasserstein(real, fake, seed=seed))


def _latent_kl(model, x, seed):
    return _one("latent_kl_nats", aggregate_posterior_kl(model, x, seed))


def _image(name):
    return Measure(
        "pairs", lambda x, remade: _one(name, getattr(metrics, name)(x, remade)), f"{name} of reconstructions"
    )


MEASURES = {
    "fid": Measure("features", _frechet, "Frechet distance of features"),
    "kid": Measure("features", _kid, "kernel distance of features, subsets of 1000"),
    "precision_recall": Measure("features", _precision_recall, "shares in the other set's balls, k = 3"),
    "density_coverage": Measure("features", _density_coverage, "balls around data that hold samples, k = 5"),
    "prd": Measure("features", _prd, "F_8 and F_1/8 of the precision-recall curve"),
    "sliced_wasserstein": Measure("features", _sliced, "Wasserstein distance over random directions of features"),
    "is": Measure("probabilities", _inception_score, "Inception score of the extractor's classes, 10 splits"),
    "mse": _image("mean_squared_error"),
    "psnr": _image("psnr"),
    "ssim": _image("ssim"),
    "ms_ssim": _image("ms_ssim"),
    "lpips": Measure("perceptual", _lpips, "perceptual distance of reconstructions, mean and deviation over images"),
    "diversity": Measure(
        "samples", lambda images: _one("ms_ssim_diversity", metrics.ms_ssim_diversity(images)), "1 - MS-SSIM of samples"
    ),
    "nac": Measure("model", _nac, "mean absolute correlation of active codes"),
    "active_dimensions": Measure(
        "model", _active_dimensions, "code dimensions in use: by the mask, the posteriors' means, or spread"
    ),
    "latent_kl": Measure("model", _latent_kl, "KL of the codes' Gaussian to N(0, I)"),
    "elbo": Measure("model", _elbo, "evidence lower bound"),
    "iw_bound": Measure("model", _importance_weighted, "importance-weighted bound, 100 codes"),
    "ais": Measure("model", _ais, f"log-likelihood of the first {AIS_ROWS} by annealed importance sampling"),
    "critic": Measure("copies", _critic, "fresh Wasserstein critics against held-out and training data"),
    "nearest": Measure("copies", _nearest, "median distance to the nearest training example"),
}

_ENCODES = ("mse", "psnr", "ssim", "ms_ssim", "lpips", "nac", "active_dimensions", "latent_kl")
_BOUNDS = {"elbo": "elbo", "iw_bound": "importance_weighted_bound"}


def check(names: Any, model: Any, features: Any, train: Any) -> dict[str, Measure]:
    """The measures named, or a ValueError that says what one of them lacks."""
    if not names:
        raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: {names!r}")
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"Argument `metrics` must name some of {', '.join(MEASURES)}. Received: {name!r}")
        if MEASURES[name].needs in ("features", "probabilities") and features is None:
            raise ValueError(f"Argument `features` is needed for {name!r}: an extractor. Received: None")
        if name in _ENCODES and not model.has_encoder:
            raise ValueError(f"Metric {name!r} needs an encoder. Received: a {type(model).__name__}")
        if MEASURES[name].needs == "copies" and train is None:
            raise ValueError(f"Argument `train` is needed for {name!r}: the training data. Received: None")
        if name in _BOUNDS and not hasattr(model, _BOUNDS[name]):
            raise ValueError(f"Metric {name!r} needs an explicit likelihood. Received: a {type(model).__name__}")
        if name == "ais" and model.observation_model is None:
            advice = "`ki.evaluation.ais_log_likelihood` takes one"
            raise ValueError(
                f"Metric 'ais' needs an explicit likelihood ({advice}). Received: a {type(model).__name__}"
            )
    return {name: MEASURES[name] for name in names}
