"""What measures are computed from: data, samples, reconstructions, and their features."""

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.evaluation.measures import Measure
from keras_ijae.evaluation.progress import tracked
from keras_ijae.game import data as batches
from keras_ijae.metrics.features import DataSpace, FeatureCache

ROWS = 256


class Material:
    """What the measures are computed from, made when first needed, once."""

    def __init__(self, measures, model, dataset, extractor, lpips, samples, train, seed, cache, progress):
        self.measures: list[Measure] = list(measures)
        self.model, self.extractor, self.lpips, self.seed, self.progress = model, extractor, lpips, seed, progress
        self.dataset, self.train_data, self.cache = dataset, train, cache
        self._wanted_samples = samples

    def batches(self, title: str) -> Iterator[np.ndarray]:
        """The data, batch by batch, checked."""
        x = None
        for x in tracked(_batches("dataset", self.dataset), title, self.progress):
            yield self._observations(x).numpy()
        if x is None:
            raise ValueError("Argument `dataset` must have examples. Received: none")

    @cached_property
    def x(self) -> np.ndarray:
        return np.concatenate(list(self.batches("data")))

    @cached_property
    def train(self) -> np.ndarray | None:
        if self.train_data is None:
            return None
        return np.concatenate([self._observations(part).numpy() for part in _batches("train", self.train_data)])

    @cached_property
    def real(self) -> np.ndarray:
        """Features of the data."""
        if self.cache is not None and not isinstance(self.extractor, DataSpace):
            fitting = _batches("dataset", self.dataset).map(self._observations)
            return FeatureCache(self.cache).features(self.extractor, fitting)
        return np.concatenate([self.extractor.features(x) for x in self.batches("features of data")])

    @cached_property
    def of_pairs(self) -> dict[str | tuple[str, ...], np.ndarray]:
        """What each of `_looks` finds. Each batch is reconstructed once, for all of them, and not kept."""
        looks = self._looks()
        found = {name: [] for name in looks}
        for index, x in enumerate(self.batches("reconstructions")):
            remade = self.model.reconstruct(x, seed=self._seed("reconstructions", index))
            for name, look in looks.items():
                found[name].append(look(x, remade))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _looks(self) -> dict[str | tuple[str, ...], Callable[[np.ndarray, np.ndarray], Any]]:
        """What measures take, for pairs their names -> function of a batch and its reconstruction that gives rows."""
        taken = {measure.takes for measure in self.measures if "rec" in measure.sides(self.model)}
        looks = {"rows": lambda x, _: [len(x)]}
        looks |= {m.names: partial(_row, m.compute) for m in self.measures if m.takes == "pairs"}
        if "features" in taken:
            looks["features"] = lambda _, remade: self.extractor.features(remade)
        if "perceptual" in taken:
            looks["perceptual"] = self.lpips
        return looks

    @cached_property
    def n_samples(self) -> int:
        """How many samples: as many as there are data, unless a number is asked for."""
        if self._wanted_samples:
            return self._wanted_samples
        if any(measure.takes == "features" for measure in self.measures):
            return len(self.real)
        return sum(len(x) for x in self.batches("data"))

    def sampled(self) -> Iterator[np.ndarray]:
        starts = range(0, self.n_samples, ROWS)
        for index, start in enumerate(tracked(starts, "samples", self.progress)):
            rows = min(ROWS, self.n_samples - start)
            yield self.model.sample(rows, seed=self._seed("samples", index))

    @cached_property
    def samples(self) -> np.ndarray:
        return np.concatenate(list(self.sampled()))

    @cached_property
    def fake(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Features and probabilities of the samples."""
        streams = [part for images in self.sampled() for part in self.extractor.stream(images)]
        features, probabilities = zip(*streams, strict=True)
        return np.concatenate(features), None if probabilities[0] is None else np.concatenate(probabilities)

    def _observations(self, *batch: Any) -> tf.Tensor:
        """The observations of a batch of any form, checked; a data set of pairs is mapped with two arguments."""
        return batches.observations(batches.unpack(batch[0]), self.model.data_shape)

    def _seed(self, name: str, index: int) -> int:
        """A seed for each batch that no other seed's batches share."""
        return int(random.fold(self.seed, name, index)[0])


def _row(compute: Callable, x: np.ndarray, remade: np.ndarray) -> list[list[float]]:
    return [[value.value for value in compute(x, remade)]]


def _batches(name: str, data: Any) -> tf.data.Dataset:
    """Batches of ROWS, however the data come: their noise must not depend on it."""
    if isinstance(data, tf.data.Dataset):
        if data.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(f"Argument `{name}` must end. Received: an infinite data set")
        return data.rebatch(ROWS)
    if isinstance(data, keras.utils.PyDataset):
        return _of_py_dataset(data).rebatch(ROWS)
    return tf.data.Dataset.from_tensor_slices(np.asarray(batches.unpack(data))).batch(ROWS)


def _of_py_dataset(data: keras.utils.PyDataset) -> tf.data.Dataset:
    first = tf.convert_to_tensor(batches.unpack(data[0]))
    spec = tf.TensorSpec([None, *first.shape[1:]], first.dtype)
    return tf.data.Dataset.from_generator(
        lambda: (batches.unpack(data[index]) for index in range(len(data))), output_signature=spec
    )
