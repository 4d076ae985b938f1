"""What the sections look at: a run's model, and held-out and training data."""

import dataclasses
import functools
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.game import Game
from keras_ijae.metrics import nearest_neighbours
from keras_ijae.report.reading import Run
from keras_ijae.training.data import has_labels, held_out_split, in_order, part_of, some_rows, splits

ROWS = 1000
"""Of held-out data, at most."""
TRAINING_ROWS = 20_000
"""Among which the nearest to a sample is looked for, at most."""
_AT_ONCE = 1024


class Absent(ValueError):
    """A section has nothing to show; says why."""


@dataclasses.dataclass
class Look:
    """A run whose model and data are read when a section first asks for them."""

    run: Run

    @property
    def model(self) -> Game:
        """The model; `Absent` where there is none."""
        if self.run.model is None:
            raise Absent("There is no model to ask.")
        return self.run.model

    @property
    def encoder(self) -> Game:
        """The model, if it has an encoder."""
        if not self.model.has_encoder:
            raise Absent("This system has no encoder.")
        return self.model

    @property
    def awaits_fit(self) -> bool:
        """Whether samples are drawn from a density that is fitted when training is done, and it is not."""
        return not self.run.is_done and self.model.awaits_fit

    @functools.cached_property
    def is_image(self) -> bool:
        """Whether observations are images."""
        return len(self.model.data_shape) == 3

    @functools.cached_property
    def split(self) -> str:
        """The name of the split that is looked at."""
        return held_out_split(self.run.recipe)

    @functools.cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Held-out observations (n <= 1000, *data_shape), and their labels (n,) where they have one each."""
        labelled = has_labels(self.run.recipe, self.split)
        found = some_rows(self.run.recipe, self.split, ROWS, labelled)
        return found if isinstance(found, tuple) else (found, None)

    def data(self, count: int | None = None) -> Any:
        """The first of these as the model takes them, with labels if it is conditional."""
        x, labels = self.rows
        return x[:count] if self.model.classes is None else (x[:count], labels[:count])

    @functools.cached_property
    def codes(self) -> np.ndarray:
        """Of these, with the encoder's noise: (n, latent_dim), finite."""
        return _finite("codes", self.encoder.encode(self.data(), seed=0))

    @functools.cached_property
    def prior_codes(self) -> np.ndarray:
        """Codes that samples are made of, (n, latent_dim)."""
        return np.asarray(self.model.endpoints.codes_of_samples(ROWS, 0))

    @functools.cached_property
    def reconstructions(self) -> np.ndarray:
        """Of the held-out rows."""
        return _finite("reconstructions", self.encoder.reconstruct(self.data(), seed=0))

    @functools.cached_property
    def samples(self) -> np.ndarray:
        """1000 of them, labels drawn as in training."""
        return _finite("samples", self.model.sample(ROWS, seed=0))

    def samples_of(self, label: int, count: int) -> np.ndarray:
        """Of a conditional model those with this label, (count, *data_shape), with one code in each column."""
        return _finite("samples", self.model.sample(count, seed=0, labels=label))

    def neighbours(self, queries: np.ndarray, k: int, shown: int) -> tuple[np.ndarray, np.ndarray, int]:
        """The k training observations nearest to each of the first queries, (shown, k, *data_shape), nearest first;
        the Euclidean distances of all queries to theirs, (n, k); and among how many they are the nearest."""
        near, distances, seen = None, None, 0
        for batch in self._training_batches():
            k_here, seen = min(k, len(batch)), seen + len(batch)
            found = nearest_neighbours(queries, batch, k_here)
            images, far = batch[found.indices[:shown]], found.distances
            if near is not None:
                images, far = np.concatenate([near, images], 1), np.concatenate([distances, far], 1)
            order = np.argsort(far, axis=1, kind="stable")[:, :k]
            distances = np.take_along_axis(far, order, 1)
            near = np.stack([row[chosen] for row, chosen in zip(images, order[:shown], strict=True)])
        return near, distances, seen

    def _training_batches(self):
        recipe = self.run.recipe
        part = part_of(recipe, splits(recipe)["train"], TRAINING_ROWS)
        data = in_order(recipe, part, _AT_ONCE).take(-(-TRAINING_ROWS // _AT_ONCE))
        for batch in data.as_numpy_iterator():
            yield tf.nest.flatten(batch)[0]


def _finite(what, values):
    values = np.asarray(values)
    if not np.isfinite(values).all():
        raise Absent(f"The model's {what} are not finite: NaN or infinite numbers are among them.")
    return values
