"""Full disks, lost permissions, failing data: a clear error, nothing half written, and training goes on from there."""

import builtins
import dataclasses
import errno
import io
import itertools
import os
import shutil
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from command import run as run_command
from systems import compiled, create, images, quick, same, weights

import keras_ijae as ki
from keras_ijae.files import write_text
from keras_ijae.training import Backup, Recipe, open_run, trainer

EPOCHS = 3
X = images(32)
GAME = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": "mlp", "width": 8}


def made():
    keras.utils.set_random_seed(1)
    model = ki.create("vae", **GAME)
    model.compile(run_eagerly=True)
    return model


def fitted(model, *callbacks, data=X, epochs=EPOCHS):
    model.fit(data, epochs=epochs, batch_size=8, verbose=0, shuffle=False, callbacks=list(callbacks))
    return weights(model)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return fitted(made(), Backup(tmp_path_factory.mktemp("undisturbed")))


class At(keras.callbacks.Callback):
    """Does something at the beginning of an epoch."""

    def __init__(self, epoch, action):
        super().__init__()
        self.epoch, self.action = epoch, action

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.action()


def goes_on(directory, expected):
    """Whether training ends from the backups there as if nothing had happened."""
    same(expected, fitted(made(), Backup(directory)))


def failing(monkeypatch, number, ends, spared=0):
    """From now on no file gets its name where that ends so, but for the first few."""
    real, named = os.replace, itertools.count()

    def fail(source, target):
        if str(target).endswith(ends) and next(named) >= spared:
            raise OSError(number, os.strerror(number))
        return real(source, target)

    monkeypatch.setattr(os, "replace", fail)


FULL, DENIED = errno.ENOSPC, errno.EACCES


@pytest.mark.slow
@pytest.mark.parametrize("error", [FULL, DENIED])
@pytest.mark.parametrize("ends", ["newest.weights.h5", ".weights.h5"])
def test_a_backup_that_cannot_be_written_leaves_those_before(tmp_path, monkeypatch, undisturbed, error, ends):
    with monkeypatch.context() as context:
        begin = lambda: failing(context, error, ends)  # noqa: E731
        with pytest.raises(
            OSError, match=f"No backup could be written into {tmp_path}; .* are whole.*{os.strerror(error)}"
        ):
            fitted(made(), At(1, begin), Backup(tmp_path))
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("epoch-0001-step-00000000-")
    goes_on(tmp_path, undisturbed)


@pytest.mark.slow
def test_a_disk_that_is_really_full_leaves_whole_files_alone(tmp_path, undisturbed):
    program = f"""
import resource, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_faults import At, Backup, fitted, made
full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
model = made()
for act in (lambda: fitted(model, At(1, full), Backup({str(tmp_path / "backup")!r})),
            lambda: model.save({str(tmp_path / "model.keras")!r}), lambda: model.export({str(tmp_path / "saved")!r})):
    try:
        act()
    except OSError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    backup, saved, exported = done.stdout.splitlines()
    assert "No backup could be written" in backup and "File too large" in backup
    assert "File too large" in saved and "model.keras" in saved
    assert "saved could not be written" in exported and "File too large" in exported
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]
    goes_on(tmp_path / "backup", undisturbed)


def test_a_model_that_cannot_be_saved_leaves_the_one_before(tmp_path, monkeypatch):
    path, model = tmp_path / "model.keras", made()
    model.save(path)
    before = path.read_bytes()
    failing(monkeypatch, FULL, "model.keras")
    with pytest.raises(OSError, match="No space left on device: '.*model.keras'"):
        model.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.keras"]


@pytest.mark.slow
def test_backups_that_are_deleted_while_training_goes_on_are_made_anew(tmp_path, undisturbed):
    backup = tmp_path / "backup"
    fitted(made(), At(1, lambda: shutil.rmtree(backup)), Backup(backup), epochs=2)
    (left,) = backup.iterdir()
    assert left.name.startswith("epoch-0002-")
    goes_on(backup, undisturbed)


def test_a_file_in_the_place_of_the_backups_is_named_and_stays(tmp_path):
    backup = tmp_path / "backup"

    def replace():
        shutil.rmtree(backup)
        backup.write_text("mine")

    with pytest.raises(OSError, match=f"No backup could be written into {backup};.*"):
        fitted(made(), At(1, replace), Backup(backup))
    assert backup.read_text() == "mine" and os.listdir(tmp_path) == ["backup"]


# Data -------------------------------------------------------------------------------------------------------------


FOUR = tf.data.experimental.assert_cardinality(4)  # batches; where their number is unknown Keras warns


class Failing(keras.utils.PyDataset):
    """Batches, of which one raises."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == self.at:
            raise ValueError("the disk is gone")
        return X[index * 8 : index * 8 + 8]


