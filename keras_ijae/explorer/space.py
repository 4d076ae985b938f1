"""The code space of a model, as the page asks for it: points with their images, ways between them, directions."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_ijae import checks
from keras_ijae.explorer.axes import Axes
from keras_ijae.figures import class_directions
from keras_ijae.figures.decoding import of_support
from keras_ijae.figures.plane import plane, principal
from keras_ijae.figures.traversals import use_of_dimensions

SLIDERS = 8
_LEAST = 2


@dataclasses.dataclass(frozen=True)
class Points:
    """Some points: their names, codes (n, d), images (n, *data_shape), and labels (n,), -1 where there is none."""

    names: list[str]
    codes: np.ndarray
    images: np.ndarray
    labels: np.ndarray


class Space:
    """A model, images with their codes, and samples of its prior.

    A point is named by its key: "data 3", or "sample 0 7", the one with index 7 of seed 0.

    Args:
        model: of images, conditional or not, with an encoder or without.
        x: images (n, *data_shape), n >= 2; None: none, as of a model without an encoder.
        labels: of the images: integers (n,), -1 for unknown; name -> (n,) where they have several; None: none, which a
            conditional model does not take.
        title: of the page.
        samples: how many points of the prior are shown.

    Raises:
        ValueError: the model makes vectors, there are fewer than two images, or codes that are not finite or all the
            same.
    """

    def __init__(
        self,
        model: Any,
        x: np.ndarray | None = None,
        labels: np.ndarray | Mapping[str, np.ndarray] | None = None,
        title: str = "A model",
        samples: int = 1000,
    ) -> None:
        if len(model.data_shape) != 3:
            raise ValueError(
                f"The explorer shows images. Received: a model of vectors of shape {model.data_shape}, which "
                "`keras-ijae report` draws as charts"
            )
        self.model, self.title = model, title
        self.samples = checks.whole("samples", samples, _LEAST)
        self.x = None if x is None or not model.has_encoder else np.asarray(x, "float32")
        if self.x is not None and len(self.x) < _LEAST:
            raise ValueError(f"The explorer needs at least {_LEAST} images. Received: {len(self.x)}")
        self._data = self.x if model.classes is None else (self.x, labels)
        self.codes = self.drawn(0) if self.x is None else _finite(model.encode(self._data, seed=0))
        if not np.ptp(self.codes, axis=0).any():
            raise ValueError("The explorer needs codes that differ. Received: a model of which all are the same")
        self._set_labels(labels if self.x is not None else None)
        _finite(self.decode(self.codes[:1]), "images")  # which also compiles what sliders call
        self.plane = plane(self.codes)
        self.axes = {"principal": self._principal(), "active": self._active()}

    def _set_labels(self, labels):
        named = labels if isinstance(labels, Mapping) else {} if labels is None else {"label": labels}
        named = {name: np.asarray(values) for name, values in named.items()}
        for name, values in named.items():
            if values.shape != (len(self.codes),):
                raise ValueError(
                    f"Argument `labels` must have one for each of {len(self.codes)} images. Received: {name!r} of "
                    f"shape {values.shape}"
                )
        kinds = {name: np.unique(values[values >= 0]) for name, values in named.items()}
        told = {name: values for name, values in named.items() if len(kinds[name]) > 1}
        self.directions = class_directions(self.codes, told)
        self.labels = None if labels is None or isinstance(labels, Mapping) else named["label"].astype(int)

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def drawn(self, seed: int) -> np.ndarray:
        """Codes of the prior, (samples, d)."""
        codes = self.model.endpoints.codes_of_samples(self.samples, checks.seed(seed))
        return _finite(codes)

    def keys(self, seed: int | None = None) -> list[str]:
        """Those of the data, or of the samples of a seed."""
        if seed is not None:
            return [f"sample {seed} {index}" for index in range(self.samples)]
        return [f"data {index}" for index in range(0 if self.x is None else len(self.x))]

    def code(self, key: str) -> np.ndarray:
        """Of the point with this key, (d,)."""
        kind, *seeds, index = key.split()
        return self.codes[int(index)] if kind == "data" else self.drawn(int(seeds[0]))[int(index)]

    def points(self, keys: Sequence[str], label: int | None = None) -> Points:
        """What the keys name; samples of a conditional model are decoded with `label`, else with labels as drawn."""
        parts = [self._point(key, label) for key in keys]
        names, codes, labels, images = (list(part) for part in zip(*parts, strict=True))
        missing = [index for index, image in enumerate(images) if image is None]
        if missing:
            made = self.decode(np.stack([codes[index] for index in missing]), [labels[index] for index in missing])
            for index, image in zip(missing, made, strict=True):
                images[index] = image
        return Points(names, np.stack(codes), np.stack(images), np.array(labels))

    def label(self, key: str) -> int:
        """Of the point with this key; -1 where there is none."""
        kind, *seeds, index = key.split()
        if kind == "data":
            return -1 if self.labels is None else int(self.labels[int(index)])
        return int(self._labels_drawn(int(seeds[0]))[int(index)])

    def _point(self, key, label):
        kind, *seeds, index = key.split()
        label = self.label(key) if kind == "data" or label is None else label
        name = f"image {index}" if kind == "data" else f"sample {index} of seed {seeds[0]}"
        name += f", label {label}" if label >= 0 else ""
        return name, self.code(key), label, self.x[int(index)] if kind == "data" else None

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def _labels_drawn(self, seed):
        conditional = self.model.classes is not None
        return self.model.sample_labels(self.samples, seed) if conditional else np.full(self.samples, -1)

    def decode(self, codes: np.ndarray, labels: int | Iterable[int] = -1) -> np.ndarray:
        """Images (n, *data_shape) in [0, 1] of codes (n, d), which sliders may have moved off the simplex of sticks.

        Labels, one or n, count for conditional models alone.
        """
        labels = None if self.model.classes is None else np.broadcast_to(labels, len(codes)).astype("int32")
        codes = of_support(self.model, codes).astype("float32")
        return np.clip(self.model.decode(codes, labels=labels), 0, 1)

    def _principal(self):
        found = principal(self.codes, SLIDERS)
        spread = found.of(self.codes).std(axis=0)
        moving = spread > 1e-6 * spread.max()
        names = [f"component {index}, {share:.0%} of variance" for index, share in enumerate(found.shares, 1)]
        names = [name for name, moves in zip(names, moving, strict=True) if moves]
        return Axes(names, found.directions[moving], found.mean, spread[moving])

    def _active(self):
        """The dimensions that are used most."""
        use = use_of_dimensions(self.codes, self.model, self._data if self.x is not None else None)
        spread = self.codes.std(axis=0)
        chosen = [one for one in np.argsort(-use.sizes, kind="stable") if spread[one] > 0][:SLIDERS]
        names = [f"z{one}, {use.of(one)}" for one in chosen]
        return Axes(names, np.eye(len(spread))[chosen], self.codes.mean(axis=0), spread[chosen])


def _finite(values, what="codes"):
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"The explorer needs finite {what}. Received: a model whose {what} are NaN or infinite")
    return values
