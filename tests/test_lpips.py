"""LPIPS against the lpips package with the same weights, its properties, its files."""

import importlib
import json
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from random_weights import random_images, random_state
from systems import quick
from torch_files import write_torch

from keras_ijae.metrics.features.torch_weights import read_torch_weights
from keras_ijae.metrics.perceptual import LPIPS, lpips

ROOT = pathlib.Path(__file__).parents[1]
CHANNELS = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}
SIZES = [(32, 32), (45, 50)]


@pytest.fixture(scope="module")
def reference():
    with np.load(ROOT / "tests" / "data" / "lpips.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def files(reference, tmp_path_factory):
    """net -> (heads, backbone): files of random weights."""
    directory, found = tmp_path_factory.mktemp("lpips"), {}
    for net, channels in CHANNELS.items():
        heads, backbone = directory / f"{net}-heads.pth", directory / f"{net}.pth"
        shapes = {f"lin{layer}.model.1.weight": (1, n, 1, 1) for layer, n in enumerate(channels)}
        write_torch(heads, {name: np.abs(value) for name, value in random_state(shapes).items()})
        write_torch(backbone, random_state(json.loads(str(reference[f"{net}_shapes"]))))
        found[net] = heads, backbone
    return found


NETS = quick(CHANNELS, ["squeeze", "alex"])


@pytest.fixture(scope="module", params=NETS)
def network(request, files):
    """Built under mixed precision, which must not reach it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    network = LPIPS(request.param, *files[request.param], batch_size=2)
    keras.config.set_dtype_policy(before)
    network.heads_path = files[request.param][0]
    return network


@pytest.fixture(scope="module")
def shared():
    """A directory with the authors' heads (lpips_v0.1) and a Keras SqueezeNet."""
    for place in (os.environ.get("KERAS_IJAE_TEST_WEIGHTS"), ROOT.parent / "shared" / "weights"):
        if place and (pathlib.Path(place) / "lpips_v0.1").is_dir():
            return pathlib.Path(place)
    pytest.skip("needs the heads of LPIPS and a SqueezeNet: set KERAS_IJAE_TEST_WEIGHTS")


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_distances_are_the_packages(network, reference, height, width):
    images = np.split(random_images(6, height, width), 2)
    np.testing.assert_allclose(network(*images), reference[f"{network.net}_{height}"], rtol=1e-5)


@pytest.mark.parametrize("net", NETS)
def test_distances_are_the_packages_with_the_authors_heads(net, files, reference, shared):
    network = LPIPS(net, shared / "lpips_v0.1" / f"{net}.pth", files[net][1])
    for height, width in SIZES:
        images = np.split(random_images(6, height, width), 2)
        np.testing.assert_allclose(network(*images), reference[f"{net}_{height}_heads"], rtol=1e-5)


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    """The authors' heads on a SqueezeNet trained on ImageNet (by others, who take blue first)."""
    pytest.importorskip("h5py")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT / "experiments"))
        script = importlib.import_module("squeezenet")
    path = tmp_path_factory.mktemp("real") / "squeezenet.npz"
    script.main([str(shared / "squeezenet_v1.1_notop.h5"), str(path)])
    return LPIPS("squeeze", shared / "lpips_v0.1" / "squeeze.pth", path)


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_distances_of_a_real_network_are_the_packages(real, reference, height, width):
    images = np.split(random_images(6, height, width), 2)
    np.testing.assert_allclose(real(*images), reference[f"real_{height}"], rtol=1e-5)


def test_a_real_network_finds_more_noise_farther_and_a_shift_nearer_than_another_image(real):
    first, other = np.split(random_images(6, 64, 64) / 255, 2)
    noise = np.random.default_rng(0).normal(size=first.shape)
    distances = [real(first, np.clip(first + scale * noise, 0, 1)).mean() for scale in (0.02, 0.05, 0.1, 0.2)]
    assert distances == sorted(distances) and distances[0] > 0
    assert real(first, np.roll(first, 1, axis=2)).mean() < 0.5 * real(first, other).mean()


# Properties.


def test_equal_images_are_at_distance_zero_and_the_distance_is_symmetric(network):
    first, second = np.split(random_images(6, 36, 40), 2)
    np.testing.assert_array_equal(network(first, first), 0)
    np.testing.assert_allclose(network(first, second), network(second, first), rtol=1e-6)
    assert (network(first, second) > 0).all()