def generated(at):
    return tf.data.Dataset.from_generator(
        lambda: (Failing(at)[index] for index in range(4)), output_signature=tf.TensorSpec((None, 8, 8, 1))
    ).apply(FOUR)


def read_from_files(directory, at):
    """A data set of records, of which one has a flipped bit where `at` is no None."""
    path = directory / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image in X:
            floats = tf.train.Feature(float_list=tf.train.FloatList(value=image.ravel()))
            writer.write(tf.train.Example(features=tf.train.Features(feature={"image": floats})).SerializeToString())
    if at is not None:
        raw = bytearray(path.read_bytes())
        raw[len(raw) * (8 * at + 4) // 32] ^= 1
        path.write_bytes(raw)
    return ki.datasets.load(f"tfrecord:{path}", batch_size=8, shuffle=False, data_shape=(8, 8, 1)).apply(FOUR)


DATA = {
    "generator": (lambda place, at: generated(at), "ValueError: the disk is gone"),
    "py_dataset": (lambda place, at: Failing(at), "ValueError: the disk is gone"),
    "records": (read_from_files, "corrupted record at"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATA)
def test_data_that_fail_in_the_middle_stop_training_where_it_can_go_on(kind, tmp_path, undisturbed):
    make, message = DATA[kind]
    backup = tmp_path / "backup"
    with pytest.raises(ki.datasets.DataError, match=f"^Training stopped: the data failed. .*{message}[^\n]*$"):
        fitted(made(), Backup(backup, every_steps=1), data=make(tmp_path, at=2))
    assert {path.name[:24] for path in backup.iterdir()} == {"epoch-0000-step-00000001", "epoch-0000-step-00000002"}
    with pytest.warns(UserWarning, match="Training goes on"):
        same(undisturbed, fitted(made(), Backup(backup, every_steps=1), data=make(tmp_path, at=None)))


@pytest.mark.parametrize("call", quick(["evaluate", "predict", "fit_prior", "scores"], ["evaluate"]))
def test_data_that_fail_are_said_by_all_that_read_them(call):
    model, data = made(), generated(1)
    calls = {
        "evaluate": lambda: model.evaluate(data, verbose=0),
        "predict": lambda: model.predict(data, verbose=0),
        "fit_prior": lambda: model.fit_prior(data, "normal"),
        "scores": lambda: ki.evaluation.evaluate(model, data, "mse"),
    }
    with pytest.raises(ki.datasets.DataError, match="stopped: the data failed. ValueError: the disk is gone"):
        calls[call]()
    assert model.sampling_prior is model.prior


# A run directory --------------------------------------------------------------------------------------------------


RECIPE = Recipe(system="vae", dataset="digits", latent_dim=2, networks="mlp", width=2, batch_size=700, epochs=2)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Weights of a run that nothing stopped."""
    return weights(trainer.train(RECIPE, open_run(tmp_path_factory.mktemp("runs") / "whole")))


@pytest.mark.slow
@pytest.mark.filterwarnings("default:.*none is trained now")  # where only the model could not be written
@pytest.mark.parametrize(("ends", "kept"), [("model.keras", 0), ("history.csv", 1), ("samples-0002.png", 0)])
def test_a_run_whose_disk_is_full_is_resumed_to_the_same_model(expected, tmp_path, monkeypatch, ends, kept):
    with monkeypatch.context() as context:
        failing(context, FULL, ends, spared=kept)
        with pytest.raises(OSError, match=f"No space left on device: '.*{ends}'"):
            trainer.train(RECIPE, open_run(tmp_path / "run"))
    assert len(list((tmp_path / "run").rglob(f"*{ends}"))) == kept
    run = open_run(tmp_path / "run", resume=True)
    same(expected, weights(trainer.train(RECIPE, run)))
    assert run.model.is_file()


SMALL = Recipe(system="vae", dataset="digits", latent_dim=2, networks="mlp", width=2, batch_size=700, epochs=1)


def denied(monkeypatch, ends):
    """From now on there is no permission to open files whose names end so."""

    def of(real):
        def opening(path, *arguments, **options):
            if str(path).endswith(ends):
                raise PermissionError(DENIED, os.strerror(DENIED), str(path))
            return real(path, *arguments, **options)

        return opening

    for module in (builtins, io, os):
        monkeypatch.setattr(module, "open", of(module.open))


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["config.json", ".writer.lock"])
def test_a_run_whose_files_may_not_be_opened_is_named_and_stays(tmp_path, monkeypatch, capsys, ends):
    path = tmp_path / "run"
    trainer.train(SMALL, open_run(path))
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*") if not file.name.startswith(".writer")}
    denied(monkeypatch, ends)
    assert run_command("train", "--resume", "--epochs", 2, "--out", path) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "Permission denied" in line and str(path / ends) in line
    assert {file: file.stat().st_mtime_ns for file in before} == before


@pytest.mark.slow
def test_a_run_directory_that_is_read_only_can_be_used_and_not_trained_on(tmp_path, monkeypatch, capsys):
    path, allowed = tmp_path / "run", os.access
    trainer.train(SMALL, open_run(path))
    before = sorted(path.rglob("*"))
    monkeypatch.setattr(os, "access", lambda place, mode: allowed(place, mode) and (path != place or mode == os.R_OK))
    assert run_command("train", "--resume", "--epochs", 2, "--out", path) == 2
    assert f"where there is no permission to write into {path}" in capsys.readouterr().err
    assert run_command("sample", path, "--out", tmp_path / "a.png") == 0
    assert run_command("info", path) == 0 and sorted(path.rglob("*")) == before


@pytest.mark.slow
def test_a_run_directory_that_was_moved_goes_on_to_the_same_weights(tmp_path):
    expected = weights(trainer.train(dataclasses.replace(SMALL, epochs=2), open_run(tmp_path / "whole")))
    trainer.train(SMALL, open_run(tmp_path / "run"))
    (tmp_path / "run").rename(tmp_path / "moved")
    found = trainer.train(dataclasses.replace(SMALL, epochs=2), open_run(tmp_path / "moved", resume=True))
    same(expected, weights(found))
    assert not (tmp_path / "run").exists()


def test_what_fails_beside_the_data_is_no_error_of_the_data():
    model = compiled("ae")
    reading = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: tf.io.read_file("nowhere"))
    with pytest.raises(tf.errors.NotFoundError):
        model.fit(images(8), verbose=0, callbacks=[reading])


@pytest.mark.slow
def test_data_that_fail_within_several_steps_at_once_are_said():
    model = compiled("ae", {"steps_per_execution": 2})
    for call in (model.fit, model.evaluate):
        with pytest.raises(ki.datasets.DataError, match="stopped: the data failed. ValueError: the disk is gone$"):
            call(generated(3), verbose=0)


@pytest.mark.parametrize("name", ["m.weights.h5", "m.h5", "m"])
def test_a_model_is_saved_under_no_name_that_keras_would_write_in_another_way(tmp_path, name):
    path = tmp_path / name
    path.write_text("what stands there")
    with pytest.raises(ValueError, match="`filepath` must end in .keras"):
        create("ae").save(path)
    assert path.read_text() == "what stands there"


def test_a_link_stays_one_and_permissions_stay(tmp_path):
    target, link = tmp_path / "there" / "target.json", tmp_path / "link.json"
    target.parent.mkdir()
    target.write_text("{}")
    target.chmod(0o640)
    link.symlink_to(target)
    write_text(link, "[]")
    assert link.is_symlink() and target.read_text() == "[]" and target.stat().st_mode & 0o777 == 0o640
