"""Histograms of codes in TensorBoard, beside those of the prior."""

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.machines import is_chief
from keras_ijae.training.due import due


class CodeHistograms(keras.callbacks.Callback):
    """Writes histograms of codes at the end of epochs, for TensorBoard's tabs "Distributions" and "Histograms".

    "codes/all" has the values of all dimensions together, "codes/norm" the lengths of the codes, "codes/00" and so on
    single dimensions; "prior/all" and "prior/norm" are of as many codes that samples are drawn from. Where the two sets
    of codes differ, samples do not look like reconstructions.

    Args:
        data: observations (n, ...), n >= 1, as `model.encode` takes them; for a conditional model the pair with their
            labels.
        log_dir: directory of TensorBoard logs.
        every: epochs between two times; the last epoch is always one.
        dimensions: of how many, the first ones, there are single histograms.
        seed: of the codes of the prior, and of the encoder's noise, where it has some.

    Raises:
        ValueError: at the start of `fit`: the system has no encoder.

    Example:
        model.fit(train, epochs=10, callbacks=[ki.training.CodeHistograms(x_test[:256], "logs/codes")])
    """

    def __init__(
        self, data: Any, log_dir: str | os.PathLike, every: int = 1, dimensions: int = 16, seed: int = 0
    ) -> None:
        super().__init__()
        self.data, self.log_dir = data, checks.path("log_dir", log_dir)
        self.every = checks.whole("every", every)
        self.dimensions = checks.whole("dimensions", dimensions, 0)
        self.seed = checks.seed(seed)
        self._writer = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        if not self.model.has_encoder:
            raise ValueError(f"`CodeHistograms` needs codes of data: {type(self.model).__name__} has no encoder")
        if is_chief(self.model.distribute_strategy):
            self._writer = tf.summary.create_file_writer(str(self.log_dir))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not due(self, epoch):
            return
        codes = self.model.encode(self.data, seed=self.seed)
        drawn = self.model.endpoints.codes_of_samples(len(codes), self.seed).numpy()
        if self._writer is not None:
            with self._writer.as_default(step=epoch):
                self._write(codes, drawn)
            self._writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, codes, drawn):
        for name, values in {"codes": codes, "prior": drawn}.items():
            tf.summary.histogram(f"{name}/all", values)
            tf.summary.histogram(f"{name}/norm", np.linalg.norm(values, axis=1))
        for dimension in range(min(self.dimensions, codes.shape[1])):
            tf.summary.histogram(f"codes/{dimension:02d}", codes[:, dimension])
