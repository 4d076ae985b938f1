"""How the models of experiments/colour.py are judged: against the training images as the texts do, and the held-out."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import keras

import keras_ijae as ki
from keras_ijae.evaluation import Evaluation
from keras_ijae.metrics.features import Extractor, Inception, get
from keras_ijae.training import Recipe
from keras_ijae.training.data import in_order

TRAINING = {
    "samples": "gen/frechet_distance",
    "inception_score": "gen/inception_score",
    "reconstructions": "rec/frechet_distance",
}
HELD_OUT = {
    "held_out_samples": "gen/frechet_distance",
    "held_out_reconstructions": "rec/frechet_distance",
    "squared_error": "rec/mean_squared_error",
    "lpips": "rec/lpips",
}
DEVIATIONS = ("inception_score", "lpips")  # over splits, and over images
SCORES = [*TRAINING, *HELD_OUT, *(f"{name}_std" for name in DEVIATIONS), "extractor", "judged_samples"]


class Judge(NamedTuple):
    """What models are judged by.

    Attributes:
        extractor: of features and classes.
        lpips: None leaves that distance out.
        samples: how many are compared with the training images; None: as many as these are.
        cache: directory where features of the images are kept.
    """

    extractor: Extractor
    lpips: ki.metrics.LPIPS | None
    samples: int | None
    cache: Path


def extractor_of(name: str) -> Extractor:
    """ "inception", a file of its weights, or a classifier (.keras)."""
    return Inception(name) if Path(name).suffix in (".pth", ".pb", ".tgz") else get(name)


def scores(model: keras.Model, recipe: Recipe, judge: Judge) -> dict[str, float | str | int]:
    """Those of `SCORES` that a model can have; the squared error is a sum over the numbers of an image."""
    classes = ["is"] if judge.extractor.has_probabilities else []
    pairs = (["mse"] + ["lpips"] * (judge.lpips is not None)) if model.has_encoder else []
    how = {"features": judge.extractor, "cache": judge.cache}
    known = ki.evaluation.evaluate(model, in_order(recipe, "train"), ["fid", *classes], samples=judge.samples, **how)
    held_out = ki.evaluation.evaluate(model, in_order(recipe), ["fid", *pairs], lpips=judge.lpips, **how)
    found = _columns(known, TRAINING, judge.extractor) | _columns(held_out, HELD_OUT, judge.extractor)
    if model.has_encoder:
        found["squared_error"] *= math.prod(model.data_shape)
    about = f"{re.split('[:/]', judge.extractor.name)[-1]} {judge.extractor.checksum[:8]}"  # without a place
    return found | {"extractor": about, "judged_samples": next(iter(known.scores.values())).n_fake}


def _columns(evaluation: Evaluation, names: Mapping[str, str], extractor: Extractor) -> dict[str, float]:
    """column -> value, and the deviation of those that have one. Names of scores say what the extractor is."""
    found = {}
    for column, name in names.items():
        side, _, metric = name.partition("/")
        by_extractor = evaluation.scores.get(f"{side}/{extractor.metric_name(metric)}")
        if (score := by_extractor or evaluation.scores.get(name)) is None:
            continue
        found[column] = score.value
        if column in DEVIATIONS:
            found[f"{column}_std"] = score.std
    return found
