"""The journal of a run: how often it was begun, how that ended, what was warned of, and the commit it was made with."""

import json
import os
import subprocess
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_ijae as ki
from keras_ijae.game import versions
from keras_ijae.training import Backup, Journal, Recipe, RunDirectory
from keras_ijae.training.journal import device, heard_warnings, read_journal
from keras_ijae.training.trainer import build, train

RECIPE = Recipe(system="vae", dataset="digits", latent_dim=2, width=4, batch_size=450, epochs=1)


class Fail(keras.callbacks.Callback):
    """Warns and fails in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            warnings.warn("mind the step", stacklevel=1)
            raise ki.models.TrainingError("went bad")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that failed in its second epoch, and is done after that."""
    run = RunDirectory(tmp_path_factory.mktemp("runs") / "run")
    with pytest.raises(ki.models.TrainingError), pytest.warns(match="mind the step"):
        train(RECIPE.but(epochs=2), run, [Fail()])
    train(RECIPE.but(epochs=2), run)
    return run


@pytest.mark.slow
def test_each_beginning_and_how_it_ended_is_kept(run):
    failed, done = read_journal(run.journal)
    assert (failed["outcome"], failed["error"]) == ("failed", "TrainingError: went bad")
    assert (done["outcome"], done["error"]) == ("done", None)
    assert (failed["epochs"], done["epochs"]) == (1, 2)
    assert all(entry["began"] <= entry["seen"] and entry["seconds"] > 0 for entry in (failed, done))
    assert "CPU" in done["device"]


@pytest.mark.slow
def test_a_run_that_has_all_its_epochs_leaves_no_trace_of_being_resumed(run):
    before = run.journal.read_bytes()
    with pytest.warns(UserWarning, match="none is trained now"):
        train(RECIPE.but(epochs=2), run)
    assert run.journal.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there are no affinities")
@pytest.mark.parametrize(("cores", "words"), [({3}, "1 CPU core"), ({0, 5, 9}, "3 CPU cores")])
def test_the_cores_are_those_that_the_process_may_use(cores, words, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: cores)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert device() == words


def test_warnings_are_kept_with_what_was_begun_and_are_shown_too(run):
    failed, done = read_journal(run.journal)  # that they are shown is seen where the run is made
    assert failed["warnings"] == [{"text": "mind the step", "category": "UserWarning", "times": 1}]
    assert done["warnings"] == []


def test_a_warning_is_kept_once_and_counted():
    with pytest.warns(FutureWarning), pytest.warns(DeprecationWarning), heard_warnings() as heard:
        for _ in range(3):
            warnings.warn("again", FutureWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
    assert heard == [{"text": "again", "category": "FutureWarning", "times": 3}]


def test_a_process_that_was_killed_leaves_an_entry_without_an_outcome(tmp_path):
    with pytest.raises(ZeroDivisionError), Journal(tmp_path / "journal.json") as journal:
        journal.on_epoch_begin(0)
        journal.on_epoch_end(0)
        (entry,) = read_journal(tmp_path / "journal.json")
        raise ZeroDivisionError
    assert (entry["outcome"], entry["epochs"]) == (None, 1)


def test_ctrl_c_is_told_from_a_failure(tmp_path):
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path / "journal.json"):
        raise KeyboardInterrupt
    (entry,) = read_journal(tmp_path / "journal.json")
    assert (entry["outcome"], entry["error"]) == ("interrupted", None)


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "\xff"])
def test_what_is_no_journal_is_refused(tmp_path, text):
    (tmp_path / "journal.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="not the journal of a run"):
        read_journal(tmp_path / "journal.json")


def test_a_damaged_journal_is_kept_and_does_not_stop_training(tmp_path):
    (tmp_path / "journal.json").write_text("{")
    with pytest.warns(match="is kept as .*journal.old.json"), Journal(tmp_path / "journal.json"):
        pass
    assert len(read_journal(tmp_path / "journal.json")) == 1 and (tmp_path / "journal.old.json").read_text() == "{"


ENTRY = {"began": "a", "seen": "b", "seconds": 1.0, "epochs": 1, "device": "2 CPU cores", "warnings": []}


@pytest.mark.parametrize(
    "wrong",
    [{"seconds": float("nan")}, {"seconds": float("inf")}, {"seconds": 10**400}, {"seconds": None}]
    + [{"warnings": [{"times": None}]}, {"warnings": ["text"]}, {"warnings": {}}],
)
def test_a_journal_with_impossible_values_is_damaged(wrong, tmp_path):
    path = tmp_path / "journal.json"
    path.write_text(json.dumps([ENTRY]))
    assert read_journal(path) == [ENTRY]
    path.write_text(json.dumps([ENTRY | wrong]))
    with pytest.raises(ValueError, match="is not the journal of a run"):
        read_journal(path)


def test_the_newest_backup_can_be_looked_at(run):
    model, done = build(RECIPE, (8, 8, 1)), ki.load_model(run.path)
    assert Backup(run.backup).restore(model) == (2, 0)
    np.testing.assert_array_equal(model.sample(2), done.sample(2))
    assert Backup(run.path / "none").restore(model) is None


def test_the_commit_is_that_of_the_repository_which_has_the_package(tmp_path):
    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    file = tmp_path / "file.py"
    file.write_text("")
    git("init")
    assert versions._of_checkout(file) is None  # it only lies there, as an environment may
    git("add", "file.py")
    git("commit", "-m", "one")
    commit = git("rev-parse", "HEAD")
    index = (tmp_path / ".git" / "index").read_bytes()
    os.utime(file, (1, 1))  # git would note that it is still the same, and wait for nobody who writes there too
    assert versions._of_checkout(file) == commit and (tmp_path / ".git" / "index").read_bytes() == index
    file.write_text("changed")
    assert versions._of_checkout(file) == f"{commit}+"
