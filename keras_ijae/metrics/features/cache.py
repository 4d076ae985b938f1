"""Features on disk, found again only for the same images, network and libraries."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_ijae.arrays import read_npz
from keras_ijae.checks import path
from keras_ijae.files import replacing
from keras_ijae.metrics.features.extractor import Extractor
from keras_ijae.metrics.features.images import Images, in_batches
from keras_ijae.metrics.frechet import FrechetAccumulator
from keras_ijae.metrics.score import library_versions


class FeatureCache:
    """Keeps what extractors made of images, so that a reference set is run through a network once.

    An entry is found by the content of the images in their order, the extractor's name, weights and resizing, and
    the versions of the libraries: what was made otherwise is not found. A file that cannot be read is made again,
    and a warning says why. Images are read twice when they are new: to look for them, and to extract; a data set
    that gives other images each time is stored by those that were extracted.

    Args:
        directory: where to; made if missing. Delete files from it at will.

    Example:
        cache = FeatureCache("cache")
        images = ki.datasets.load("cifar10", "train", shuffle=False, drop_remainder=False)  # all of them, in one order
        reference = cache.statistics(Inception(), images)
    """

    def __init__(self, directory: str | os.PathLike) -> None:
        self.directory = path("directory", directory)

    def outputs(self, extractor: Extractor, images: Images) -> tuple[np.ndarray, np.ndarray | None]:
        """Features (n, dim), and probabilities (n, classes) where the extractor has classes.

        Args:
            extractor: see `Extractor`.
            images: see `Extractor.stream`.
        """
        found = self._find("features", extractor, images, _load_arrays)
        if found is None:
            content, parts = _Content(), []
            for features, probabilities in content.stream(extractor, images):
                parts.append([features] if probabilities is None else [features, probabilities])
            found = [np.concatenate(part) for part in zip(*parts, strict=True)]
            record = _record("features", extractor, content.checksum())
            with replacing(self._path(record)) as temporary, temporary.open("wb") as file:
                np.savez(file, *found, record=json.dumps(record))
        return found[0], found[1] if extractor.has_probabilities else None

    def features(self, extractor: Extractor, images: Images) -> np.ndarray:
        """(n, dim); arguments as in `outputs`."""
        return self.outputs(extractor, images)[0]

    def statistics(self, extractor: Extractor, images: Images) -> FrechetAccumulator:
        """Mean and covariance of the features, in constant memory; arguments as in `outputs`."""
        found = self._find("statistics", extractor, images, _load_statistics)
        if found is None:
            content = _Content()
            for features, _ in content.stream(extractor, images):
                found = found or FrechetAccumulator(features.shape[1])
                found.update(features)
            found.metadata = _record("statistics", extractor, content.checksum())
            found.save(self._path(found.metadata))
        return found

    def _find(self, what: str, extractor: Extractor, images: Images, load: Callable[[Path, dict], Any]) -> Any:
        """What is stored of these images; None if nothing, or nothing that can be read."""
        content = _Content()
        for batch in in_batches(images, extractor.batch_size):
            content.update(batch)
        record = _record(what, extractor, content.checksum())
        file = self._path(record)
        try:
            return load(file, record) if file.is_file() else None
        except Exception as error:  # a broken file can fail in any way
            warnings.warn(f"{file} cannot be used ({error}): its {what} are computed again", stacklevel=3)
            return None

    def _path(self, record: dict[str, Any]) -> Path:
        key = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
        return self.directory / f"{record['what']}-{key[:32]}.npz"


class _Content:
    """A checksum of images in their order, whatever their batches."""

    def __init__(self) -> None:
        self._digest, self._shape, self._count = hashlib.sha256(), (), 0

    def update(self, batch: np.ndarray) -> None:
        self._digest.update(np.ascontiguousarray(batch).data)
        self._shape, self._count = batch.shape[1:], self._count + len(batch)

    def stream(self, extractor: Extractor, images: Images) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """What the extractor streams, of images that are taken in on the way."""
        for batch in in_batches(images, extractor.batch_size):
            self.update(batch)
            yield from extractor.stream(batch)

    def checksum(self) -> str:
        return hashlib.sha256(f"{self._digest.hexdigest()} {self._count} {self._shape}".encode()).hexdigest()


def _record(what: str, extractor: Extractor, content: str) -> dict[str, Any]:
    return {
        "what": what,
        "images": content,
        "extractor": extractor.name,
        "weights": extractor.checksum,
        "resize": extractor.resize,
        "versions": library_versions(),
    }


def _load_arrays(path: Path, record: dict[str, Any]) -> list[np.ndarray]:
    file = read_npz(path)
    _same(json.loads(str(file.pop("record"))), record)
    return list(file.values())


def _load_statistics(path: Path, record: dict[str, Any]) -> FrechetAccumulator:
    found = FrechetAccumulator.load(path)
    _same(found.metadata, record)
    return found


def _same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    other = [key for key in wanted if found.get(key) != wanted[key]]
    if other:
        raise ValueError(f"it was made with other {', '.join(other)}")
