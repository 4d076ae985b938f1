"""Several processes with a strategy over all of them: they train what one replica trains, and end together."""

import csv
import json
import os
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
import workers
from systems import same, weights

from keras_ijae.game import first_look
from keras_ijae.training import RunDirectory, distribution
from keras_ijae.training.distribution import check_cluster
from keras_ijae_cli.app import main

# One move, players, repeats, a density that is fitted, and a prior that is learned through the encoder.
TOGETHER = {2: ("vae", "ijae", "wgan_gp", "wae_mmd", "vamp_vae"), 3: ("gan",)}
PLACE = {"type": "worker", "index": 0}
HOSTS = ["a:1", "b:2"]


def trained(count, strategy, directory, names, **environment):
    found = workers.ended(workers.start(count, workers.__file__, strategy, directory, *names, **environment))
    assert [status for status, _ in found] == [0] * count, found[0][1][-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("count", TOGETHER)
@pytest.mark.filterwarnings("ignore:.*biased upwards")  # of fifteen images
def test_several_workers_are_one_replica_with_the_global_batch_and_the_chief_writes(tmp_path, count):
    trained(count, "multiworker", tmp_path, TOGETHER[count])
    for name in TOGETHER[count]:
        found = [dict(np.load(tmp_path / f"{name}-{process}.npz")) for process in range(count)]
        same(workers.outcome(name), found[0], 1e-4)
        for other in found[1:]:
            same(found[0], other)
        names = sorted(path.name for path in (tmp_path / name).iterdir())
        assert names == ["backup", "of-0"] and len(list((tmp_path / name / "backup").iterdir())) == 1
        assert {path.name for path in (tmp_path / name / "of-0").iterdir()} == {"h.csv", "samples-0001.png"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*biased upwards")  # of fifteen images
def test_four_replicas_are_one_with_the_global_batch(tmp_path):
    names = ("wae_mmd", "mask_aae", "gan", "ijae")
    trained(1, "mirrored", tmp_path, names, CPUS="4")
    for name in names:
        same(workers.outcome(name), dict(np.load(tmp_path / f"{name}-0.npz")), 1e-4)


def command(out, *further):
    command = ["-m", "keras_ijae", "train", "--out", out, "--strategy", "multiworker", *further]
    return workers.start(2, *command, PYTHONUNBUFFERED="1")


NEW = ("vae", "--dataset", "digits", "--networks", "mlp", "--width", 8, "--latent-dim", 2, "--every-steps", 5)


def last_epoch(out):
    """The number of the last epoch that is over, or -1."""
    path = out / "history.csv"
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []
    return int(rows[-1]["epoch"]) if rows else -1


def kill(processes, killed, out, done=-1):
    """Kills one of two workers once an epoch after `done` is over; the other must end by itself, and say why."""
    until = time.monotonic() + workers.PATIENCE
    while last_epoch(out) <= done and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(processes[killed].pid, signal.SIGKILL)
    found = workers.ended(processes)
    assert found[killed][0] == -signal.SIGKILL and found[1 - killed][0] == 2
    assert "Another worker has ended, or cannot be reached" in found[1 - killed][1]


@pytest.mark.slow
def test_a_worker_or_the_chief_that_is_killed_ends_the_other_and_all_go_on_bit_for_bit(tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    kill(command(torn, *NEW, "--epochs", 1000), 1, torn)
    kill(command(torn, "--resume", "--epochs", 1000), 0, torn, last_epoch(torn))
    epochs = last_epoch(torn) + 2
    for processes in (command(torn, "--resume", "--epochs", epochs), command(whole, *NEW, "--epochs", epochs)):
        assert [status for status, _ in workers.ended(processes)] == [0, 0]
    left, right = (keras.models.load_model(run / "model.keras") for run in (whole, torn))
    same(weights(left), weights(right))
    assert json.loads((torn / "config.json").read_text())["replicas"] == 2


@pytest.mark.slow
def test_all_workers_stop_after_the_same_step_when_one_is_asked_to(tmp_path):
    processes, until = command(tmp_path / "run", *NEW, "--epochs", 1000), time.monotonic() + workers.PATIENCE
    while last_epoch(tmp_path / "run") < 0 and time.monotonic() < until:
        time.sleep(0.05)
    processes[1].terminate()
    found = workers.ended(processes)
    assert [status for status, _ in found] == [143, 143], found
    assert "To go on" in found[0][1] and list((tmp_path / "run" / "backup").glob("epoch-*"))


ON_TWO = """
import sys
import tensorflow as tf
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
from keras_ijae_cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_the_command_trains_on_all_devices_and_says_when_a_run_goes_on_with_others(tmp_path):
    def run(*further):
        processes = workers.start(1, "-c", ON_TWO, "train", "--out", tmp_path / "run", *further)
        ((status, text),) = workers.ended(processes)
        assert status == 0, text
        return text

    run(*NEW, "--epochs", 1, "--strategy", "mirrored")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["replicas"] == 2 and config["recipe"]["strategy"] == "mirrored"
    assert "had replicas" not in run("--resume", "--epochs", 2)
    assert "had replicas: 2, and goes on with 1" in " ".join(
        run("--resume", "--epochs", 3, "--strategy", "none").split()
    )
    assert RunDirectory(tmp_path / "run").read_replicas() == 1


@pytest.mark.parametrize(
    "config, what",
    [
        (None, "it is not set"),
        ("{", "it is not JSON"),
        ([], "lacks the object"),
        ({"cluster": {"worker": HOSTS}}, "lacks the object"),
        ({"cluster": {"ps": HOSTS}, "task": PLACE}, "other jobs"),
        ({"cluster": {"chief": HOSTS, "worker": HOSTS}, "task": PLACE}, "other jobs"),
        ({"cluster": {"worker": "a:1"}, "task": PLACE}, "addresses of 'worker'"),
        ({"cluster": {"worker": ["a", "b:2"]}, "task": PLACE}, "addresses of 'worker'"),
        ({"cluster": {"worker": ["a:0"]}, "task": PLACE}, "addresses of 'worker'"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": PLACE}, "comes twice"),
        ({"cluster": {"worker": HOSTS}, "task": {"type": "chief", "index": 0}}, "no 'type'"),
        ({"cluster": {"worker": HOSTS}, "task": {"type": "worker", "index": "0"}}, "no whole 'index'"),
        ({"cluster": {"worker": HOSTS}, "task": {"type": "worker", "index": 2}}, r"must be in 0..1: 2"),
    ],
)
def test_what_describes_no_cluster_is_refused(config, what):
    with pytest.raises(ValueError, match=f"needs the environment variable TF_CONFIG.*Received:.*{what}"):
        check_cluster(config if config is None or isinstance(config, str) else json.dumps(config))


def test_clusters_are_taken_with_a_chief_or_without():
    check_cluster(json.dumps({"cluster": {"worker": HOSTS}, "task": PLACE}))
    check_cluster(
        json.dumps({"cluster": {"chief": ["c:3"], "worker": ["[::1]:4"]}, "task": {"type": "chief", "index": 0}})
    )


def test_the_command_says_what_a_cluster_lacks_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(SystemExit, match="2"):
        main(["train", "vae", "--dataset", "digits", "--out", str(tmp_path / "run"), "--strategy", "multiworker"])
    assert "TF_CONFIG" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_strategy_is_one_of_three_and_a_cluster_is_joined_before_anything_else(monkeypatch):
    with pytest.raises(ValueError, match="`strategy` must be one of 'none', 'mirrored', 'multiworker'"):
        distribution("mirored")
    assert distribution("none") is tf.distribute.get_strategy()
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": HOSTS}, "task": PLACE}))
    with pytest.raises(RuntimeError, match="must be made before TensorFlow is first used"):
        distribution("multiworker")


def test_machines_that_would_shuffle_in_different_ways_are_found(monkeypatch):
    monkeypatch.setattr(first_look, "of_all_machines", lambda strategy, seed: [seed, seed])
    first_look.check_shuffled_alike(None)  # the tests have a seed
    monkeypatch.setattr(first_look, "of_all_machines", lambda strategy, seed: [seed, seed + 1])
    with pytest.raises(ValueError, match="`shuffle` must be False for arrays on several machines"):
        first_look.check_shuffled_alike(None)
