"""Conditional models in callbacks, recipes, run directories and the command."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from command import run

import keras_ijae as ki
from keras_ijae import datasets
from keras_ijae.training import (
    ReconstructionGrid,
    SampleGrid,
    class_rows,
    grid,
    info,
    interleave,
    open_run,
    save_grid,
    trainer,
)
from keras_ijae.training.data import (
    in_order,
    labelled_rows,
    part_of,
    some_rows,
    splits,
    training_data,
    validation_data,
)
from keras_ijae.training.recipes import RECIPES, Recipe
from keras_ijae.training.runs import RunDirectory

pytestmark = pytest.mark.slow

CLASSES = 3
TINY = Recipe(system="vae", dataset="digits", networks="mlp", width=8, batch_size=500, latent_dim=2, classes=10)
SMALL = ["--dataset", "digits", "--networks", "mlp", "--width", "8", "--batch-size", "500", "--latent-dim", "2"]


def create(name, classes=CLASSES):
    return ki.create(name, (8, 8, 1), 2, networks="mlp", width=8, classes=classes)


def check_drawn(path, images):
    """The file has these pixels, at its top and right; at the left stand names of rows, below what it is."""
    picture = tf.io.decode_png(path.read_bytes()).numpy()
    np.testing.assert_array_equal(picture[: images.shape[0], -images.shape[1] :], images)
    assert picture[images.shape[0] :].min() < 128 <= 200 < picture[images.shape[0] :].mean(), "a caption on white"


def labelled(rows=12):
    x = np.random.default_rng(0).random((rows, 8, 8, 1), dtype="float32")
    return x, np.arange(rows) % CLASSES


# Callbacks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "columns"), [(8, 3), (6, 2), (1, 1)])
def test_each_class_has_a_row_of_the_same_codes(tmp_path, count, columns):
    model = create("gan")
    callback = SampleGrid(tmp_path, count=count, seed=4)
    callback.set_model(model)
    callback.on_epoch_end(0)
    rows = [model.sample(columns, seed=4, labels=label) for label in range(CLASSES)]
    check_drawn(tmp_path / "samples-0001.png", grid(np.concatenate(rows), columns))
    codes, noise = model.endpoints.codes_of_samples(columns, 4), 4
    np.testing.assert_allclose(rows[2], model.decode(codes, noise, labels=2), atol=1e-6)


def test_rows_of_classes_need_classes():
    with pytest.raises(ValueError, match="`model` must be conditional, created with `classes`"):
        class_rows(create("gan", classes=None))


def test_reconstructions_are_drawn_with_the_labels_of_their_images(tmp_path):
    model, (x, y) = create("vae"), labelled(4)
    callback = ReconstructionGrid((x, y), tmp_path, columns=4, seed=1)
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0)
    expected = grid(interleave(x, model.reconstruct(x, seed=1, labels=y), 4), 4, together=2)
    check_drawn(tmp_path / "reconstructions-0001.png", expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [(None, "needs labels.*Received: no labels"), ([0, 1], "as many as there are rows"), ([3] * 12, "from 3 to 3")],
)
def test_images_without_fitting_labels_are_refused_before_the_first_step(tmp_path, labels, message):
    model, (x, y) = create("vae"), labelled()
    model.compile(run_eagerly=True)
    images = x if labels is None else (x, np.array(labels))
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, batch_size=4, verbose=0, callbacks=[ReconstructionGrid(images, tmp_path)])
    assert int(model.steps) == 0


# Data -----------------------------------------------------------------------------------------------------


def test_a_recipe_with_classes_has_data_with_labels():
    plain = dataclasses.replace(TINY, classes=None)
    for read in (training_data, validation_data, in_order):
        (x, y), alone = next(iter(read(TINY))), next(iter(read(plain)))
        np.testing.assert_array_equal(x, alone)
        assert y.shape == (len(x),) and y.dtype == tf.int64
    known = dict(zip(*map(tuple, whole_test()), strict=True))
    x, y = some_rows(TINY, None, 20)
    assert len(x) == 20 and y.tolist() == [known[image.tobytes()] for image in x]


def test_rows_that_are_looked_at_are_of_all_classes_where_splits_are_stored_by_class(tmp_path):
    label = np.repeat(np.arange(4), 50)
    image = np.broadcast_to(label[:, None, None, None].astype(np.float32) / 4, (200, 8, 8, 1))
    arrays = {f"{name}_{kind}": value for name in ("train", "test") for kind, value in (("x", image), ("y", label))}
    np.savez(tmp_path / "sorted.npz", **arrays)
    recipe = dataclasses.replace(TINY, dataset=f"npz:{tmp_path / 'sorted.npz'}", classes=None)
    for split in (None, "train", splits(recipe)["train"]):
        x, labels = labelled_rows(recipe, split, 60)
        counts = np.bincount(labels, minlength=4)
        assert len(x) == 60 and counts.min() >= 10, (split, counts)
        np.testing.assert_allclose(4 * x[:, 0, 0, 0], labels, atol=1e-6)
        np.testing.assert_array_equal(some_rows(recipe, split, 60), x)
    assert labelled_rows(recipe, "test", 1000)[1].tolist() == label.tolist()
    assert part_of(recipe, "test", 60) == "test[:60]" and part_of(recipe, "test[20:]", 60) == "test[20:]"


def whole_test():
    x, y = next(datasets.load("digits", "test", 300, labels=True).as_numpy_iterator())
    return [image.tobytes() for image in x], y.tolist()


def archive(path, **arrays):
    images = np.zeros((60, 8, 8, 1), np.uint8)
    np.savez(path, x_train=images, x_test=images[:20], **arrays)
    return Recipe(system="gan", dataset=f"npz:{path}", classes=2)


def test_a_test_split_without_labels_is_not_what_a_conditional_model_is_evaluated_on(tmp_path):
    recipe = archive(tmp_path / "a.npz", y_train=np.arange(60) % 2)
    assert splits(recipe)["evaluation"] == "validation"
    assert splits(dataclasses.replace(recipe, classes=None))["evaluation"] == "test"


def test_data_without_labels_or_with_several_are_refused_by_name(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="`dataset` must have one label.*classes=2. Received: 'npz:.*which has none"):
        training_data(archive(tmp_path / "a.npz"))
    several = datasets.DatasetInfo("many", (8, 8, 1), {"train": 10}, True, ("digit", "color"))
    monkeypatch.setattr(datasets, "info", lambda name, **arguments: several)
    with pytest.raises(ValueError, match=r"which has several, \['digit', 'color'\]: in Python, `map`"):
        training_data(dataclasses.replace(TINY, dataset="many"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"classes": 5}, "`classes` does not fit the labels of 'digits'.*0..4.*Received: labels from 0 to 9"),
        ({"classes": 20}, "`classes` must be .* 2 to 10, the number of classes of 'digits'. Received: classes=20"),
        ({"system": "wae_mmd"}, "`classes` is not taken by WAEMMD"),
    ],
)
def test_a_run_whose_classes_do_not_fit_leaves_nothing(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        trainer.train(dataclasses.replace(TINY, **wrong), open_run(tmp_path / "run"))
    assert not list(tmp_path.iterdir())


def test_more_labels_than_classes_are_refused_before_training(tmp_path):
    recipe = archive(tmp_path / "a.npz", y_train=np.arange(60) % 3).but(batch_size=9)
    with pytest.raises(ValueError, match="`classes` does not .* it must be the number.*Received: labels from 0 to 2"):
        trainer.train(recipe, open_run(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_folder_with_one_class_has_too_few(tmp_path):
    for index in range(20):
        save_grid(tmp_path / "data" / "cat" / f"{index}.png", np.full((1, 8, 8, 1), index / 20))
    recipe = Recipe(system="gan", dataset=f"folder:{tmp_path / 'data'}", classes=2, batch_size=9)
    with pytest.raises(ValueError, match="`dataset` must have at least two classes. Received: 'folder:.*, which has"):
        trainer.train(recipe, open_run(tmp_path / "run"))


def test_a_recipe_has_two_classes_at_least():
    with pytest.raises(ValueError, match="`classes` must be an integer >= 2. Received: classes=1"):
        Recipe(system="gan", dataset="digits", classes=1)


def test_the_conditional_recipe_makes_a_conditional_model():
    assert trainer.build(RECIPES["cgan_digits"], (8, 8, 1)).classes == 10


# The command ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cvae(tmp_path_factory):
    """A run directory with a conditional VAE after an epoch of two steps."""
    directory = tmp_path_factory.mktemp("runs") / "cvae"
    assert run("train", "vae", *SMALL, "--classes", 10, "--epochs", 1, "--out", directory) == 0
    return directory


@pytest.fixture(scope="module")
def model(cvae):
    return ki.load_model(cvae)


def test_a_conditional_run_is_trained_on_labels_and_draws_rows_of_classes(cvae, model):
    assert RunDirectory(cvae).read_recipe() == dataclasses.replace(TINY, epochs=1)
    assert model.classes == 10
    assert int(sum(model.label_counts.counts.numpy())) == 1000  # two batches
    check_drawn(cvae / "grids/samples-0001.png", grid(class_rows(model, 6), 6))
    assert (cvae / "grids/reconstructions-0001.png").is_file()


@pytest.mark.slow
def test_a_resumed_run_goes_on_counting_its_labels(cvae, model, tmp_path):
    copy = shutil.copytree(cvae, tmp_path / "copy")
    assert run("train", "--resume", "--epochs", 2, "--out", copy) == 0
    counts = ki.load_model(copy).label_counts.counts.numpy()
    assert sum(counts) == 2000 and (counts > model.label_counts.counts.numpy()).all()


def test_sample_draws_the_label_asked_for_or_a_row_of_each(cvae, model, tmp_path):
    picture = tmp_path / "a.png"
    assert run("sample", cvae, "--label", 3, "-n", 4, "--seed", 2, "--out", picture) == 0
    check_drawn(picture, grid(model.sample(4, seed=2, labels=3)))
    assert run("sample", cvae, "-n", 32, "--seed", 2, "--out", picture) == 0
    check_drawn(picture, grid(class_rows(model, 3, seed=2), 3))
    assert run("sample", cvae / "model.keras", "--columns", 5, "--out", picture) == 0
    check_drawn(picture, grid(class_rows(model, 5), 5))


def test_an_archive_of_samples_is_data_with_the_labels_asked_for_or_those_of_training(cvae, model, tmp_path):
    drawn = tmp_path / "a.npz"
    for label, labels in ((["--label", 3], [3] * 4), ([], model.sample_labels(4, seed=2))):
        assert run("sample", cvae, *label, "-n", 4, "--seed", 2, "--out", drawn) == 0
        (batch,) = ki.datasets.load(f"npz:{drawn}", batch_size=4, shuffle=False, labels=True)
        np.testing.assert_allclose(batch[0], model.sample(4, seed=2, labels=labels), atol=1e-6)
        np.testing.assert_array_equal(batch[1], labels)


@pytest.mark.parametrize("place", ["", "model.keras"])
def test_classes_that_have_names_are_called_by_them(cvae, model, tmp_path, capsys, place):
    """Of a run whose config.json has names, as one on a folder leaves it."""
    named = shutil.copytree(cvae, tmp_path / "named")
    names = ["cat", "dog", "3", *(f"other {number}" for number in range(7))]
    config = json.loads((named / "config.json").read_text())
    (named / "config.json").write_text(json.dumps(config | {"class_names": names}))
    picture = tmp_path / "a.png"
    for label, number in (("dog", 1), ("3", 2), ("4", 4)):
        assert run("sample", named / place, "--label", label, "-n", 4, "--out", picture) == 0
        check_drawn(picture, grid(model.sample(4, seed=0, labels=number)))
    capsys.readouterr()
    assert run("sample", named / place, "--label", "dgo", "--out", picture) == 2
    said = capsys.readouterr().err
    assert "Option --label must be a number, 0, 1, ..., or one of 'cat', 'dog', '3'" in said
    assert "Received: 'dgo'. Did you mean 'dog'?" in said
    assert run("sample", cvae / place, "--label", "dog", "--out", picture) == 2
    assert "Option --label must be a number, 0, 1, .... Received: 'dog'" in capsys.readouterr().err
    assert run("info", named) == 0 and "cat, dog, 3, other 0" in " ".join(capsys.readouterr().out.split())


def test_a_conditional_run_on_a_folder_keeps_the_names_of_its_classes(tmp_path):
    for name in ("cat", "dog"):
        for index in range(20):
            save_grid(tmp_path / "data" / name / f"{index}.png", np.full((1, 8, 8, 1), index / 20))
    small = ["--networks", "mlp", "--width", 4, "--latent-dim", 2, "--epochs", 1, "--batch-size", 8]
    data, out = f"folder:{tmp_path / 'data'}", tmp_path / "run"
    assert run("train", "vae", "--dataset", data, *small, "--classes", 2, "--out", out) == 0
    assert RunDirectory(out).read_class_names() == info(out)["class_names"] == ["cat", "dog"]
    assert run("train", "vae", "--dataset", data, *small, "--out", out, "--overwrite") == 0
    assert RunDirectory(out).read_class_names() == [] and "class_names" not in info(out)


@pytest.mark.parametrize("place", ["", "model.keras"])
def test_pictures_of_data_are_made_with_their_labels(cvae, model, tmp_path, place):
    data = ["--dataset", "digits"] if place else []
    assert run("reconstruct", cvae / place, *data, "-n", 16, "--out", tmp_path / "r.png") == 0
    x, y = some_rows(TINY, None, 16)
    remade = model.reconstruct(x, seed=0, labels=y)
    check_drawn(tmp_path / "r.png", grid(interleave(x, remade, 8), 8, together=2))
    assert run("interpolate", cvae / place, *data, "-n", 3, "--steps", 4, "--out", tmp_path / "i.png") == 0
    between = model.interpolate((x[:3], y[:3]), (x[3:6], y[3:6]), steps=4)
    check_drawn(tmp_path / "i.png", grid(between.reshape(-1, 8, 8, 1), 4))


@pytest.mark.filterwarnings("ignore:A class has 29 rows for 64")
def test_evaluate_uses_the_labels(cvae, model):
    assert run("evaluate", cvae) == 0
    assert run("evaluate", cvae, "--metrics", "mse,class_frechet", "--features", "data") == 0
    x, y = next(in_order(TINY, batch_size=300).as_numpy_iterator())
    losses = json.loads((cvae / "evaluation.json").read_text())["scores"]
    scores = json.loads((cvae / "scores.json").read_text())["scores"]
    expected = model.evaluate(x, y, batch_size=256, return_dict=True, verbose=0)
    assert losses == {name: pytest.approx(float(value), rel=1e-5) for name, value in expected.items()}
    found = ki.evaluation.evaluate(model, (x, y), ["mse", "class_frechet"], "data")
    on = {"dataset": "digits", "split": "test"}
    assert scores == {name: score | on for name, score in found.to_dict().items()} and len(scores) == 3


def test_an_export_draws_labels(cvae, model, tmp_path):
    assert run("export", cvae, "--out", tmp_path / "served") == 0
    serve = tf.saved_model.load(tmp_path / "served").signatures["sample_labels"]
    images = serve(labels=tf.constant([3, 3, 5]), seed=tf.constant(1))["observations"]
    np.testing.assert_allclose(images, model.sample(3, seed=1, labels=[3, 3, 5]), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "RUN", "--label", 10], "Option --label must be an integer from -1 to 9, -1 for unknown. Received"),
        (["sample", "PLAIN", "--label", "ring"], "Option --label is not taken: the model has no classes"),
        (["sample", "PLAIN", "--label", 3], "Option --label is not taken: the model has no classes"),
        (["train", "wae_mmd", *SMALL, "--classes", 10, "--out", "OUT"], "Option --classes is not taken by WAEMMD"),
        (["train", "gan", *SMALL, "--classes", 5, "--out", "OUT"], "Option --classes does not fit the labels of"),
        (["train", "gan", "--dataset", "ARCHIVE", "--classes", 5, "--out", "OUT"], "Option --dataset must have one"),
        (["train", "gan", *SMALL, "--set", "classes=10", "--out", "OUT"], "Use --classes instead"),
        (["train", "--resume", "--out", "RUN", "--classes", 5], "--classes is 10 there, received: 5"),
        (["evaluate", "RUN", "--dataset", "ARCHIVE"], "Option --dataset must have one label to an example"),
        (["evaluate", "RUN", "--metrics", "class_accuracy", "--features", "data"], "needs class probabilities"),
        (["fit-prior", "RUN", "--prior", "gmm"], "cannot be fitted to the codes of a conditional model"),
    ],
)
def test_labels_that_do_not_fit_are_errors_in_the_words_of_the_command(arguments, message, cvae, tmp_path, capsys):
    plain = ki.create("gan", (8, 8, 1), 2, networks="mlp", width=4)
    plain.save(tmp_path / "plain.keras")
    archive(tmp_path / "a.npz")
    places = {"RUN": cvae, "PLAIN": tmp_path / "plain.keras", "OUT": tmp_path / "out"}
    places["ARCHIVE"] = f"npz:{tmp_path / 'a.npz'}"
    capsys.readouterr()
    assert run(*(places.get(argument, argument) for argument in arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line
    assert not (tmp_path / "out").exists()
