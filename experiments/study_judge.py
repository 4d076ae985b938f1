"""How the models of a study are judged, and what they cost."""

import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import keras

import keras_ijae as ki
from keras_ijae.metrics import LPIPS
from keras_ijae.metrics.features.classifier import Classifier

SCORES = {
    "samples": ("fid", "gen/frechet_distance"),
    "kernel": ("kid", "gen/kernel_distance"),
    "precision": ("precision_recall", "gen/precision"),
    "recall": ("precision_recall", "gen/recall"),
    "density": ("density_coverage", "gen/density"),
    "coverage": ("density_coverage", "gen/coverage"),
    "prd_recall": ("prd", "gen/prd_f8_recall"),
    "prd_precision": ("prd", "gen/prd_f1/8_precision"),
    "score": ("is", "gen/inception_score"),
    "reconstructions": ("fid", "rec/frechet_distance"),
    "squared_error": ("mse", "rec/mean_squared_error"),
    "lpips": ("lpips", "rec/lpips"),
    "elbo_nats": ("elbo", "elbo_nats"),
    "active_dimensions": ("active_dimensions", "active_dimensions"),
    "nac": ("nac", "nac"),
}
"""Column -> the measure that gives it, and its name there."""
COSTS = ["steps", "cpu_minutes", "wall_minutes", "fit_seconds", "parameters", "judge_parameters", "prior_weights"]


class Judge(NamedTuple):
    """The classifier whose features are compared, and LPIPS, or None: its column stays empty."""

    classifier: Classifier
    lpips: LPIPS | None = None

    @classmethod
    def load(cls, classifier: Path, lpips: list[Path] | None = None) -> "Judge":
        """From a stored classifier, and of LPIPS from heads and a SqueezeNet's weights."""
        return cls(Classifier.load(classifier), LPIPS("squeeze", *lpips) if lpips else None)


def scores(model: keras.Model, x: Any, judge: Judge) -> dict[str, float]:
    """Those of `SCORES` that a model can have, by held-out images and as many samples; errors are sums over pixels."""
    wanted = {measure for measure, _ in SCORES.values() if ki.evaluation.MEASURES[measure].lacks(model) is None}
    wanted -= set() if judge.lpips else {"lpips"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*replicated", UserWarning)  # images have one channel, LPIPS takes three
        found = ki.evaluation.evaluate(model, x, sorted(wanted), judge.classifier, lpips=judge.lpips).scores
    values = {name.partition("[")[0]: score.value for name, score in found.items()}
    if model.has_encoder:
        values[SCORES["squared_error"][1]] *= x[0].size
    return {column: values[name] for column, (_, name) in SCORES.items() if name in values}


def sizes(model: keras.Model) -> dict[str, int]:
    """How many numbers are trained: of players and densities, and of who judges them. What is shared counts once."""
    trained = {id(weight): weight for move in model.moves for weight in model.weights_of(move.name)}
    judges = [model.networks[role.name] for role in model.ROLES if role.judges and role.name in model.networks]
    judging = {id(weight): weight for network in judges for weight in network.trainable_variables}
    playing = {key: weight for key, weight in trained.items() if key not in judging}
    return {"parameters": _count(playing.values()), "judge_parameters": _count(judging.values())}


def fit_prior(model: keras.Model, images: Any, prior: Any, seed: int) -> dict[str, float]:
    """Fits a prior to the codes of images; the CPU time it took, and how many numbers it has."""
    start = time.process_time()
    model.fit_prior(images, prior, seed=seed)
    return {"fit_seconds": time.process_time() - start, "prior_weights": _count(model.sampling_prior.weights)}


def _count(weights):
    return sum(weight.value.shape.num_elements() for weight in weights)
