"""Extractors: from images to the features and class probabilities that metrics compare."""

import os
from pathlib import Path

import keras

from keras_ijae.metrics.features.cache import FeatureCache
from keras_ijae.metrics.features.classifier import Classifier
from keras_ijae.metrics.features.data_space import DataSpace
from keras_ijae.metrics.features.extractor import Extractor
from keras_ijae.metrics.features.inception import Inception
from keras_ijae.metrics.features.keras_features import KerasFeatures

__all__ = ["Classifier", "DataSpace", "Extractor", "FeatureCache", "Inception", "KerasFeatures", "get"]


def get(identifier: str | os.PathLike | Extractor | keras.Model) -> Extractor:
    """The extractor meant.

    Args:
        identifier: an extractor; a Keras model, whose output is taken as features; "inception" (the network of
            published FIDs, its weights downloaded once); the path of a classifier that
            `keras-ijae train-classifier` stored; or "data", the data themselves.

    Raises:
        ValueError: it is none of these, or there is no such file.
    """
    if isinstance(identifier, Extractor):
        return identifier
    if isinstance(identifier, keras.Model):
        return KerasFeatures(identifier)
    if isinstance(identifier, str) and identifier == "inception":
        return Inception()
    if isinstance(identifier, str) and identifier == "data":
        return DataSpace()
    if isinstance(identifier, (str, os.PathLike)) and Path(identifier).suffix == ".keras":
        if not Path(identifier).is_file():
            raise ValueError(
                f"Argument `features` must name a file that exists: there is no stored classifier at {identifier}. "
                "`keras-ijae train-classifier` writes one"
            )
        return Classifier.load(identifier)
    raise ValueError(
        'Argument `features` must be an extractor, a Keras model, "inception", "data" or the path of a stored '
        f"classifier (.keras). Received: {identifier!r}"
    )
