"""How the experiments on colour images train: by steps into a run directory, or until a CPU time is used."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from experiment import train

import keras_ijae as ki
from keras_ijae.training import Progress, Recipe, RunDirectory, distribution
from keras_ijae.training.data import data_shape, training_data
from keras_ijae.training.journal import device, read_journal
from keras_ijae.training.trainer import build

COSTS = ["steps", "cpu_minutes", "wall_minutes", "images_per_second", "device", "replicas"]


class Speed(keras.callbacks.Callback):
    """Steps and their seconds in whole passes but the process's first, which traces; without what is between passes."""

    def __init__(self):
        super().__init__()
        self.steps, self.seconds, self._passes = 0, 0.0, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._last, self._batches = time.perf_counter(), batch + 1

    def on_epoch_end(self, epoch, logs=None):
        if self._passes:
            self.steps, self.seconds = self.steps + self._batches, self.seconds + self._last - self._begin
        self._passes += 1

    def images_per_second(self, batch_size: int) -> float | str:
        """Empty where the process had fewer than two passes."""
        return self.steps * batch_size / self.seconds if self.steps else ""


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Models that are made within have that policy; the process's own is put back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def train_by_steps(recipe: Recipe, path: Path) -> dict[str, Any]:
    """Trains in a run directory, or goes on in it, until `model.keras` is there; what that took in all tries."""
    run, speed = RunDirectory(path), Speed()
    if not run.model.is_file():
        ki.training.train(recipe, run, [speed, Progress(title=path.name)])
    journal = read_journal(run.journal)
    return {
        "outcome": "ended",
        "wall_minutes": sum(entry["seconds"] for entry in journal) / 60,
        "images_per_second": speed.images_per_second(recipe.batch_size),
        "device": journal[-1]["device"],
        "replicas": run.read_replicas(),
    }


def train_by_minutes(recipe: Recipe, path: Path, minutes: float) -> dict[str, Any]:
    """Trains for a CPU time, and keeps the model as `model.keras` if all went well."""
    strategy = distribution(recipe.strategy)
    keras.utils.set_random_seed(recipe.seed)
    data = training_data(recipe)
    with strategy.scope():
        model = build(recipe, data_shape(data))
    outcome, budget = train(model, data, minutes)
    found = {name: getattr(budget, name) for name in ("steps", "cpu_minutes", "wall_minutes")}
    found |= {"outcome": outcome, "device": device(), "replicas": strategy.num_replicas_in_sync}
    if outcome == "ended":
        # the budget counts from the second step
        found["images_per_second"] = (budget.steps - 2) * recipe.batch_size / (60 * budget.wall_minutes)
        if model.awaits_fit:
            model.fit_prior(data, model.sampling_prior)
        path.mkdir(parents=True, exist_ok=True)
        model.save(path / "model.keras")
    return found
