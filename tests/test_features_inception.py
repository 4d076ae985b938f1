"""Inception of 2015 against torch-fidelity's with the same random weights; its resizing, its files, its names."""

import dataclasses
import hashlib
import json
import pathlib
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from random_weights import random_images, random_state
from torch_files import write_torch

from keras_ijae.metrics.features import Inception, inception
from keras_ijae.metrics.features.download import Source
from keras_ijae.metrics.features.inception_network import convolution_names
from keras_ijae.metrics.features.resize import resize_images

pytestmark = pytest.mark.slow

PARTS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


@pytest.fixture(scope="module")
def reference():
    with np.load(pathlib.Path(__file__).parent / "data" / "inception.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def state(reference):
    """Random weights by the names and shapes of the PyTorch port."""
    return random_state(json.loads(str(reference["shapes"])))


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "port.pth"
    write_torch(path, state)
    return path


@pytest.fixture(scope="module")
def extractor(path):
    """Built under mixed precision, which must not reach it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    extractor = Inception(path, batch_size=2)
    keras.config.set_dtype_policy(before)
    return extractor


@pytest.mark.parametrize(
    ("name", "height", "width"), [("small", 32, 32), pytest.param("large", 310, 400, marks=pytest.mark.slow)]
)
def test_features_and_classes_are_torch_fidelitys(extractor, reference, name, height, width):
    ((features, probabilities),) = extractor.stream(random_images(2, height, width))
    np.testing.assert_allclose(features, reference[f"{name}_features"], atol=2e-5, rtol=0)
    logits = reference[f"{name}_logits"].astype(np.float64)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.log(probabilities), logits, atol=2e-5, rtol=0)
    assert features.shape == (2, extractor.dim) and probabilities.shape == (2, extractor.classes) == (2, 1008)


@pytest.mark.slow
def test_features_do_not_depend_on_batches(extractor, monkeypatch):
    images = random_images(5, 24, 24)
    expected = extractor.features(images)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(3)
    np.testing.assert_array_equal(extractor.features(batches), expected)
    monkeypatch.setattr(extractor, "batch_size", 5)
    np.testing.assert_allclose(extractor.features(images), expected, atol=1e-5)


def test_floats_and_bytes_are_one_image(extractor):
    images = random_images(1, 24, 24)
    expected = extractor.features(images)
    np.testing.assert_array_equal(extractor.features((images / 255).astype(np.float32)), expected)
    np.testing.assert_array_equal(extractor.features(np.clip(images / 255 + 0.4 / 255, 0, 1)), expected)


def test_grayscale_is_replicated_and_said_so(extractor):
    gray = random_images(1, 24, 24)[..., :1]
    with pytest.warns(UserWarning, match="replicated 3 times"):
        features = extractor.features(gray)
    np.testing.assert_array_equal(features, extractor.features(gray.repeat(3, axis=-1)))


@pytest.mark.slow
def test_the_frozen_graph_gives_the_same_weights(extractor, state, tmp_path):
    graph = tf.compat.v1.GraphDef()

    def add(name, value):
        graph.node.add(name=name, op="Const").attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

    for name, other in convolution_names():
        add(f"{other}/conv2d_params", state[f"{name}.conv.weight"].transpose(2, 3, 1, 0))
        for part, there in PARTS.items():
            add(f"{other}/batchnorm/{there}", state[f"{name}.bn.{part}"])
    add("softmax/weights", state["fc.weight"].T)
    graph.node.add(name="ExpandDims", op="ExpandDims")
    member, archive = tmp_path / "classify_image_graph_def.pb", tmp_path / "inception-2015-12-05.tgz"
    member.write_bytes(graph.SerializeToString())
    with tarfile.open(archive, "w") as file:
        file.add(member, member.name)
    expected = extractor.network.get_weights()
    for path in (member, archive):
        extractor.network.set_weights([np.zeros_like(weight) for weight in expected])
        inception.assign_weights(extractor.network, path)
        for weight, right in zip(extractor.network.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(weight, right)


@pytest.mark.parametrize(
    ("port", "graph"),
    [
        ("Conv2d_4a_3x3", "conv_4"),
        ("Mixed_5b.branch3x3dbl_2", "mixed/tower_1/conv_1"),
        ("Mixed_6a.branch3x3", "mixed_3/conv"),
        ("Mixed_6e.branch7x7dbl_5", "mixed_7/tower_1/conv_4"),
        ("Mixed_7a.branch7x7x3_4", "mixed_8/tower_1/conv_3"),
        ("Mixed_7b.branch_pool", "mixed_9/tower_2/conv"),
        ("Mixed_7c.branch3x3_2b", "mixed_10/tower/mixed/conv_1"),
    ],
)
def test_names_in_the_graph_are_those_of_the_published_conversion(port, graph):
    assert dict(convolution_names())[port] == graph


# Names and files.


def test_only_the_published_weights_give_a_fid(extractor, path, monkeypatch):
    assert extractor.metric_name("frechet_distance") == f"frechet_distance[inception-{extractor.checksum[:8]}]"
    prefix = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(inception, "PUBLISHED", Source("", prefix))
    monkeypatch.setattr(inception, "build_inception", lambda: extractor.network)
    published = Inception(path)
    assert published.name == "inception-2015-12-05" and published.checksum == extractor.checksum
    names = [published.metric_name(name) for name in ("frechet_distance", "kernel_distance", "inception_score")]
    assert names == ["fid", "kid", "is"]
    assert published.metric_name("precision") == "precision[inception-2015-12-05]"


def test_without_a_network_all_ways_out_are_said(extractor, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_IJAE_HOME", str(tmp_path))
    monkeypatch.setattr(inception, "build_inception", lambda: extractor.network)
    source = dataclasses.replace(inception.PUBLISHED, url="http://127.0.0.1:9/none.pth", sha256="0" * 8)
    monkeypatch.setattr(inception, "PUBLISHED", source)
    with pytest.raises(OSError, match=r"--features FILE.pth.*train-classifier.*--features FILE.keras.*--features data"):
        Inception()


def test_weights_that_are_not_its_own_are_refused(extractor, path, state, tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "build_inception", lambda: extractor.network)
    other, short, wrong = (tmp_path / f"{name}.pth" for name in ("other", "short", "wrong"))
    write_torch(other, {"weight": np.zeros(3)})
    short.write_bytes(path.read_bytes()[:-100_000])
    write_torch(wrong, state | {"fc.weight": np.zeros((1000, 2048))})
    graph = tmp_path / "graph.pb"
    graph.write_bytes(b"not a graph")
    for weights, message in (
        (other, "lacks 'fc.weight'"),
        (short, "not a readable PyTorch"),
        (wrong, "1000"),
        (graph, "not a readable graph"),
        ("weights.h5", ".pth, .pb or .tgz"),
    ):
        with pytest.raises(ValueError, match=message):
            Inception(weights)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Inception(tmp_path / "nowhere.pth")
    inception.assign_weights(extractor.network, path)


# Resizing.


def _bilinear(image, size, centre):
    """Each output pixel from its two neighbours along each axis, its place moved by `centre`, no antialiasing."""
    for axis, new in enumerate(size):
        old = image.shape[axis]
        places = np.clip((np.arange(new) + centre) * old / new - centre, 0, old - 1)
        low = places.astype(int)
        part = (places - low).reshape([-1 if a == axis else 1 for a in range(3)])
        high = np.minimum(low + 1, old - 1)
        image = (1 - part) * image.take(low, axis) + part * image.take(high, axis)
    return image


@pytest.mark.parametrize(("convention", "centre"), [("legacy_tensorflow", 0.0), ("legacy_pytorch", 0.5)])
@pytest.mark.parametrize("side", [9, 40])
def test_legacy_conventions_are_bilinear_between_two_neighbours(convention, centre, side):
    image = random_images(1, side, side + 3)[0].astype(np.float64)
    result = resize_images(tf.constant(image[None], tf.float32), (16, 17), convention)[0]
    np.testing.assert_allclose(result, _bilinear(image, (16, 17), centre), atol=1e-3)


@pytest.mark.parametrize("side", [9, 40])
def test_clean_is_pillows_bicubic_on_floats(side):
    image_module = pytest.importorskip("PIL.Image")
    image = random_images(1, side, side + 3)[0].astype(np.float32)
    channels = [
        image_module.fromarray(channel).resize((17, 16), image_module.BICUBIC) for channel in image.transpose(2, 0, 1)
    ]
    expected = np.stack([np.asarray(channel) for channel in channels], -1).clip(0, 255)
    result = resize_images(tf.constant(image[None]), (16, 17), "clean")[0]
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_an_unknown_convention_is_refused_before_the_network_is_built():
    with pytest.raises(ValueError, match="legacy_tensorflow"):
        Inception(resize="bilinear")
