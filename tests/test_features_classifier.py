"""The classifier of a data set: trained on labels, judged by held-out images, stored, used as an extractor."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from command import run
from sklearn.neighbors import KNeighborsClassifier

from keras_ijae import datasets
from keras_ijae.datasets.source import Source, Table
from keras_ijae.metrics import features, frechet_distance
from keras_ijae.metrics.features.classifier import Classifier, Record, build_classifier, read_record, record_path
from keras_ijae.training.classifier import _splits, default_epochs, train_classifier


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A classifier of the digits after a few passes, and its record."""
    path = tmp_path_factory.mktemp("classifiers") / "digits.keras"
    return path, train_classifier("digits", path, epochs=12, batch_size=50)


@pytest.fixture(scope="module")
def test_images():
    ((images, labels),) = datasets.load("digits", "test", 297, labels=True).as_numpy_iterator()
    return images, labels


def test_it_tells_the_classes_apart_and_its_record_says_how_well(stored, test_images):
    path, record = stored
    images, labels = test_images
    probabilities = features.get(path).probabilities(images)
    assert np.mean(probabilities.argmax(1) == labels) == record.accuracy > 0.93
    assert (record.dataset, record.split, record.classes, record.epochs, record.seed) == ("digits", "test", 10, 12, 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_it_is_the_extractor_that_was_stored(stored, test_images):
    path, record = stored
    extractor = features.get(str(path))
    assert extractor.checksum == record.checksum and extractor.accuracy == record.accuracy
    assert extractor.metric_name("frechet_distance") == "frechet_distance[digits-classifier]"
    assert extractor.features(test_images[0]).shape == (297, extractor.dim) == (297, 128)


def test_its_record_is_of_the_weights_whatever_keras_says_of_layers(stored, monkeypatch):
    monkeypatch.setattr(keras.Model, "to_json", lambda model, **how: json.dumps({"of": "another version"}))
    assert Classifier.load(stored[0]).checksum == stored[1].checksum


def test_its_file_holds_no_optimizer(stored):
    with zipfile.ZipFile(stored[0]) as archive:
        assert archive.getinfo("model.weights.h5").file_size < 1.5 * 4 * features.get(stored[0]).model.count_params()


def test_its_features_hold_the_classes(stored, test_images):
    extractor, (images, labels) = features.get(stored[0]), test_images
    found = extractor.features(images)
    assert KNeighborsClassifier(1).fit(found[:150], labels[:150]).score(found[150:], labels[150:]) > 0.85


@pytest.mark.filterwarnings("ignore:.*biased")
def test_its_frechet_distance_sees_noise_and_missing_classes(stored, test_images):
    extractor, (images, labels) = features.get(stored[0]), test_images
    real, half = extractor.features(images[::2]), images[1::2]
    noisy = np.clip(half + np.random.default_rng(0).normal(0, 0.6, half.shape), 0, 1)
    same = frechet_distance(real, extractor.features(half))
    assert frechet_distance(real, extractor.features(noisy)) > 2 * same
    assert frechet_distance(real, extractor.features(half[labels[1::2] < 3])) > 2 * same


@pytest.mark.slow
def test_sets_by_class_without_a_test_split_keep_a_tenth_of_each_class_apart_and_equal_seeds_train_alike(tmp_path):
    bright = np.repeat(np.array([30, 220], np.uint8), [60, 40])
    np.savez(tmp_path / "data.npz", image=np.tile(bright[:, None, None, None], (1, 8, 8, 1)), label=bright > 100)
    one, same, other = (
        train_classifier(f"npz:{tmp_path / 'data.npz'}", tmp_path / f"{name}.keras", epochs=4, batch_size=6, seed=seed)
        for name, seed in (("one", 3), ("same", 3), ("other", 4))
    )
    assert (one.classes, one.split, one.accuracy) == (2, "validation", 1.0)
    assert one == same and one.checksum != other.checksum


def test_a_file_that_is_not_there_is_said_once(tmp_path):
    with pytest.raises(
        ValueError, match=r"`features` must [^:]*: there is no stored classifier at [^:]*no\.keras\.[^:]*$"
    ):
        features.get(tmp_path / "no.keras")


@pytest.mark.slow
def test_scores_by_a_classifier_of_a_path_name_no_directory(tmp_path):
    images = np.zeros((40, 8, 8, 1), np.float32)
    np.savez(tmp_path / "own.npz", image=images, label=np.arange(40) % 2)
    train_classifier(f"npz:{tmp_path / 'own.npz'}", tmp_path / "c.keras", epochs=1, batch_size=6)
    assert features.get(tmp_path / "c.keras").metric_name("fid") == "fid[npz:own.npz-classifier]"


@pytest.mark.slow
def test_a_folder_of_images_that_vary_in_size_gets_a_classifier_of_the_size_that_is_given(tmp_path):
    for number in range(20):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(path, np.full((6 + number % 3, 7, 3), 255 * (number % 2)), scale=False)
    folder, path = f"folder:{tmp_path / 'images'}", tmp_path / "c.keras"
    with pytest.raises(ValueError, match="vary in size: give them one by `size`"):
        train_classifier(folder, path, epochs=1, batch_size=3)
    with pytest.raises(ValueError, match=r"`data` must have names of .*'size'.*Received: \['sise'\]"):
        train_classifier(folder, path, data={"sise": 5}, epochs=1)
    record = train_classifier(folder, path, data={"size": 5}, epochs=1, batch_size=3)
    assert record == read_record(path) and record.data == {"size": 5}
    assert features.get(path).features(np.zeros((2, 5, 5, 3), np.float32)).shape == (2, 128)


def test_what_stands_there_is_not_overwritten_unless_asked(stored):
    path, record = stored
    before = path.read_bytes()
    with pytest.raises(ValueError, match="exists. Argument `overwrite` allows"):
        train_classifier("digits", path, epochs=1)
    assert path.read_bytes() == before and read_record(path) == record


@pytest.mark.slow
def test_a_set_whose_test_images_have_no_labels_is_judged_by_its_validation_split(tmp_path):
    lines = []
    for split, count in (("train/{}/images", 4), ("val/images", 2), ("test/images", 1)):
        for name in ("n01", "n02"):
            place = tmp_path / split.format(name)
            for i in range(count):
                image = np.full((64, 64, 3), 200 if name == "n01" else 20, np.uint8)
                tf.io.write_file(str(place / f"{name}_{i}.png"), tf.io.encode_png(image))
                lines += [f"{name}_{i}.png\t{name}\t0\t0\t9\t9"] * ("val" in split)
    (tmp_path / "val" / "val_annotations.txt").write_text("\n".join(lines))
    record = train_classifier(f"tiny_imagenet:{tmp_path}", tmp_path / "c.keras", epochs=1, batch_size=4)
    assert (record.split, record.classes) == ("validation", 2) and record.accuracy in (0, 0.25, 0.5, 0.75, 1)


def test_splits_without_labels_are_not_judged_by():
    about = datasets.DatasetInfo("a", (8, 8, 1), {"train": 9, "validation": 2, "test": 3}, True)
    for unlabelled, expected in (
        ((), ("train", "test")),
        (("test",), ("train", "validation")),
        (("test", "validation"), ("train[:90%]", "train[90%:]")),
    ):
        assert _splits(dataclasses.replace(about, unlabelled=unlabelled)) == expected
    assert _splits(dataclasses.replace(about, splits={"train": 9})) == ("train[:90%]", "validation")


@pytest.fixture
def colours(monkeypatch):
    """Stands for color_mnist: two shapes in three colours, with both labels."""
    digit, color = np.divmod(np.tile(np.arange(6), 40), 3)
    x = np.zeros((240, 10, 10, 3), np.uint8)
    for image, d, c in zip(x, digit, color, strict=True):
        image[2:8, 1 + 4 * d : 5 + 4 * d, c] = 255

    def read(split, start, stop):
        return Table(x[start:stop], {"digit": digit[start:stop], "color": color[start:stop]})

    labelled, sizes = frozenset(["train", "test"]), {"train": 180, "test": 60}
    source = Source(sizes, (10, 10, 3), read, 255.0, labelled, ("digit", "color"))
    monkeypatch.setattr("keras_ijae.datasets.from_color_mnist.open_source", lambda argument, options: source)
    return x, digit, color


@pytest.mark.parametrize(
    ("label", "name", "expected"),
    [
        ("digit", "digit", lambda digit, color: digit),
        (["color", "digit"], "color,digit", lambda digit, color: 2 * color + digit),
    ],
)
@pytest.mark.slow
def test_one_of_several_labels_or_their_combinations_are_learnt(tmp_path, colours, label, name, expected):
    x, digit, color = colours
    path = tmp_path / "c.keras"
    record = train_classifier("color_mnist", path, label=label, epochs=8, batch_size=10)
    classes = expected(digit, color)
    assert (record.label, record.classes, record.accuracy) == (name, classes.max() + 1, 1.0)
    extractor = features.get(path)
    np.testing.assert_array_equal(extractor.probabilities((x[:6] / 255).astype("f4")).argmax(1), classes[:6])
    assert extractor.metric_name("frechet_distance") == f"frechet_distance[color_mnist-{name}-classifier]"


@pytest.mark.parametrize("label", [None, "colour", "digit,colour", "digit,digit", "", ()])
def test_a_label_that_is_missing_or_unknown_is_refused_with_those_there_are(tmp_path, colours, label):
    with pytest.raises(ValueError, match=r"Argument `label` must be .*'digit', 'color'.*Received: label="):
        train_classifier("color_mnist", tmp_path / "c.keras", label=label)


def test_the_command_takes_a_label_which_names_the_file_and_arguments_of_the_data(monkeypatch, colours, capsys):
    asked = {}

    def train(dataset, path, **options):
        asked.update(options, path=str(path))
        return Record(dataset, 1.0, "test", 6, 1, 0, "", options["label"])

    assert run("train-classifier", "--dataset", "color_mnist", "--epochs", 1) == 2
    assert "'digit', 'color'" in capsys.readouterr().err
    monkeypatch.setattr("keras_ijae.training.classifier.train_classifier", train)
    assert run("train-classifier", "--dataset", "color_mnist", "--label", "digit,color") == 0
    assert (asked["label"], asked["path"]) == ("digit,color", "color_mnist-digit-color-classifier.keras")
    assert run("train-classifier", "--dataset", "folder:a", "--data", "size=6", "--data", "crop=center") == 0
    assert asked["data"] == {"size": 6, "crop": "center"}


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 48, 3)])
def test_the_network_fits_every_size_of_images(shape):
    model = build_classifier(shape, 4)
    assert model.output_shape == (None, 4)
    assert model.count_params() < 3_000_000


