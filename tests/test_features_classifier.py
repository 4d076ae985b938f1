"""The classifier of a data set: trained on labels, judged by held-out images, stored, used as an extractor."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from keras_ijae import datasets
from keras_ijae.metrics import features, frechet_distance
from keras_ijae.metrics.features.classifier import Classifier, build_classifier, read_record, record_path
from keras_ijae.training.classifier import train_classifier
from keras_ijae_cli import main


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A classifier of the digits after a few passes, and its record."""
    path = tmp_path_factory.mktemp("classifiers") / "digits.keras"
    return path, train_classifier("digits", path, epochs=12, batch_size=50)


@pytest.fixture(scope="module")
def test_images():
    ((images, labels),) = datasets.load("digits", "test", 297, labels=True).as_numpy_iterator()
    return images, labels


def run(*arguments):
    """The exit code of the command."""
    with pytest.raises(SystemExit) as exit:
        main([str(argument) for argument in arguments])
    return exit.value.code or 0


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


def test_equal_seeds_train_equal_classifiers(tmp_path):
    one, same, other = (
        train_classifier("digits", tmp_path / f"{name}.keras", epochs=1, seed=seed)
        for name, seed in (("one", 3), ("same", 3), ("other", 4))
    )
    assert one == same and one.checksum != other.checksum


def test_what_stands_there_is_not_overwritten_unless_asked(stored):
    path, record = stored
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not overwritten"):
        train_classifier("digits", path, epochs=1)
    assert path.read_bytes() == before and read_record(path) == record


def test_a_set_without_a_test_split_keeps_a_tenth_apart(tmp_path):
    images, labels = datasets.load("digits", "test", 200, labels=True).as_numpy_iterator().next()
    np.savez(tmp_path / "data.npz", image=images, label=labels)
    record = train_classifier(f"npz:{tmp_path / 'data.npz'}", tmp_path / "c.keras", epochs=1, batch_size=20)
    assert record.split == "validation" and record.accuracy * 20 == pytest.approx(round(record.accuracy * 20))


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 48, 3)])
def test_the_network_fits_every_size_of_images(shape):
    model = build_classifier(shape, 4)
    assert model.output_shape == (None, 4)
    assert model.count_params() < 3_000_000


# What is refused.


def test_wrong_data_and_paths_are_refused_before_training(tmp_path):
    np.savez(tmp_path / "vectors.npz", x=np.zeros((40, 3), np.float32), y=np.zeros(40, int))
    np.savez(tmp_path / "unlabelled.npz", image=np.zeros((40, 8, 8, 1), np.float32))
    for dataset, path, message in (
        (f"npz:{tmp_path / 'vectors.npz'}", "c.keras", "images of one class each"),
        (f"npz:{tmp_path / 'unlabelled.npz'}", "c.keras", "labels"),
        ("digits", "c.h5", "must end in .keras"),
        ("digts", "c.keras", "Did you mean 'digits'"),
    ):
        with pytest.raises(ValueError, match=message):
            train_classifier(dataset, tmp_path / path, batch_size=10)
        assert not (tmp_path / path).exists()


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
    with pytest.raises(ValueError, match="c.json is missing"):
        features.get(path)


# The command.


def test_the_command_stores_a_classifier_and_says_how_good_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("train-classifier", "--dataset", "digits", "--epochs", 2) == 0
    record = read_record("digits-classifier.keras")
    shown = capsys.readouterr().err
    assert f"{100 * record.accuracy:.2f} %" in shown and "digits-classifier.keras" in shown
    assert run("train-classifier", "--dataset", "digits", "--epochs", 1) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert run("train-classifier", "--dataset", "digits", "--epochs", 1, "--overwrite") == 0
    assert read_record("digits-classifier.keras").epochs == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits-classifier.json", "digits-classifier.keras"]


def test_an_interrupted_training_leaves_nothing(tmp_path, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupt)
    assert run("train-classifier", "--dataset", "digits", "--out", tmp_path / "c.keras") == 130
    assert "nothing was written" in capsys.readouterr().err and not list(tmp_path.iterdir())
