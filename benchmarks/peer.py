"""The peer library's process, and the systems of both sides that are set against each other."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras

import keras_ijae as ki

FOLDER = Path(__file__).resolve().parent / "peers"
PYTHON = os.environ.get("PEERS_PYTHON", str(FOLDER / ".venv/bin/python"))
"""Of the peers' own environment."""
SHAPE, LATENT = (28, 28, 1), 16
NETWORKS = {"family": "dcgan", "spectral": False}  # pythae's have no spectral normalisation


class Pair(NamedTuple):
    """A system of ours, its settings, and pythae's."""

    system: str
    settings: dict[str, Any]
    peer: str

    @property
    def label(self) -> str:
        """What its rows are called: the system's name, and its posterior where it is told."""
        return f"{self.system} {self.settings['posterior']}" if "posterior" in self.settings else self.system


PAIRS = {
    "vae": Pair("vae", {}, "vae"),
    "wae_mmd": Pair("wae_mmd", {}, "wae_mmd"),
    "rae_l2": Pair("rae", {"regularizer": "l2"}, "rae_l2"),
    "aae": Pair("aae", {}, "adversarial_ae"),
    "wae_gan": Pair("wae_gan", {}, "adversarial_ae"),
    "vae_gan": Pair("vae_gan", {}, "vae_gan"),
    "factor_vae": Pair("factor_vae", {"fresh_batches": True}, "factor_vae"),
    "vamp": Pair("vamp_vae", {}, "vamp"),
    "vae_iaf": Pair("vae", {"posterior": "iaf"}, "vae_iaf"),
}
"""pythae's adversarial auto-encoder moves all at once, which is our wae_gan; our aae has Makhzani's two phases."""


def ours(pair: Pair) -> keras.Model:
    """The model, with the networks that the peer's copies, and without averages, which the peer has not."""
    keras.utils.set_random_seed(0)
    settings = dict(pair.settings)
    if settings.get("posterior") == "iaf":  # without a context, which pythae's has not
        settings["posterior"] = ki.distributions.IAF(LATENT, context=0)
    model = ki.create(pair.system, SHAPE, LATENT, networks=NETWORKS, ema=None, **settings)
    model.compile()
    return model


def parameters(model: keras.Model) -> int:
    """How many numbers its moves train."""
    trained = {id(weight): weight for move in model.moves for weight in model.weights_of(move.name)}
    return sum(weight.value.shape.num_elements() for weight in trained.values())


class Peer:
    """pythae's process: takes orders and answers them, one JSON object a line."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def order(self, **order: Any) -> None:
        """Sends an order."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Waits for the next answer.

        Raises:
            RuntimeError: the process has ended.
        """
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"pythae's process has ended with exit code {self.process.wait()}")
        return json.loads(line)


@contextlib.contextmanager
def peer(python: str, threads: int) -> Iterator[Peer]:
    """A process of pythae, with so many threads; ended on leaving.

    Raises:
        FileNotFoundError: there is no such Python.
    """
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    process = subprocess.Popen(
        [python, FOLDER / "worker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.communicate()
