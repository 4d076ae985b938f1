"""How the models of experiments/landscape.py are judged, and what they cost."""

import time
from typing import Any

import keras

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier

MEASURES = ("fid", "precision_recall", "mse", "elbo", "active_dimensions")
SCORES = {
    "samples": "gen/frechet_distance",
    "precision": "gen/precision",
    "recall": "gen/recall",
    "reconstructions": "rec/frechet_distance",
    "squared_error": "rec/mean_squared_error",
    "elbo_nats": "elbo_nats",
    "active_dimensions": "active_dimensions",
}
COSTS = ["steps", "cpu_minutes", "wall_minutes", "fit_seconds", "parameters", "judge_parameters", "prior_weights"]


def scores(model: keras.Model, x: Any, classifier: Classifier) -> dict[str, float]:
    """Those of `SCORES` that a model can have, by held-out images and as many samples; errors are sums over pixels."""
    wanted = [name for name in MEASURES if ki.evaluation.MEASURES[name].lacks(model) is None]
    found = ki.evaluation.evaluate(model, x, wanted, classifier).scores
    values = {name.partition("[")[0]: score.value for name, score in found.items()}
    if model.has_encoder:
        values[SCORES["squared_error"]] *= x[0].size
    return {column: values[name] for column, name in SCORES.items() if name in values}


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
