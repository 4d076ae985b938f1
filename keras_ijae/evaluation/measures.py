"""The measures that `evaluate` knows: what each needs, and how it is computed."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_ijae import metrics
from keras_ijae.evaluation.ais import ais_log_likelihood
from keras_ijae.evaluation.capabilities import (
    BOUNDS,
    CONDITIONAL,
    ENCODER,
    IMAGES,
    LIKELIHOOD,
    PRIOR_DENSITY,
    TWO_DIMENSIONS,
    Capability,
)
from keras_ijae.evaluation.codes import active_codes, aggregate_posterior_kl
from keras_ijae.evaluation.critic import independent_critic
from keras_ijae.progress import is_shown

AIS_ROWS = 64
"""How many examples of the data set annealed importance sampling scores; the seed chooses them."""


class Value(NamedTuple):
    """A number; its standard deviation, if it has one; the numbers of examples, where not all were used."""

    value: float
    std: float | None = None
    n_real: int | None = None
    n_fake: int | None = None


@dataclass(frozen=True)
class Measure:
    """One entry of `MEASURES`.

    Attributes:
        takes: what it is computed from: "features" (of data against samples, and against reconstructions), "moments"
            (mean and covariance of such features, which are not held), "probabilities" (of samples' classes), "pairs"
            (data and their reconstructions, batch by batch; values are averaged over examples), "perceptual" (LPIPS
            distances of such pairs), "samples" (images), "model" (the model and the data), "copies" (data, samples and
            training data), or, of samples of which there are equally many of each class, "class_features" (and those of
            the data) and "class_probabilities".
        names: of the numbers that it gives.
        compute: gives one `Value` for each name. Its arguments: features: (real, fake, seed); moments: the same, as
            `ki.metrics.FrechetAccumulator`s; probabilities: (probabilities,); pairs: (x, remade); perceptual:
            (distances,); samples: (images,); model: (model, data, seed), where data is a `Batch` of all; copies: (x,
            samples, train, seed); class_features: (real, fake), an array for each class; class_probabilities:
            (probabilities, labels asked for).
        summary: one line for people.
        needs: what a model must offer.
        least: how many examples of the data, and how many samples, it needs at least.
    """

    takes: str
    names: tuple[str, ...]
    compute: Callable[..., Sequence[Value]]
    summary: str
    needs: tuple[Capability, ...] = ()
    least: tuple[int, int] = (1, 0)

    def lacks(self, model: Any) -> Capability | None:
        """The first thing needed that the model does not offer; None if it offers everything."""
        return next((capability for capability in self.needs if not capability.offered(model)), None)

    def sides(self, model: Any) -> tuple[str, ...]:
        """What is scored: "gen", "rec", or "" for the model itself."""
        both = ("gen", "rec") if model.has_encoder else ("gen",)
        known = {"features": both, "moments": both, "model": ("",)}
        return known.get(self.takes, ("rec",) if self.takes in ("pairs", "perceptual") else ("gen",))

    def reads_labels(self, model: Any) -> bool:
        """Whether the data must come with labels."""
        return model.classes is not None and (self.takes == "class_features" or self.sides(model) != ("gen",))


def _frechet(real, fake, seed):
    return [Value(metrics.frechet_distance(real, fake))]


def _kernel(real, fake, seed):
    if len(real) <= 1000 and len(fake) <= 1000:  # subsets would be the whole, again and again
        return [Value(metrics.kernel_distance(real, fake, subset_size=None).mean)]
    found = metrics.kernel_distance(real, fake, subset_size=min(1000, len(real), len(fake)), seed=seed)
    return [Value(found.mean, found.std)]


def _precision_recall(real, fake, seed):
    found = metrics.precision_recall(real, fake)
    return [Value(found.precision), Value(found.recall)]


def _density_coverage(real, fake, seed):
    found = metrics.density_coverage(real, fake)
    return [Value(found.density), Value(found.coverage)]


def _prdc(real, fake, seed):
    found = metrics.prdc(real, fake)
    return [Value(found.precision), Value(found.recall), Value(found.density), Value(found.coverage)]


def _prd(real, fake, seed):
    """Of equal numbers of both: a random subset of the larger set."""
    rows = min(len(real), len(fake))
    curve = metrics.precision_recall_distribution(*(_subset(x, rows, seed) for x in (real, fake)), seed=seed)
    return [Value(value, None, rows, rows) for value in curve.f_beta]


def _sliced(real, fake, seed):
    return [Value(metrics.sliced_wasserstein(real, fake, seed=seed))]


def _inception_score(probabilities):
    found = metrics.inception_score(probabilities, splits=min(10, len(probabilities)))
    return [Value(found.mean, found.std)]


def _class_frechet(real, fake):
    few, size = min(map(len, real + fake)), real[0].shape[1]
    if few <= size:
        warnings.warn(f"A class has {few} rows for {size} dimensions: its distance is biased upwards", stacklevel=2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* biased upwards")  # once is enough
        distances = [metrics.frechet_distance(*pair) for pair in zip(real, fake, strict=True)]
    return [Value(float(np.mean(distances))), Value(max(distances))]


def _class_accuracy(probabilities, labels):
    return [Value(float(np.mean(probabilities.argmax(axis=1) == labels)))]


def _mean_squared_error(x, remade):
    return [Value(float(np.mean((np.asarray(x, np.float64) - remade) ** 2)))]


def _image(name: str) -> Measure:
    def compute(x, remade):
        return [Value(getattr(metrics, name)(x, remade))]

    return Measure("pairs", (name,), compute, f"{name} of reconstructions", (ENCODER, IMAGES))


def _lpips(distances):
    return [Value(float(distances.mean(dtype=np.float64)), float(distances.std(dtype=np.float64)))]


def _diversity(images):
    return [Value(metrics.ms_ssim_diversity(images))]


def _nac(model, data, seed):
    """NaN where fewer than two dimensions are active."""
    codes = model.encode(data, seed=seed)
    active = active_codes(model, data, codes) & (np.ptp(codes, axis=0) > 0)
    return [Value(metrics.nac(codes, active) if active.sum() > 1 else float("nan"))]


def _active_dimensions(model, data, seed):
    return [Value(float(np.sum(active_codes(model, data, model.encode(data, seed=seed)))))]


def _latent_kl(model, data, seed):
    return [Value(aggregate_posterior_kl(model, data, seed))]


def _elbo(model, data, seed):
    return [Value(float(np.mean(model.elbo(data, seed=seed))))]


def _importance_weighted(model, data, seed):
    return [Value(float(np.mean(model.importance_weighted_bound(data, seed=seed))))]


def _ais(model, data, seed):
    x, labels = data.each(lambda part: _subset(np.asarray(part), AIS_ROWS, seed))
    values = ais_log_likelihood(model, x, seed=seed, labels=labels, progress=is_shown()).log_likelihood
    return [Value(float(values.mean()), float(values.std()), len(values))]


def _critic(x, samples, train, seed):
    found = independent_critic(samples, train, x, seed=seed, progress=is_shown())
    return [Value(found.validation), Value(found.train)]


def _nearest(x, samples, train, seed):
    train, samples, x = (np.reshape(rows, (len(rows), -1)) for rows in (train, samples, x))
    return [Value(float(np.median(metrics.nearest_neighbours(rows, train).distances))) for rows in (samples, x)]


def _subset(x, rows, seed):
    """Some rows of `x`, which the seed chooses; all, in their order, if there are no more."""
    return x if len(x) <= rows else x[np.random.default_rng(seed).permutation(len(x))[:rows]]


_BALLS = ("precision", "recall"), ("density", "coverage")
_PRD = ("prd_f8_recall", "prd_f1/8_precision")
_CLASS_FRECHET = ("class_frechet_distance_mean", "class_frechet_distance_worst")
_CRITICS, _NEAREST = ("critic_validation", "critic_train"), ("nearest_train_of_samples", "nearest_train_of_held_out")

MEASURES = {
    "fid": Measure("moments", ("frechet_distance",), _frechet, "Frechet distance of features", least=(2, 2)),
    "kid": Measure(
        "features", ("kernel_distance",), _kernel, "kernel distance of features, 100 subsets of 1000", least=(2, 2)
    ),
    "precision_recall": Measure(
        "features", _BALLS[0], _precision_recall, "shares in the other set's balls, k = 3", least=(4, 4)
    ),
    "density_coverage": Measure(
        "features", _BALLS[1], _density_coverage, "balls of data that hold samples, k = 5", least=(6, 2)
    ),
    "prd": Measure("features", _PRD, _prd, "F_8 and F_1/8 of the precision-recall curve", least=(10, 10)),
    "sliced_wasserstein": Measure(
        "features", ("sliced_wasserstein",), _sliced, "Wasserstein distance over random directions of features"
    ),
    "is": Measure(
        "probabilities", ("inception_score",), _inception_score, "Inception score of the extractor's classes"
    ),
    "class_frechet": Measure(
        "class_features",
        _CLASS_FRECHET,
        _class_frechet,
        "Frechet distance within classes, mean over them and worst; as many samples of each",
        (CONDITIONAL,),
    ),
    "class_accuracy": Measure(
        "class_probabilities",
        ("class_accuracy",),
        _class_accuracy,
        "share of samples, as many of each class, that the extractor takes for the class asked for",
        (CONDITIONAL,),
    ),
    "mse": Measure(
        "pairs",
        ("mean_squared_error",),
        _mean_squared_error,
        "mean squared error of reconstructions, over dimensions too",
        (ENCODER,),
    ),
    "psnr": _image("psnr"),
    "ssim": _image("ssim"),
    "ms_ssim": _image("ms_ssim"),
    "lpips": Measure(
        "perceptual",
        ("lpips",),
        _lpips,
        "perceptual distance of reconstructions, deviation over images",
        (ENCODER, IMAGES),
    ),
    "diversity": Measure(
        "samples", ("ms_ssim_diversity",), _diversity, "1 - MS-SSIM between samples", (IMAGES,), least=(1, 2)
    ),
    "nac": Measure(
        "model", ("nac",), _nac, "mean absolute correlation of active codes", (ENCODER, TWO_DIMENSIONS), least=(2, 0)
    ),
    "active_dimensions": Measure(
        "model",
        ("active_dimensions",),
        _active_dimensions,
        "code dimensions in use: by the mask, the posteriors' means, or spread",
        (ENCODER,),
        least=(2, 0),
    ),
    "latent_kl": Measure(
        "model", ("latent_kl_nats",), _latent_kl, "KL of the codes' Gaussian to N(0, I)", (ENCODER,), least=(2, 0)
    ),
    "elbo": Measure("model", ("elbo_nats",), _elbo, "evidence lower bound", (BOUNDS,)),
    "iw_bound": Measure(
        "model",
        ("importance_weighted_bound_nats",),
        _importance_weighted,
        "importance-weighted bound, 100 codes",
        (BOUNDS,),
    ),
    "ais": Measure(
        "model",
        ("ais_nats",),
        _ais,
        f"log-likelihood of {AIS_ROWS} examples by AIS, 1000 steps",
        (LIKELIHOOD, PRIOR_DENSITY),
    ),
    "critic": Measure(
        "copies", _CRITICS, _critic, "fresh Wasserstein critics against held-out and training data", least=(10, 10)
    ),
    "nearest": Measure("copies", _NEAREST, _nearest, "median distance to the nearest training example"),
}
PRDC = Measure(
    "features", (*_BALLS[0], *_BALLS[1]), _prdc, "both measures of balls, over the same distances", least=(6, 4)
)
"""Stands for "precision_recall" and "density_coverage" where both are asked for."""
