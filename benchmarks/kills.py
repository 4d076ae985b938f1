"""Kills training processes, lets others go on from their backups, and compares what they end with.

    python benchmarks/kills.py                          # 100 kills, of all systems in both ways
    python benchmarks/kills.py --kills 4 --systems vae  # of one, by `fit` and in a run directory
    python benchmarks/kills.py --csv kills.csv          # a row for each run

A run trains a small system on the digits for three epochs of a few steps, with a backup after every second step. It is
killed (SIGKILL) two times, each time at one of these moments, in turns:

    any       a time drawn uniformly from that of an undisturbed run
    first     once the first backup within the first epoch stands there
    last      the same of the last epoch
    writing   a random time of up to 20 ms after a file of a backup has appeared, before it has its name
    renaming  at the n-th renaming or deletion of a file, n random: between the two states of each

and then trained to its end. Its weights and optimizers must be those of a run that nobody disturbed, bit for bit. Ways:
`fit`, with ki.training.Backup alone; `run`, as `keras-ijae train` and `--resume` do it, whose history.csv must be the
same as well.
"""

import argparse
import csv
import hashlib
import itertools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

SYSTEMS: dict[str, dict[str, Any]] = {
    "vae": {},
    "ijae": {},
    "wgan": {"critic_steps": 2, "slow_start": False},
    "mask_aae": {"critic_steps": 1},
    "gan": {"classes": 10},
}
WAYS, MOMENTS = ("fit", "run"), ("any", "first", "last", "writing", "renaming")
EPOCHS, EVERY_STEPS, KILLS_OF_A_RUN, RENAMINGS = 3, 2, 2, 20
_RENAMED = ("os.rename", "os.remove")


class Outcome(NamedTuple):
    """A run that was killed: at which moments, and whether it ended as one that was not."""

    system: str
    way: str
    moments: str
    kills: int
    same: bool


def train(system: str, way: str, place: Path, kill_at: int | None = None) -> None:
    """What a process does: trains to the end, and leaves `place`/result, unless it is killed before."""
    import keras

    keras.Model._resolve_auto_jit_compile = lambda model: False  # XLA takes seconds to compile a step
    if kill_at is not None:
        _die_at_renaming(kill_at)
    train_by = {"fit": _by_fit, "run": _in_run_directory}[way]
    found = train_by(system, {**SYSTEMS[system]}, place)
    (place / "result").write_text(found)


def _by_fit(system, arguments, place):
    import keras

    import keras_ijae as ki

    keras.utils.set_random_seed(1)
    data = ki.datasets.load("digits", "train[:130]", batch_size=32, labels="classes" in arguments)
    model = ki.create(system, (8, 8, 1), 2, networks="mlp", width=8, **arguments)
    model.compile()
    backup = ki.training.Backup(place / "backup", every_steps=EVERY_STEPS)
    model.fit(data, epochs=EPOCHS, verbose=0, callbacks=[backup])
    return _digest(model)


def _in_run_directory(system, arguments, place):
    from keras_ijae.training import Recipe, open_run
    from keras_ijae.training.trainer import train as train_recipe

    sizes = {"latent_dim": 2, "networks": "mlp", "width": 8, "batch_size": 450, "epochs": EPOCHS}
    chosen = {"every_steps": EVERY_STEPS, "classes": arguments.pop("classes", None), "arguments": arguments}
    path = place / "run"
    run = open_run(path, resume=(path / "config.json").is_file())
    model = train_recipe(Recipe(system=system, dataset="digits", **sizes, **chosen), run)
    return _digest(model) + (path / "history.csv").read_text()


def _digest(model):
    """Of all numbers of a model and its optimizers."""
    numbers = [*model.weights, *model.optimizer.variables]
    return hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in numbers)).hexdigest() + "\n"


def _die_at_renaming(count):
    seen = itertools.count(1)

    def hook(event, arguments):
        if event in _RENAMED and ".weights.h5" in str(arguments[0]) and next(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


class Player:
    """Starts, watches and kills processes; `seed`: of the moments."""

    def __init__(self, seed: int = 0):
        self.random = random.Random(seed)
        self.context = multiprocessing.get_context("forkserver")  # whose parent has imported TensorFlow, once
        self.context.set_forkserver_preload(["keras_ijae.training.trainer", "tensorflow"])
        self.references: dict[tuple[str, str], tuple[str, float]] = {}

    def reference(self, system: str, way: str) -> tuple[str, float]:
        """What an undisturbed run ends with, and its seconds."""
        if (system, way) not in self.references:
            with tempfile.TemporaryDirectory() as directory:
                begun = time.monotonic()
                self._finish(system, way, Path(directory))
                result = (Path(directory) / "result").read_text()
                self.references[system, way] = result, time.monotonic() - begun
        return self.references[system, way]

    def check(self, system: str, way: str, moments: tuple[str, ...]) -> Outcome:
        """A run that is killed at these moments, and then goes on to its end."""
        expected, seconds = self.reference(system, way)
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            kills = sum(getattr(self, f"_{moment}")(system, way, place, seconds) for moment in moments)
            self._finish(system, way, place)
            return Outcome(system, way, "+".join(moments), kills, (place / "result").read_text() == expected)

    def _any(self, system, way, place, seconds):
        process = self._started(system, way, place)
        process.join(self.random.uniform(0, seconds))
        return self._killed(process)

    def _first(self, *run):
        return self._in_epoch(0, *run)

    def _last(self, *run):
        return self._in_epoch(EPOCHS - 1, *run)

    def _in_epoch(self, epoch, system, way, place, seconds):
        process = self._started(system, way, place)
        while process.is_alive() and not any(place.glob(f"**/epoch-{epoch:04d}-step-{EVERY_STEPS:08d}-*")):
            time.sleep(0.001)
        return self._killed(process)

    def _writing(self, system, way, place, seconds):
        process, count = self._started(system, way, place), self.random.randint(1, 4)
        seen: set[Path] = set()
        while process.is_alive() and len(seen) < count:
            seen.update(place.glob("**/.*.weights.h5"))
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, 0.02))
        return self._killed(process)

    def _renaming(self, system, way, place, seconds):
        process = self._started(system, way, place, self.random.randint(1, RENAMINGS))
        process.join()
        return process.exitcode == -signal.SIGKILL

    def _finish(self, system, way, place):
        process = self._started(system, way, place)
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{system}, {way}: a process ended with exit code {process.exitcode}")

    def _started(self, *arguments):
        process = self.context.Process(target=train, args=arguments)
        process.start()
        return process

    def _killed(self, process):
        process.kill()
        process.join()
        return process.exitcode == -signal.SIGKILL


def main(command: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="at least so many (default: 100)")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help=f"some of {', '.join(SYSTEMS)}")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"some of {', '.join(WAYS)}")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--csv", type=Path, help="a file for a row of each run")
    given = parser.parse_args(command)
    player, outcomes = Player(given.seed), []
    moments = itertools.cycle(itertools.product(MOMENTS, repeat=KILLS_OF_A_RUN))
    games = itertools.cycle(itertools.product(given.systems.split(","), given.ways.split(",")))
    while sum(outcome.kills for outcome in outcomes) < given.kills:
        outcomes.append(player.check(*next(games), next(moments)))
        kills = sum(outcome.kills for outcome in outcomes)
        print(f"{kills:3} of {given.kills} kills  {' '.join(map(str, outcomes[-1]))}", flush=True)
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([Outcome._fields, *outcomes])
    others = [outcome for outcome in outcomes if not outcome.same]
    print(f"{kills} kills in {len(outcomes)} runs; {len(others)} ended otherwise than undisturbed ones.")
    if others:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
