"""The cache of features: found for the same images and network, never for others; broken files are made again."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.metrics import frechet_distance
from keras_ijae.metrics.features import DataSpace, FeatureCache, KerasFeatures, cache

IMAGES = np.random.default_rng(0).random((40, 4, 4, 1), np.float32)


class Counting(KerasFeatures):
    """Counts the images that go through it."""

    seen = 0

    def stream(self, images):
        for features, probabilities in super().stream(images):
            self.seen += len(features)
            yield features, probabilities


def _extractor(seed=0, **arguments):
    layers = keras.layers
    initial = keras.initializers.GlorotUniform(seed)
    hidden, last = layers.Dense(5, "relu", kernel_initializer=initial), layers.Dense(3, kernel_initializer=initial)
    model = keras.Sequential([layers.Input((4, 4, 1)), layers.Flatten(), hidden, last], name="small")
    return Counting(model, batch_size=16, **arguments)


def test_images_go_through_the_network_once(tmp_path):
    extractor = _extractor(output="logits")
    first = FeatureCache(tmp_path / "cache").outputs(extractor, IMAGES)
    again = FeatureCache(tmp_path / "cache").outputs(extractor, IMAGES)
    assert extractor.seen == 40
    for one, other, right in zip(first, again, zip(*extractor.stream(IMAGES), strict=True), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, np.concatenate(right))


def test_statistics_are_those_of_the_features_and_kept(tmp_path):
    extractor, store = _extractor(), FeatureCache(tmp_path)
    first, again = store.statistics(extractor, IMAGES), store.statistics(extractor, IMAGES)
    assert extractor.seen == again.count == 40
    features = extractor.features(IMAGES)
    np.testing.assert_allclose(again.covariance, np.cov(features, rowvar=False), rtol=1e-6)
    other = store.statistics(extractor, 1 - IMAGES)
    expected = frechet_distance(features, extractor.features(1 - IMAGES))
    assert again.result(other) == first.result(other) == pytest.approx(expected, rel=1e-9)


def test_statistics_of_the_images_themselves_are_kept_too(tmp_path):
    found = FeatureCache(tmp_path).statistics(DataSpace(), IMAGES)
    np.testing.assert_allclose(found.covariance, np.cov(IMAGES.reshape(40, 16), rowvar=False), rtol=1e-5)
    assert any(tmp_path.iterdir()) and FeatureCache(tmp_path).statistics(DataSpace(), IMAGES).count == 40


def test_batches_and_types_of_the_same_images_are_the_same_images(tmp_path):
    extractor, store = _extractor(), FeatureCache(tmp_path)
    pixels = (255 * IMAGES).astype(np.uint8)
    expected = store.features(extractor, pixels)
    data = tf.data.Dataset.from_tensor_slices((pixels / np.float32(255), np.zeros(40))).batch(7)
    np.testing.assert_array_equal(store.features(extractor, data), expected)
    assert extractor.seen == 40


def test_other_images_networks_resizing_and_versions_are_not_found(tmp_path, monkeypatch):
    store, base = FeatureCache(tmp_path), _extractor()
    store.features(base, IMAGES)

    def misses(extractor, images=IMAGES):
        before = extractor.seen
        found = store.features(extractor, images)
        np.testing.assert_array_equal(found, extractor.features(images))
        return extractor.seen - before == 2 * len(images)

    one_pixel = IMAGES.copy()
    one_pixel[7, 2, 2] += 1e-4
    for images in (IMAGES[::-1], IMAGES[:39], one_pixel, IMAGES.reshape(40, 4, 4, 1).transpose(0, 2, 1, 3)):
        assert misses(base, images)
    assert misses(_extractor(seed=1)) and misses(_extractor(name="other"))
    resized = _extractor()
    resized.resize = "clean"
    assert misses(resized)
    monkeypatch.setattr(cache, "library_versions", lambda: {"tensorflow": "0.0"})
    assert misses(base)


@pytest.mark.parametrize("what", ["features", "statistics"])
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "another's"])
def test_a_broken_file_is_made_again_and_the_reason_said(tmp_path, what, damage):
    extractor, store = _extractor(), FeatureCache(tmp_path)
    read = getattr(store, what)
    read(extractor, IMAGES)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 3] ^= 255
    if damage == "another's":
        read(extractor, 1 - IMAGES)
        (other,) = set(tmp_path.iterdir()) - {path}
        data = other.read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2]}.get(damage, data))
    before = extractor.seen
    with pytest.warns(UserWarning, match="made with other images" if damage == "another's" else "computed again"):
        found = read(extractor, IMAGES)
    assert extractor.seen == before + 40
    expected = extractor.features(IMAGES)
    np.testing.assert_allclose(np.mean(found, 0) if what == "features" else found.mean, expected.mean(0), rtol=1e-5)
    before = extractor.seen
    read(extractor, IMAGES)
    assert extractor.seen == before


def test_a_data_set_that_changes_is_never_taken_for_what_it_was(tmp_path):
    extractor, store = _extractor(), FeatureCache(tmp_path)
    shuffled = tf.data.Dataset.from_tensor_slices(IMAGES).shuffle(40, seed=1, reshuffle_each_iteration=True).batch(10)
    store.features(extractor, shuffled)
    (path,) = tmp_path.iterdir()
    with np.load(path) as file:
        stored, record = file["arr_0"], json.loads(str(file["record"]))
    order = [np.abs(extractor.features(IMAGES) - row).sum(1).argmin() for row in stored]
    content = cache._Content()
    content.update(IMAGES[order])
    assert record["images"] == content.checksum()


def test_an_extraction_that_fails_leaves_nothing(tmp_path):
    class Failing(Counting):
        def stream(self, images):
            raise RuntimeError("out of memory")

    extractor = _extractor()
    extractor.__class__ = Failing
    with pytest.raises(RuntimeError, match="out of memory"):
        FeatureCache(tmp_path).features(extractor, IMAGES)
    assert not list(tmp_path.iterdir())
