"""Scores of a model while it trains, and the best weights by one of them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.checks import whole
from keras_ijae.files import replacing, write_json
from keras_ijae.keras_internals import weights_file
from keras_ijae.machines import is_chief
from keras_ijae.training.due import due


class MetricsCallback(keras.callbacks.Callback):
    """Runs `ki.evaluation.evaluate` at the end of epochs; on several machines on each, and the chief writes.

    The scores join the epoch's logs under their names ("gen/fid", "rec/psnr"), so that callbacks after this one see
    them, and are written as TensorBoard scalars.

    Args:
        dataset: validation data, in an order of its own, for a conditional model with labels; never the test data whose
            scores you report.
        metrics, features, lpips, samples, train, seed: as in `ki.evaluation.evaluate`.
        every: epochs between two evaluations; the last epoch always has one.
        log_dir: directory of TensorBoard logs; None writes none.
        best: a file ending in .weights.h5 for the weights with the best score, replaced whole; the score and its
            epoch stand beside it as .json. A run that is continued goes on comparing with these.
        monitor: name of the score that decides, without its extractor: "gen/frechet_distance"; needed with `best`.
        mode: "min" or "max", which values of it are better.
        overwrite: whether a run that starts at epoch 0 may replace the file at `best`. Beside a `Backup` pass True: a
            call that was killed before its first backup begins at epoch 0 again, and one that goes on from a backup
            begins later, so that its best is never replaced by a worse one.

    Raises:
        ValueError: wrong arguments; at the start of `fit`: metrics or data that do not fit, or an existing file.

    Example:
        model.fit(train, epochs=20, callbacks=[ki.training.MetricsCallback(
            validation, ["fid"], "mnist-classifier.keras", every=5, log_dir="logs",
            best="best.weights.h5", monitor="gen/frechet_distance")])
    """

    def __init__(
        self,
        dataset: Any,
        metrics: str | Sequence[str] | None = None,
        features: Any = None,
        *,
        lpips: Any = None,
        every: int = 1,
        samples: int | None = None,
        train: Any = None,
        seed: int = 0,
        log_dir: str | os.PathLike | None = None,
        best: str | os.PathLike | None = None,
        monitor: str | None = None,
        mode: str = "min",
        overwrite: bool = False,
    ) -> None:
        super().__init__()
        _check(every, best, monitor, mode)
        self.dataset, self.metrics, self.features = dataset, metrics, features
        self.every, self.lpips, self.samples, self.train, self.seed = every, lpips, samples, train, seed
        self.log_dir, self.monitor, self.mode, self.overwrite = log_dir, monitor, mode, overwrite
        self.best = None if best is None else checks.path("best", best)
        self._writer, self._record = None, None

    def on_train_begin(self, logs: dict | None = None) -> None:
        from keras_ijae.evaluation import requirements
        from keras_ijae.metrics import LPIPS

        # The extractor is loaded once, as is LPIPS.
        self.metrics, self.features = requirements.asked(self.metrics, self.features, self.model)
        chosen = requirements.chosen(self.metrics, self.model, self.features, self.train, self.samples, self.seed)
        requirements.check_labels(self.dataset, chosen, self.model)
        if self.monitor is not None:
            requirements.check_monitor(self.monitor, chosen, self.model)
        self.lpips = self.lpips or LPIPS() if "lpips" in self.metrics else None
        writes = self.log_dir is not None and is_chief(self.model.distribute_strategy)
        self._writer = None if not writes else tf.summary.create_file_writer(str(self.log_dir))
        self._record = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self.best is None or self._record is not None or not self.best.exists():
            return
        if epoch == 0 and not self.overwrite:
            raise ValueError(
                f"Argument `best` exists: {self.best}. Pass overwrite=True to replace it, beside a `Backup` always: "
                "one that goes on at a later epoch keeps it"
            )
        self._record = json.loads(self._json.read_text(encoding="utf-8")) if epoch else {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if not due(self, epoch):
            return
        from keras_ijae.evaluation import evaluate

        found = evaluate(
            self.model,
            self.dataset,
            self.metrics,
            self.features,
            lpips=self.lpips,
            samples=self.samples,
            train=self.train,
            seed=self.seed,
        )
        for name, score in found.scores.items():
            if logs is not None:
                logs[name] = score.value
            if self._writer is not None:
                with self._writer.as_default(step=epoch):
                    tf.summary.scalar(name, score.value)
        if self._writer is not None:
            self._writer.flush()
        if self.best is not None:
            self._keep(epoch, found[self.monitor], found)

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._writer is not None:
            self._writer.close()

    @property
    def _json(self) -> Path:
        return self.best.with_name(self.best.name.removesuffix(".weights.h5") + ".json")

    def _keep(self, epoch, value, found):
        sign = 1 if self.mode == "min" else -1
        if not np.isfinite(value) or (self._record and sign * value >= sign * self._record["value"]):
            return
        self._record = {"monitor": self.monitor, "value": value, "epoch": epoch + 1, "scores": found.to_dict()}
        if is_chief(self.model.distribute_strategy):
            with replacing(self.best) as temporary:
                temporary.write_bytes(weights_file(self.model).getbuffer())
            write_json(self._json, self._record)


def _check(every, best, monitor, mode):
    whole("every", every, 1)
    if mode not in ("min", "max"):
        raise ValueError(f"Argument `mode` must be 'min' or 'max'. Received: {mode!r}")
    if (best is None) != (monitor is None):
        raise ValueError(f"Arguments `best` and `monitor` belong together. Received: {best!r} and {monitor!r}")
    if best is not None and not str(best).endswith(".weights.h5"):
        raise ValueError(f"Argument `best` must end in .weights.h5. Received: {best}")
