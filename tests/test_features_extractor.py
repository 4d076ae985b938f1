"""Extractors: Keras models as features, batches, checksums, what is refused; scores say all they depend on."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ijae.metrics import features
from keras_ijae.metrics.features import KerasFeatures
from keras_ijae.metrics.features.extractor import full_precision
from keras_ijae.metrics.score import Score, library_versions

IMAGES = np.random.default_rng(0).random((11, 6, 5, 3), np.float32)


def _model(activation="relu", seed=0, shape=(6, 5, 3)):
    layers = keras.layers
    initial = keras.initializers.GlorotUniform(seed)
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(4, 3, activation=activation, kernel_initializer=initial),
            layers.Flatten(name="flat"),
            layers.Dropout(0.5),
            layers.Dense(7, kernel_initializer=initial, name="last"),
        ]
    )


@pytest.fixture(scope="module")
def model():
    return _model()


def test_features_are_the_layers_output_in_inference(model):
    found = KerasFeatures(model, "flat", batch_size=4)
    flat = keras.Model(model.inputs[0], model.get_layer("flat").output)
    np.testing.assert_allclose(found.features(IMAGES), flat(IMAGES), atol=1e-6)
    np.testing.assert_allclose(KerasFeatures(model).features(IMAGES), model(IMAGES), atol=1e-6)
    assert found.dim == flat.output_shape[1] and KerasFeatures(model).dim == 7
    assert found.features(IMAGES).dtype == np.float32


def test_probabilities_are_the_outputs_softmax_or_the_output(model):
    expected = tf.nn.softmax(model(IMAGES))
    found = KerasFeatures(model, "flat", output="logits")
    np.testing.assert_allclose(found.probabilities(IMAGES), expected, atol=1e-6)
    ready = keras.Sequential([model, keras.layers.Softmax()])
    np.testing.assert_allclose(KerasFeatures(ready, output="probabilities").probabilities(IMAGES), expected, atol=1e-6)
    assert found.has_probabilities and found.classes == 7
    assert not KerasFeatures(model).has_probabilities
    with pytest.raises(ValueError, match="no classes"):
        KerasFeatures(model).probabilities(IMAGES)


def test_a_subclassed_model_is_an_extractor_once_built():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.pool, self.dense = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)

        def call(self, x):
            return self.dense(self.pool(x))

    own = Own()
    with pytest.raises(ValueError, match="must be built"):
        KerasFeatures(own)
    expected = own(IMAGES)
    np.testing.assert_allclose(KerasFeatures(own).features(IMAGES), expected, atol=1e-6)


def test_how_images_are_batched_changes_no_bit(model):
    extractor = KerasFeatures(model, "flat", batch_size=4)
    expected = extractor.features(IMAGES)
    stored = tf.data.Dataset.from_tensor_slices(IMAGES)
    labelled = stored.map(lambda x: (x, 0))
    for data in (
        tf.constant(IMAGES),
        stored.batch(3),
        stored.batch(11),
        labelled.batch(2),
        stored.map(lambda x: {"image": x, "label": 0}).batch(5),
    ):
        np.testing.assert_array_equal(extractor.features(data), expected)


def test_the_batch_size_inside_changes_rounding_only(model):
    expected = KerasFeatures(model, "flat", batch_size=64).features(IMAGES)
    for batch_size in (1, 4, 11):
        found = KerasFeatures(model, "flat", batch_size=batch_size).features(IMAGES)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_bytes_are_scaled(model):
    pixels = (255 * IMAGES).astype(np.uint8)
    found = KerasFeatures(model).features(pixels)
    np.testing.assert_allclose(found, KerasFeatures(model).features((pixels / 255).astype(np.float32)), atol=1e-6)


def test_grayscale_is_replicated_and_said_so(model):
    with pytest.warns(UserWarning, match="replicated 3 times"):
        found = KerasFeatures(model).features(IMAGES[..., :1])
    np.testing.assert_array_equal(found, KerasFeatures(model).features(IMAGES[..., :1].repeat(3, axis=-1)))


def test_features_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    half = KerasFeatures(_model(), output="logits")
    assert half.features(IMAGES).dtype == half.probabilities(IMAGES).dtype == np.float32


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], "shape"),
        (np.float32(0.5), "shape"),
        (IMAGES[:0], "at least 1"),
        (2 * IMAGES, r"\[0, 1\]"),
        (IMAGES - 1, r"\[0, 1\]"),
        (np.where(IMAGES > 0.99, np.nan, IMAGES), "finite"),
        (np.ones((2, 6, 5, 3), int), "dtype int64"),
        (IMAGES[..., :2], "3 channels"),
        (IMAGES[:, :4], r"\(None, 4, 5, 3\)"),
        (tf.data.Dataset.from_tensor_slices(IMAGES[:0]).batch(2), "empty"),
        (tf.data.Dataset.from_tensor_slices({"x": IMAGES}).batch(2), "image"),
        (tf.data.Dataset.from_tensor_slices(IMAGES), "shape"),
        (tf.data.Dataset.from_tensor_slices(IMAGES).batch(2).repeat(), "`images` must end. Received: an infinite"),
        ((IMAGES, np.zeros(len(IMAGES))), "`images` must be an array of real numbers"),
        ([IMAGES[0], IMAGES[0, :4]], "`images` must be an array of real numbers"),
    ],
)
def test_what_is_no_image_of_its_is_refused(model, images, message):
    with pytest.raises(ValueError, match=message):
        KerasFeatures(model).features(images)


def test_images_of_another_size_are_refused_in_one_line_before_the_network_is_traced(model):
    with pytest.raises(ValueError, match=r"^[^\n]*\(None, 6, 5, 3\). Received: \(None, 4, 5, 3\)$"):
        KerasFeatures(model).features(IMAGES[:, :4])


def test_colours_are_refused_where_one_channel_is_wanted():
    with pytest.raises(ValueError, match="must have 1 channel. Received: 3 channels"):
        KerasFeatures(_model(shape=(6, 5, 1))).features(IMAGES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "lsat"}, "flat"),
        ({"layer": "conv"}, "conv"),
        ({"output": "classes"}, "logits"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_wrong_arguments_are_named(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        KerasFeatures(model, **arguments)


def test_feature_maps_and_other_models_are_refused(model):
    with pytest.raises(ValueError, match="pooling"):
        KerasFeatures(model, model.layers[0].name)
    vector = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="height"):
        KerasFeatures(vector)
    with pytest.raises(ValueError, match="Keras model"):
        KerasFeatures("model")


# What it is.


def test_the_checksum_is_of_weights_layers_and_the_layer_taken():
    same = KerasFeatures(_model(), "flat").checksum
    assert len(same) == 64 and same == KerasFeatures(_model(), "flat").checksum
    others = [
        KerasFeatures(_model(seed=1), "flat"),
        KerasFeatures(_model(activation="tanh"), "flat"),
        KerasFeatures(_model(), "last"),
        KerasFeatures(_model(), "flat", output="logits"),
    ]
    assert len({same, *(other.checksum for other in others)}) == 5
    (trained := _model()).compile("adam", "mse")
    assert KerasFeatures(trained, "flat").checksum == same
    changed = _model()
    changed.weights[-1].assign_add(np.eye(7, dtype=np.float32)[3] * 1e-6)
    assert KerasFeatures(changed, "flat").checksum != same


def test_weights_that_change_change_features_checksum_and_what_a_cache_finds_together(tmp_path):
    model, cache = _model(), features.FeatureCache(tmp_path)
    extractor = KerasFeatures(model, "flat")
    before, stored = extractor.checksum, cache.features(extractor, IMAGES)
    statistics = cache.statistics(extractor, IMAGES)
    other = _model(seed=1)
    model.set_weights(other.get_weights())
    fresh = KerasFeatures(other, "flat")
    assert extractor.checksum == KerasFeatures(model, "flat").checksum != before
    assert np.abs(extractor.features(IMAGES) - stored).max() > 0.01
    np.testing.assert_allclose(cache.features(extractor, IMAGES), fresh.features(IMAGES), atol=1e-6)
    assert np.abs(cache.statistics(extractor, IMAGES).mean - statistics.mean).max() > 0.001


def test_a_stored_model_has_the_same_checksum(tmp_path):
    model = _model()
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert KerasFeatures(loaded, "flat").checksum == KerasFeatures(model, "flat").checksum


def test_scores_carry_the_extractors_name(model):
    assert KerasFeatures(model, "flat", name="mine").metric_name("frechet_distance") == "frechet_distance[mine:flat]"


def test_get_takes_extractors_models_and_nothing_else(model):
    extractor = KerasFeatures(model)
    assert features.get(extractor) is extractor
    assert features.get(model).checksum == extractor.checksum
    for wrong in ("inceptoin", 3, None, "weights.h5"):
        with pytest.raises(ValueError, match='"inception".* or the path'):
            features.get(wrong)
    with pytest.raises(ValueError, match="no stored classifier"):
        features.get("nowhere.keras")


def test_tensor_float_32_is_off_within_and_as_it_was_after():
    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    for before in (True, False):
        tf.config.experimental.enable_tensor_float_32_execution(before)
        with pytest.raises(KeyError), full_precision():
            assert not enabled()
            raise KeyError
        assert enabled() is before
    tf.config.experimental.enable_tensor_float_32_execution(True)


def test_an_extractor_runs_with_tensor_float_32_off(model):
    seen = []

    class Watched(KerasFeatures):
        def call(self, images):
            enabled = tf.config.experimental.tensor_float_32_execution_enabled
            seen.append(tf.py_function(lambda: enabled(), [], tf.bool))
            features, _ = super().call(images)
            return features + tf.where(seen[-1], np.inf, 0.0), None

    assert np.isfinite(Watched(model).features(IMAGES)).all()


def test_an_extractor_is_not_compiled_by_xla():
    model = _model()
    model.compile(loss="mse", jit_compile=True)
    extractor = KerasFeatures(model)
    assert not extractor._function((6, 5, 3)).function_def.attr["_XlaMustCompile"].b


# Scores.


def test_an_extractor_says_in_which_floating_type_its_network_computes():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    half = keras.Sequential([model, keras.layers.Dense(2, dtype="mixed_float16")])
    assert [features.get(one).dtype for one in ("data", model, half)] == ["float32", "float32", "float16, float32"]


def test_the_floating_type_is_that_of_layers_of_inner_networks_which_lead_to_what_is_taken():
    layers = [keras.layers.Flatten(), keras.layers.Dense(2, dtype="mixed_float16")]
    inner = keras.Sequential([keras.Input((4, 4, 1)), *layers], name="inner")
    model = keras.Sequential([inner, keras.layers.BatchNormalization(center=False, scale=False, name="float")])
    found = [KerasFeatures(model, "inner"), KerasFeatures(model, "inner", output="logits"), KerasFeatures(model)]
    assert [one.dtype for one in found] == ["float16", "float16, float32", "float16, float32"]
    image = np.zeros((2, 4, 4, 1), np.float32)
    assert [one.features(image).shape for one in found] == [(2, 2)] * 3


def test_a_score_prints_all_it_depends_on():
    score = Score("fid", 12.3456789, 0.25, "inception-2015-12-05", "0123456789abcdef" * 4, "clean", 50_000, 10_000, 7)
    text = str(dataclasses.replace(score, dtype="float16, float32"))
    for part in (
        "; float16, float32;",
        "fid 12.3457 ± 0.25",
        "inception-2015-12-05",
        "0123456789ab",
        "clean",
        "50000",
        "10000",
        "seed 7",
    ):
        assert part in text
    for name, version in library_versions().items():
        assert f"{name} {version}" in text
    assert set(score.versions) >= {"keras_ijae", "tensorflow", "numpy"}


def test_a_score_without_an_extractor_says_nothing_of_one():
    assert "extractor" not in str(Score("psnr", 20.0, n_real=5)) and "n_real 5" in str(Score("psnr", 20.0, n_real=5))


def test_a_score_is_json_and_frozen():
    score = Score("fid", 1.5, extractor="x", weights="00", n_real=3)
    assert Score(**json.loads(json.dumps(score.to_dict()))) == score
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.value = 2.0