def test_distances_are_the_formula_on_images_scaled_to_minus_one_to_one(network):
    first, second = np.split(random_images(2, 36, 36) / 255, 2)

    def maps(x):
        scaled = (2 * x - 1 - [-0.030, -0.088, -0.188]) / [0.458, 0.448, 0.450]
        found = (np.asarray(tap, np.float64) for tap in network.network(scaled.astype(np.float32)))
        return [tap / np.linalg.norm(tap, axis=-1, keepdims=True).clip(1e-10) for tap in found]

    squares = [((one - other) ** 2).mean((0, 1, 2)) for one, other in zip(maps(first), maps(second), strict=True)]
    heads = read_torch_weights(network.heads_path)
    total = sum(share @ head.ravel() for share, head in zip(squares, heads.values(), strict=True))
    np.testing.assert_allclose(network(first, second), total, rtol=1e-5)


def test_batches_change_nothing(network):
    first, second = np.split(random_images(10, 32, 32), 2)
    together = network(first, second)
    alone = np.concatenate([network(x[None], y[None]) for x, y in zip(first, second, strict=True)])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert together.shape == (5,) and together.dtype == np.float32


def test_floats_bytes_and_tensors_are_one_image(network):
    first, second = np.split(random_images(2, 32, 32), 2)
    floats = [tf.constant(x / 255, tf.float32) for x in (first, second)]
    np.testing.assert_allclose(network(*floats), network(first, second), rtol=1e-4)


def test_grayscale_is_replicated_and_said_so(network):
    first, second = (x[..., :1] for x in np.split(random_images(2, 32, 32), 2))
    with pytest.warns(UserWarning, match="replicated"):
        distance = network(first, second)
    np.testing.assert_array_equal(distance, network(*(x.repeat(3, axis=-1) for x in (first, second))))


def test_the_smallest_images_are_the_packages(network, reference):
    side = int(reference[f"{network.net}_smallest"])
    first, second = np.split(random_images(2, side, side), 2)
    assert np.isfinite(network(first, second)).all()
    with pytest.raises(ValueError, match=f"at least {side} pixels"):
        network(first[:, 1:], second[:, 1:])


def test_alex_refuses_mnists_size_and_takes_it_padded(files):
    network = LPIPS("alex", *files["alex"])
    with pytest.raises(ValueError, match="pad or enlarge"):
        network(np.zeros((1, 28, 28, 3)), np.ones((1, 28, 28, 3)))
    assert network(np.zeros((1, 32, 32, 3)), np.ones((1, 32, 32, 3)))[0] > 0


def test_the_function_is_the_mean(files):
    first, second = np.split(random_images(6, 32, 32), 2)
    distance = lpips(first, second, "alex", *files["alex"])
    assert isinstance(distance, float)
    assert distance == pytest.approx(LPIPS("alex", *files["alex"])(first, second).mean(), rel=1e-6)


# Files and arguments.


def test_the_checksum_covers_heads_and_backbone(files, tmp_path):
    heads, backbone = files["alex"]
    checksum = LPIPS("alex", heads, backbone).checksum
    changed = read_torch_weights(heads)
    changed["lin3.model.1.weight"][0, 5] += 1e-3
    write_torch(tmp_path / "heads.pth", changed)
    changed = read_torch_weights(backbone)
    changed["features.10.bias"][0] += 1e-3
    write_torch(tmp_path / "backbone.pth", changed)
    others = LPIPS("alex", tmp_path / "heads.pth", backbone), LPIPS("alex", heads, tmp_path / "backbone.pth")
    assert len({checksum, *(other.checksum for other in others)}) == 3
    assert LPIPS("alex", heads, backbone).checksum == checksum


def test_wrong_files_and_arguments_are_refused(files, tmp_path):
    heads, backbone = files["squeeze"]
    negative = {name: -value for name, value in read_torch_weights(heads).items()}
    write_torch(tmp_path / "negative.pth", negative)
    for arguments, message in (
        (("alexnet", heads, backbone), "`net` must be one of 'alex', 'vgg', 'squeeze'"),
        (("alex", files["alex"][0], backbone), "does not hold the weights of lpips_alex"),
        (("squeeze", files["alex"][0], backbone), "heads for"),
        (("squeeze", backbone, backbone), "heads for"),
        (("squeeze", tmp_path / "negative.pth", backbone), "not negative"),
        (("squeeze", heads, backbone, 0), "batch_size"),
    ):
        with pytest.raises(ValueError, match=message):
            LPIPS(*arguments)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        LPIPS("squeeze", heads, tmp_path / "nowhere.pth")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((2, 32, 32, 3)), np.zeros((3, 32, 32, 3)), "one shape"),
        (np.zeros((2, 32, 32, 2)), np.zeros((2, 32, 32, 2)), "3 channels"),
        (np.zeros((2, 32, 32, 3)), np.full((2, 32, 32, 3), np.nan), "finite"),
        (np.full((2, 32, 32, 3), -1.0), np.zeros((2, 32, 32, 3)), r"\[0, 1\]"),
    ],
)
def test_what_are_no_pairs_of_images_is_refused(files, first, second, message):
    with pytest.raises(ValueError, match=message):
        LPIPS("squeeze", *files["squeeze"])(first, second)
