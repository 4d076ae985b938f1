"""The peer's side of a comparison: does what it is asked on standard input, a JSON object a line, and answers likewise.

Runs in the environment of requirements.txt beside it, and knows nothing of keras_ijae.
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")  # of the trainers' bars

import numpy as np  # noqa: E402
import torch  # noqa: E402
from models import OWN, SAME, trainer_of  # noqa: E402
from pythae import samplers  # noqa: E402
from pythae.trainers.training_callbacks import TrainingCallback  # noqa: E402

BATCH, WARM_UP = 64, 5
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Speed:
    """A system, its trainer, and two ways to train: the trainer's epoch, and its step in a bare loop over batches."""

    def __init__(self, system: str, batch_size: int, steps: int, directory: str) -> None:
        images = torch.from_numpy(np.random.default_rng(0).random((steps * batch_size, 1, 28, 28), dtype="float32"))
        self.model = SAME[system]()
        self.trainer = trainer_of(system, self.model, images, directory, per_device_train_batch_size=batch_size)
        self.trainer.prepare_training()
        self.batches = [{"data": batch} for batch in images.split(batch_size)]
        for batch in self.batches[:WARM_UP]:
            self._step(batch)

    def trainer_epoch(self) -> None:
        """One epoch, as pythae trains: data loader, running loss, callbacks."""
        self.trainer.train_step(1)

    def bare_epoch(self) -> None:
        """The same steps on batches that lie ready, and nothing else."""
        self.model.train()
        for batch in self.batches:
            self._step(batch)

    def _step(self, batch):
        self.trainer._optimizers_step(self.model(batch, epoch=1, dataset_size=len(self.batches)))


class Marks(TrainingCallback):
    """Stops the clock at CPU minutes of training, and calls a function there; after the last it raises `Done`."""

    def __init__(self, minutes: list[float], reached) -> None:
        self.minutes, self.reached, self.steps, self.outside = list(minutes), reached, 0, 0.0

    def on_train_step_end(self, training_config, **kwargs):
        self.steps += 1
        if self.steps == 2:  # what comes before is not training
            self.start = time.process_time()
        while self.steps > 2 and self.minutes and self.spent >= self.minutes[0]:
            begun, spent = time.process_time(), self.spent
            self.reached(self.minutes.pop(0), spent, self.steps)
            self.outside += time.process_time() - begun
            if not self.minutes:
                raise Done

    @property
    def spent(self) -> float:
        """CPU minutes of training."""
        return (time.process_time() - self.start - self.outside) / 60


class Done(Exception):
    """All marks are reached."""


def speed(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """First the number of parameters; then, for each line asked, the seconds of an epoch of "trainer" or "bare"."""
    with tempfile.TemporaryDirectory() as directory:
        made = Speed(order["system"], order["batch_size"], order["steps"], directory)
        yield {"parameters": sum(weight.numel() for weight in made.model.parameters())}
        for line in sys.stdin:
            ways = {"trainer": made.trainer_epoch, "bare": made.bare_epoch}
            if (way := ways.get(json.loads(line)["way"])) is None:
                return
            begun = {name: clock() for name, clock in CLOCKS.items()}
            way()
            yield {name: clock() - begun[name] for name, clock in CLOCKS.items()}


def quality(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """First the number of parameters; at each mark the time of training and of fitting, steps, a file of samples."""
    torch.manual_seed(order["seed"])
    np.random.seed(order["seed"])  # scikit-learn's, for the mixture
    data, model = torch.from_numpy(np.load(order["data"])), OWN[order["system"]](order["networks"] == "convolutions")
    yield {"parameters": sum(weight.numel() for weight in model.parameters())}

    def reached(minutes: float, spent: float, steps: int) -> None:
        begun = time.process_time()
        model.eval()
        sampler = _sampler(order["sampler"], model, data)
        found = {"minutes": minutes, "cpu_minutes": spent, "fit_seconds": time.process_time() - begun, "steps": steps}
        path = os.path.join(order["directory"], "samples.npy")
        np.save(path, sampler.sample(order["samples"]).detach().numpy())
        model.train()
        _answer(found | {"samples": path})
        sys.stdin.readline()  # until they are looked at

    trainer = trainer_of(order["system"], model, data, order["directory"], num_epochs=1_000_000, seed=order["seed"])
    trainer.callbacks = [Marks(order["minutes"], reached)]
    with contextlib.suppress(Done):
        trainer.train()


def _sampler(name, model, data):
    if name == "gmm":
        sampler = samplers.GaussianMixtureSampler(model)
        sampler.fit(data)
        return sampler
    return samplers.VAMPSampler(model)


def _answer(message: dict[str, Any]) -> None:
    print(json.dumps(message), file=OUT, flush=True)


if __name__ == "__main__":
    OUT, sys.stdout = sys.stdout, sys.stderr  # whatever pythae prints is no answer
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    first = json.loads(sys.stdin.readline())
    torch.set_num_threads(first["threads"])
    for message in {"speed": speed, "quality": quality}[first["do"]](first):
        _answer(message)
