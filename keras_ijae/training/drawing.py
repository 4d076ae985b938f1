"""Keras callbacks that draw figures of the model, and keep what figures of its training need."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_ijae import checks
from keras_ijae.figures import Drawing, MaskTrace, save_figure, together
from keras_ijae.files import replacing
from keras_ijae.machines import is_chief
from keras_ijae.training.due import due


class FigureCallback(keras.callbacks.Callback):
    """Draws a figure of the model at the end of epochs.

    Args:
        make: of the model, one of `ki.figures` or several.
        directory: gets `NAME-0001.png` and so on, numbered by the epochs done.
        name: of the files; `save_film` makes a film of them.
        every: epochs between two figures; the last epoch always has one.

    Example:
        draw = lambda model: ki.figures.latent_traversals(model, images)
        model.fit(dataset, epochs=10, callbacks=[FigureCallback(draw, "grids", "traversals")])
    """

    def __init__(
        self,
        make: Callable[[Any], Drawing | Sequence[Drawing]],
        directory: str | os.PathLike,
        name: str = "figure",
        every: int = 1,
    ) -> None:
        super().__init__()
        if not callable(make):
            raise ValueError(f"Argument `make` must be a function of the model. Received: make={make!r:.200}")
        self.make, self.directory = make, checks.path("directory", directory)
        self.name, self.every = checks.instance("name", name, str), checks.whole("every", every)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if due(self, epoch):
            made = self.make(self.model)
            if is_chief(self.model.distribute_strategy):
                figure = together(*([made] if isinstance(made, Drawing) else made))
                save_figure(figure, self.directory / f"{self.name}-{epoch + 1:04d}.png", dpi=110)


class MaskRecorder(keras.callbacks.Callback):
    """Keeps the mask of a model that has one, at the beginning and at the end of each epoch.

    A run that is continued keeps what it has: what the file holds up to the step at which it goes on.

    Args:
        path: NumPy archive of `steps` (t,) and `alphas` (t, latent_dim), which `ki.figures.MaskTrace.read` reads.

    Raises:
        ValueError: at the start of `fit`: the model has no mask.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__()
        self.path = checks.path("path", path)
        self.trace: MaskTrace | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.model.active_dims is None:
            raise ValueError(
                f"Argument `model` must have a mask, as 'mask_aae' has. Received: {type(self.model).__name__}"
            )
        self.trace = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.trace is None:
            self.trace = self._earlier() if epoch and self.path.is_file() else None
            self._add()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._add()
        if is_chief(self.model.distribute_strategy):
            with replacing(self.path) as temporary, temporary.open("wb") as file:
                np.savez(file, steps=self.trace.steps, alphas=self.trace.alphas)

    def _add(self):
        step, alpha = self._step, self.model.mask.alpha().numpy()
        if self.trace is None:
            self.trace = MaskTrace(np.array([step]), alpha[None])
        elif step > self.trace.steps[-1]:
            steps, alphas = self.trace.steps, self.trace.alphas
            self.trace = MaskTrace(np.append(steps, step), np.concatenate([alphas, alpha[None]]))

    def _earlier(self):
        trace = MaskTrace.read(self.path)
        kept = trace.steps <= self._step
        return MaskTrace(trace.steps[kept], trace.alphas[kept]) if kept.any() else None

    @property
    def _step(self) -> int:
        return int(keras.ops.convert_to_numpy(self.model.steps))
