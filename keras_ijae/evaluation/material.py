"""What measures are computed from: data, samples, reconstructions, and their features."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from keras_ijae import random
from keras_ijae.evaluation.feature_set import FeatureSet
from keras_ijae.evaluation.measures import Measure
from keras_ijae.evaluation.reading import ROWS, batches_of, joined, observations, read
from keras_ijae.evaluation.sharing import Sharing
from keras_ijae.game import Batch
from keras_ijae.metrics.features import DataSpace, FeatureCache
from keras_ijae.progress import tracked


class Material:
    """What the measures are computed from, made when first needed, once."""

    def __init__(self, measures, model, dataset, extractor, lpips, samples, train, seed, cache, progress):
        self.measures: list[Measure] = list(measures)
        self.model, self.extractor, self.lpips, self.seed, self.progress = model, extractor, lpips, seed, progress
        self.dataset, self.train_data, self.cache = dataset, train, cache
        self._wanted_samples, self._taken = samples, {measure.takes for measure in self.measures}
        self.sharing = Sharing(model.distribute_strategy)

    def batches(self, title: str) -> Iterator[Batch]:
        """The data, batch by batch, checked, as arrays; labels are one-hot, None where there are none."""
        part = None
        for part in tracked(batches_of("dataset", self.dataset, self.model), title, self.progress):
            yield read(part, self.model)
        if part is None:
            raise ValueError("Argument `dataset` must have examples. Received: none")

    @cached_property
    def data(self) -> Batch:
        return joined(list(self.batches("data")))

    @cached_property
    def train(self) -> np.ndarray | None:
        if self.train_data is None:
            return None
        return np.concatenate([read(part, self.model).x for part in batches_of("train", self.train_data, self.model)])

    @property
    def real(self) -> FeatureSet:
        """Features of the data."""
        return self._labelled[0]

    @cached_property
    def labels(self) -> np.ndarray:
        """Of the examples whose features `real` has, in their order: integers (n,), -1 where unknown."""
        rows = np.concatenate(self._labelled[1])
        return np.where(rows.any(axis=1), rows.argmax(axis=1), -1)

    @cached_property
    def _labelled(self) -> tuple[FeatureSet, list[np.ndarray | None]]:
        """Features and labels of one pass: the next one may have another order. A cache takes passes of its own."""
        found, labels = self._set("features", "class_features"), []
        if self.cache is None or isinstance(self.extractor, DataSpace):
            for index, batch in self._shared(_noted(self.batches("features of data"), labels)):
                found.take(self.sharing.own(index, self.extractor.features(batch.x)))
            return found.share(self.sharing), labels
        if "class_features" in self._taken:
            labels = self._labels_of_every_pass()
        data, cache = batches_of("dataset", self.dataset, self.model), FeatureCache(self.cache)
        fitting = data.map(lambda x, *_: observations(x, self.model))  # pairs come as two arguments
        if self._taken & {"features", "class_features"}:
            found.take(cache.features(self.extractor, fitting))
        else:
            found.take_sums(cache.statistics(self.extractor, fitting))
        return found, labels

    def _labels_of_every_pass(self) -> list[np.ndarray]:
        first, second = ([batch.labels for batch in self.batches("labels")] for _ in range(2))
        if not np.array_equal(np.concatenate(first), np.concatenate(second)):
            raise ValueError(
                "Argument `dataset` must have one order in all passes for 'class_frechet' with a `cache`, as with "
                "`shuffle=False`. Received: a data set whose labels come in another order in the second pass"
            )
        return first

    def _set(self, *rows_of: str, probabilities_of: str = "", moments_of: str = "moments") -> FeatureSet:
        """A set that holds what is needed of it: rows if measures take one of these, and so on."""
        taken = self._taken
        return FeatureSet(bool(taken & {*rows_of}), moments_of in taken, probabilities_of in taken)

    @cached_property
    def real_by_class(self) -> list[np.ndarray]:
        """Features of the data, class by class; without those of unknown label.

        Raises:
            ValueError: a class has fewer than two examples, so no covariance.
        """
        counts = np.bincount(self.labels[self.labels >= 0], minlength=self.model.classes)
        if counts.min() < 2:
            raise ValueError(
                "Metric 'class_frechet' needs at least two examples of each class, better more than an example has "
                f"features. Received: data with {counts.tolist()} examples of the classes 0..{self.model.classes - 1}"
            )
        features = self.real.features
        return [features[self.labels == label] for label in range(self.model.classes)]

    @cached_property
    def of_pairs(self) -> dict[str | tuple[str, ...], Any]:
        """What each of `_looks` finds, and "features". Each batch is reconstructed once, for all, and not kept."""
        looks, features = self._looks(), self._set("features")
        found = {name: [] for name in looks}
        for index, (x, labels) in self._shared(self.batches("reconstructions")):
            remade = self.model.reconstruct(x, seed=self._seed("reconstructions", index), labels=labels)
            for name, look in looks.items():
                found[name].append(self.sharing.own(index, np.asarray(look(x, remade))))
            if self._taken & {"features", "moments"}:
                features.take(self.sharing.own(index, self.extractor.features(remade)))
        shared = {name: self.sharing.joined(parts) for name, parts in found.items()}
        return shared | {"features": features.share(self.sharing)}

    def _looks(self) -> dict[str | tuple[str, ...], Callable[[np.ndarray, np.ndarray], Any]]:
        """What measures take, for pairs their names -> function of a batch and its reconstruction that gives rows."""
        looks = {"rows": lambda x, _: [len(x)]}
        looks |= {m.names: partial(_row, m.compute) for m in self.measures if m.takes == "pairs"}
        if "perceptual" in self._taken:
            looks["perceptual"] = self.lpips
        return looks

    @cached_property
    def n_data(self) -> int:
        """How many examples the data have."""
        if self._taken & {"features", "moments", "class_features"}:
            return self.real.count
        if self._taken & {"model", "copies"}:
            return len(self.data.x)
        return sum(len(batch.x) for batch in self.batches("data"))

    @property
    def n_samples(self) -> int:
        """How many samples: as many as there are data, unless a number is asked for."""
        return self._wanted_samples or self.n_data

    def check_least(self, metric: str, measure: Measure) -> None:
        """ValueError if the measure, of that name, needs more data or samples than there are."""
        data, samples = measure.least
        if data > 1 and self.n_data < data:
            raise ValueError(
                f"Argument `dataset` must have at least {data} examples for {metric!r}. Received: {self.n_data}"
            )
        if samples and self.n_samples < samples:
            raise ValueError(
                f"Argument `samples` must be at least {samples} for {metric!r}; by default there are as many as data. "
                f"Received: {self.n_samples}"
            )

    def _shared(self, batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Number and batch, of those that this machine looks at."""
        return ((index, batch) for index, batch in enumerate(batches) if self.sharing.looks_at(index))

    def _starts(self, title: str) -> Iterator[int]:
        return tracked(range(0, self.n_samples, ROWS), title, self.progress)

    def _sample(self, index: int, start: int) -> np.ndarray:
        return self.model.sample(min(ROWS, self.n_samples - start), seed=self._seed("samples", index))

    @cached_property
    def samples(self) -> np.ndarray:
        return np.concatenate([self._sample(index, start) for index, start in enumerate(self._starts("samples"))])

    @cached_property
    def fake(self) -> FeatureSet:
        """Features and probabilities of the samples."""
        batches = ((index, self._sample(index, start)) for index, start in self._shared(self._starts("samples")))
        return self._looked_at(batches, self._set("features", probabilities_of="probabilities"))

    @cached_property
    def of_classes(self) -> tuple[np.ndarray, FeatureSet]:
        """Labels of samples, and their features and probabilities, class by class, equally many of each.

        Raises:
            ValueError: fewer than two of each class.
        """
        classes = self.model.classes
        if self.n_samples < 2 * classes:
            raise ValueError(
                f"Argument `samples` must be at least {2 * classes}, two of each class, for metrics of classes; by "
                f"default there are as many as data. Received: {self.n_samples}"
            )
        labels = np.repeat(np.arange(classes), self.n_samples // classes)
        found = self._set("class_features", probabilities_of="class_probabilities", moments_of="")
        return labels, self._looked_at(self._sampled_as(labels), found)

    def _sampled_as(self, labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        for index, start in self._shared(tracked(range(0, len(labels), ROWS), "samples of classes", self.progress)):
            part = labels[start : start + ROWS]
            yield index, self.model.sample(len(part), seed=self._seed("samples of classes", index), labels=part)

    def _looked_at(self, batches: Iterable[tuple[int, np.ndarray]], found: FeatureSet) -> FeatureSet:
        """The set, with what the extractor finds in numbered batches."""
        for index, images in batches:
            parts = zip(*self.extractor.stream(images), strict=True)
            found.take(*(None if part[0] is None else self.sharing.own(index, np.concatenate(part)) for part in parts))
        return found.share(self.sharing)

    def _seed(self, name: str, index: int) -> int:
        """A seed for each batch that no other seed's batches share."""
        return int(random.fold(self.seed, name, index)[0])


def _noted(batches: Iterable[Batch], labels: list[np.ndarray | None]) -> Iterator[Batch]:
    """The batches, whose labels are appended to a list."""
    for batch in batches:
        labels.append(batch.labels)
        yield batch


def _row(compute: Callable, x: np.ndarray, remade: np.ndarray) -> list[list[float]]:
    return [[value.value for value in compute(x, remade)]]