# What is refused.


def test_wrong_data_and_paths_are_refused_before_training(tmp_path):
    np.savez(tmp_path / "vectors.npz", x=np.zeros((40, 3), np.float32), y=np.zeros(40, int))
    images = np.zeros((40, 8, 8, 1), np.float32)
    np.savez(tmp_path / "unlabelled.npz", image=images)
    np.savez(tmp_path / "unknown.npz", image=images, label=np.arange(40) % 3 - 1)
    np.savez(tmp_path / "numbers.npz", image=images, label=np.linspace(0, 1, 40))
    np.savez(tmp_path / "words.npz", image=images, label=np.array(["cat", "dog"] * 20))
    np.savez(tmp_path / "rows.npz", image=images, label=np.eye(2, dtype=int)[np.arange(40) % 2])
    np.savez(tmp_path / "one.npz", image=images, label=np.zeros(40, int))
    for dataset, path, message in (
        (f"npz:{tmp_path / 'unknown.npz'}", "c.keras", "integers from 0.*the least -1"),
        (f"npz:{tmp_path / 'numbers.npz'}", "c.keras", "integers from 0.*float64"),
        (f"npz:{tmp_path / 'words.npz'}", "c.keras", "Labels must be numbers.*<U3"),
        (f"npz:{tmp_path / 'rows.npz'}", "c.keras", r"integers from 0.*\(\d+, 2\)"),
        (f"npz:{tmp_path / 'one.npz'}", "c.keras", "at least two classes"),
        (f"npz:{tmp_path / 'vectors.npz'}", "c.keras", "images of one class each"),
        (f"npz:{tmp_path / 'unlabelled.npz'}", "c.keras", "labels"),
        ("digits", "c.h5", "must end in .keras"),
        ("digts", "c.keras", "Did you mean 'digits'"),
    ):
        with pytest.raises(ValueError, match=message):
            train_classifier(dataset, tmp_path / path, batch_size=10)
        assert not (tmp_path / path).exists()


