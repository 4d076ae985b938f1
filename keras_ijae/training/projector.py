"""Codes for TensorBoard's projector."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae import checks
from keras_ijae.files import replacing, write_text
from keras_ijae.machines import is_chief
from keras_ijae.training.due import due
from keras_ijae.training.pictures import grid

LARGEST = 8192
"""Pixels of a sheet's side at most, by what browsers load; as many vectors, which need no sheet."""
_SMALL = 32
_CODES, _ABOUT, _SHEET = "codes.tsv", "codes_metadata.tsv", "codes_sprites.png"


class Projector(keras.callbacks.Callback):
    """Writes codes of data, and as many codes of samples, for TensorBoard's projector: each point is its image.

    `tensorboard --logdir DIRECTORY`, then "Projector", shows them by PCA, t-SNE or UMAP, coloured by what they are
    ("data" or "sample") and by label. Vectors are points without images.

    Args:
        data: observations (n, *data_shape), of a conditional model with their labels, (x, labels). n is at most what
            sheets of 8,192 pixels hold: half as many images, as the other half are samples.
        directory: the log directory.
        labels: (n,) of the data, or name -> (n,), for colours alone; a conditional model's own are there by themselves.
        every: epochs between two, beside the last epoch; None: at the end of training alone.
        seed: of the encoder's noise and of the samples.

    Raises:
        ValueError: at the start of `fit`: the model has no encoder, or `data` or `labels` do not fit.

    Example:
        model.fit(dataset, epochs=10, callbacks=[Projector(images, "logs", digits)])
    """

    def __init__(
        self,
        data: Any,
        directory: str | os.PathLike,
        labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
        every: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.data, self.directory = data, checks.path("directory", directory)
        self.labels = dict(labels) if isinstance(labels, Mapping) else {} if labels is None else {"label": labels}
        self.every = None if every is None else checks.whole("every", every)
        self.seed = checks.seed(seed)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if not self.model.has_encoder:
            raise ValueError(
                f"Argument `model` must have an encoder. Received: {type(self.model).__name__}, without one"
            )
        x, _ = self.model.labelled(self.data)
        if len(x) > most_rows(x.shape[1:]):
            most = (
                f"{most_rows(x.shape[1:])} rows of shape {tuple(x.shape[1:])}, by the size of the sheet of their images"
            )
            raise ValueError(f"Argument `data` must have at most {most}. Received: {len(x)}")
        for name, values in self.labels.items():
            if np.shape(values) != (len(x),):
                raise ValueError(
                    f"Argument `labels` must be of shape ({len(x)},). Received: {np.shape(values)} for {name!r}"
                )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.every is not None and due(self, epoch):
            self._write()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.every is None:
            self._write()

    def _write(self):
        """The files, the one that names the others last."""
        model, (x, own) = self.model, self.model.labelled(self.data)
        n = len(x)
        codes, samples = model.encode(self.data, seed=self.seed), model.sample(n, self.seed)
        drawn = model.endpoints.codes_of_samples(n, self.seed).numpy()
        if not is_chief(model.distribute_strategy):
            return
        about = {"from": ["data"] * n + ["sample"] * n}
        about |= {name: [*np.asarray(values).tolist(), *[""] * n] for name, values in self.labels.items()}
        if own is not None:
            classes = np.where(own.numpy().any(axis=1), own.numpy().argmax(axis=1), -1)
            about["class"] = [*classes.tolist(), *model.sample_labels(n, self.seed).tolist()]
        write_text(self.directory / _CODES, _table(np.concatenate([codes, drawn]).tolist()))
        write_text(self.directory / _ABOUT, _table(zip(*about.values(), strict=True), about))
        if len(model.data_shape) == 3:
            images = np.concatenate([x.numpy(), samples])
            sheet = grid(images, _columns(n), _scale(model.data_shape), gap=0)
            with replacing(self.directory / _SHEET) as temporary:
                temporary.write_bytes(tf.io.encode_png(sheet).numpy())
        write_text(self.directory / "projector_config.pbtxt", self._config())

    def _config(self) -> str:
        from google.protobuf import text_format
        from tensorboard.plugins.projector import ProjectorConfig

        config, shape = ProjectorConfig(), self.model.data_shape
        about = config.embeddings.add(tensor_name="codes", tensor_path=_CODES, metadata_path=_ABOUT)
        if len(shape) == 3:
            about.sprite.image_path = _SHEET
            about.sprite.single_image_dim.extend([shape[1] * _scale(shape), shape[0] * _scale(shape)])
        return text_format.MessageToString(config)


def most_rows(shape: Sequence[int]) -> int:
    """How many observations of a shape `Projector` takes: half of what a sheet holds."""
    return LARGEST if len(shape) == 1 else (LARGEST // (max(shape[:2]) * _scale(shape))) ** 2 // 2


def _scale(shape: Sequence[int]) -> int:
    """How often a pixel is repeated, so that small images are not blurred."""
    return max(1, _SMALL // max(shape[:2]))


def _columns(rows: int) -> int:
    """Images in a row of the sheet of so many data and as many samples."""
    return math.isqrt(2 * rows - 1) + 1


def _table(rows: Iterable[Sequence[Any]], names: Iterable[str] = ()) -> str:
    """Tab-separated lines; a header, as the projector expects it, where there are several named columns."""
    names = list(names)
    lines = [names] * (len(names) > 1) + [*rows]
    return "".join("\t".join(str(cell) for cell in line) + "\n" for line in lines)
