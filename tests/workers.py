"""One of several processes that train together, and what they train: run by the tests, which compare the outcomes.

python tests/workers.py STRATEGY DIRECTORY SYSTEM ...
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":  # before TensorFlow is imported
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

import keras_ijae as ki

PATIENCE = 900  # seconds
ROWS, BATCH = 15, 8  # a last batch of 7, which no number of replicas divides


def outcome(name, strategy=None, directory=None, process=0, eagerly=True):
    """All that two steps and what follows leave behind, name -> array; files into `directory`, if there is one."""
    from systems import CONDITIONAL, create, images, weights

    labels = {"classes": 3} if name in CONDITIONAL else {}
    with (strategy or tf.distribute.get_strategy()).scope():
        model = create(name, **labels)
        model.compile(keras.optimizers.SGD(0.05, momentum=0.5), run_eagerly=eagerly)
    data = tf.data.Dataset.from_tensor_slices((images(ROWS), np.arange(ROWS) % 3)).batch(BATCH)
    scored = {"metrics": ["psnr", "fid", "precision_recall"], "features": "data", "samples": 600}  # in three batches
    measured = [ki.training.MetricsCallback(data, **scored)] if name == "wae_mmd" else []
    history = model.fit(data, verbose=0, callbacks=[*measured, *files(directory, process)]).history
    scores = model.evaluate(data, verbose=0, return_dict=True)
    found = {**{f"log of {term}": values for term, values in history.items()}, **scores}
    found = {**weights(model), **{term: np.float32(values) for term, values in found.items()}}
    return {**found, **afterwards(model, data)} if name == "wae_mmd" else found


def afterwards(model, data):
    """What is asked of a trained model: predictions, and a density fitted to its codes."""
    reconstructed = model.predict(data.map(lambda x, y: x), verbose=0)
    model.fit_prior(data, "normal")
    return {"reconstructed": reconstructed, "codes of the prior": model.sampling_prior.sample(9, 0).numpy()}


def files(directory, process):
    """Callbacks that write: a backup that all share, a table and pictures of each process' own."""
    if directory is None:
        return []
    own = directory / f"of-{process}"
    return [ki.training.Backup(directory / "backup"), ki.training.History(own / "h.csv"), ki.training.SampleGrid(own)]


def cluster(index, ports):
    """TF_CONFIG of one of the workers that listen there."""
    addresses = [f"localhost:{port}" for port in ports]
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})


def start(count, *command, **environment):
    """So many processes that know of each other; each writes what it says into a pipe."""
    ports = free_ports(count)
    common = {**os.environ, "KERAS_BACKEND": "tensorflow", **environment}
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env={**common, "TF_CONFIG": cluster(index, ports)} if count > 1 else common,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in range(count)
    ]


def free_ports(count):
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def ended(processes):
    """(exit status, what it said) of each, all of which are ended after `PATIENCE`."""
    until = time.monotonic() + PATIENCE
    try:
        return [
            (process.communicate(timeout=max(1, until - time.monotonic()))[0], process.returncode)[::-1]
            for process in processes
        ]
    finally:
        for process in processes:
            process.kill()


def main(strategy, directory, names):
    if "CPUS" in os.environ:  # each with a trace of its own, which takes long
        parts = [tf.config.LogicalDeviceConfiguration()] * int(os.environ["CPUS"])
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    strategy = ki.training.distribution(strategy)
    process = 0 if strategy.cluster_resolver is None else strategy.cluster_resolver.task_id
    for name in names:
        found = outcome(name, strategy, directory / name, process, eagerly="CPUS" in os.environ)
        np.savez(directory / f"{name}-{process}.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