def test_a_label_of_a_set_that_has_but_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Argument `label` must be None: 'digits' has one"):
        train_classifier("digits", tmp_path / "c.keras", label="digit")


@pytest.mark.slow
def test_a_record_that_is_missing_broken_or_anothers_is_refused(tmp_path):
    path = tmp_path / "c.keras"
    classifier = Classifier(build_classifier((8, 8, 1), 3), "digits", 0.5)
    record = classifier.save(path, "test", 1, 0)
    for text, message in (
        ("{", "not the record"),
        ('{"accuracy": 1}', "not the record"),
        (json.dumps(dataclasses.asdict(record) | {"checksum": "0"}), "does not describe"),
    ):
        record_path(path).write_text(text)
        with pytest.raises(ValueError, match=message):
            features.get(path)
    record_path(path).unlink()
    with pytest.raises(ValueError, match="no stored classifier at .*c.keras: its record .*c.json is missing"):
        features.get(path)


# The command.


@pytest.mark.slow
def test_the_command_stores_a_classifier_and_says_how_good_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits-classifier.keras").touch()
    assert run("train-classifier", "--dataset", "digits", "--epochs", 1) == 2
    assert "Option --overwrite allows" in capsys.readouterr().err
    assert run("train-classifier", "--dataset", "digits", "--epochs", 1, "--overwrite") == 0
    record = read_record("digits-classifier.keras")
    shown = capsys.readouterr().err
    assert f"{100 * record.accuracy:.2f} %" in shown and "digits-classifier.keras" in shown and record.epochs == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits-classifier.json", "digits-classifier.keras"]


def test_an_interrupted_training_leaves_nothing(tmp_path, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupt)
    assert run("train-classifier", "--dataset", "digits", "--out", tmp_path / "c.keras") == 130
    assert "nothing was written" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_small_sets_are_passed_over_more_often():
    assert [default_epochs(steps) for steps in (468, 11, 1, 0)] == [5, 182, 2000, 2000]
    with pytest.raises(ValueError, match="`epochs` must be"):
        train_classifier("digits", "digits.keras", epochs=0)
