"""The sets made here: drawn from the distribution they name, the same on every machine, labels kept."""

import os
import pathlib

import numpy as np
import pytest

from keras_ijae import datasets
from keras_ijae.datasets.from_manifold import embed

SHARED = pathlib.Path(__file__).parents[2] / "shared"


def whole(name, split="train", labels=False, **arguments):
    """A split in stored order: x, or (x, y)."""
    size = datasets.info(name).splits[split]
    dataset = datasets.load(name, split, size, shuffle=False, labels=labels, **arguments)
    return next(dataset.as_numpy_iterator())


@pytest.fixture(scope="module")
def mnist():
    """Points the environment at MNIST prepared by tensorflow-datasets."""
    before = os.environ.get("TFDS_DATA_DIR")
    place = before or str(SHARED / "tfds")
    if not (pathlib.Path(place) / "mnist").is_dir():
        pytest.skip("needs MNIST prepared by tensorflow-datasets: set TFDS_DATA_DIR")
    os.environ["TFDS_DATA_DIR"] = place
    yield
    del os.environ["TFDS_DATA_DIR"]
    if before is not None:
        os.environ["TFDS_DATA_DIR"] = before


def test_gmm5_has_variance_004_about_its_five_means_and_squared_error_324_about_the_origin():
    assert datasets.info("gmm5").classes == 5 and datasets.info("manifold:3").classes is None
    assert datasets.info("gmm5").splits == {"train": 2048, "test": 1024}
    x, y = whole("gmm5", labels=True)
    means = np.array([[0, 0], [-2, -2], [-2, 2], [2, -2], [2, 2]])
    assert np.bincount(y, minlength=5).min() > 2048 / 5 * 0.85
    for component in range(5):
        part = x[y == component]
        np.testing.assert_allclose(part.mean(axis=0), means[component], atol=0.04)
        np.testing.assert_allclose(np.cov(part.T), 0.04 * np.eye(2), atol=0.008)
    assert np.mean(x**2) == pytest.approx(3.24, abs=0.1)


def test_grid25_has_25_even_narrow_components_labelled_row_by_row():
    x, y = whole("grid25", labels=True)
    means = np.stack(np.meshgrid([-4, -2, 0, 2, 4], [-4, -2, 0, 2, 4], indexing="ij"), -1).reshape(-1, 2)
    assert np.bincount(y, minlength=25).min() > 320
    np.testing.assert_allclose(x - means[y], 0, atol=0.05 * 5)
    assert np.std(x - means[y]) == pytest.approx(0.05, rel=0.02)


def test_training_and_test_splits_are_different_draws_and_always_the_same():
    train, test = whole("gmm5"), whole("gmm5", "test")
    assert not np.isin(train, test).any()
    np.testing.assert_array_equal(test, whole("gmm5", "test"))
    np.testing.assert_array_equal(
        next(iter(datasets.load("gmm5", "train[100:110]", 10, shuffle=False))), train[100:110]
    )


@pytest.mark.parametrize("dimensions", [8, 16])
def test_the_manifold_has_the_dimension_it_names_everywhere(dimensions):
    """Singular values of the map's Jacobian, by differences, are in [0.2, 1]: none is lost, none is added."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        z = rng.normal(size=(1, dimensions))
        step = 1e-6 * np.eye(dimensions)
        jacobian = (embed(z + step) - embed(z - step)) / 2e-6
        values = np.linalg.svd(jacobian, compute_uv=False)
        assert 0.2 - 1e-6 < values.min() and values.max() < 1 + 1e-6


def test_manifold_data_are_images_of_standard_normal_codes():
    """Inverted layer by layer: the codes are N(0, I)."""
    from keras_ijae.datasets.from_manifold import _weights

    x = whole("manifold:8", "test").astype("float64")
    first, second = _weights(8)
    h = x @ second
    residual = np.where(h > 0, h, h / 0.2)
    codes = residual @ first
    np.testing.assert_allclose(residual, codes @ first.T, atol=1e-5)
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(8), atol=0.06)


@pytest.mark.parametrize("name", ["manifold:0", "manifold:129", "manifold:x", "manifold:-1", "manifold"])
def test_a_manifold_needs_a_dimension_that_fits(name):
    with pytest.raises(ValueError, match=r"manifold:N.*Received: name="):
        datasets.load(name)


@pytest.fixture(scope="module")
def colored(mnist):
    """The test split of color_mnist: x, y."""
    return whole("color_mnist", "test", labels=True)


@pytest.mark.slow
def test_colored_digits_are_mnist_in_twelve_even_colours_with_both_labels(colored):
    x, y = colored
    grey, digit = whole("mnist", "test", labels=True)
    np.testing.assert_array_equal(y["digit"], digit)
    np.testing.assert_allclose(x.max(axis=-1), grey[..., 0], atol=1e-6)  # full value
    assert np.bincount(y["color"], minlength=12).min() > 10_000 / 12 * 0.85
    brightest = x.reshape(len(x), -1, 3)[np.arange(len(x)), x.max(axis=-1).reshape(len(x), -1).argmax(axis=1)]
    hues = [
        np.round(brightest[y["color"] == c] / brightest[y["color"] == c].max(axis=1, keepdims=True), 1)
        for c in range(12)
    ]
    assert all(len(np.unique(found, axis=0)) == 1 for found in hues)
    assert len({tuple(found[0]) for found in hues}) == 12


@pytest.mark.slow
def test_the_colour_of_a_digit_does_not_depend_on_the_slice_that_is_read(colored):
    dataset = datasets.load("color_mnist", "test[500:510]", 10, labels=True, attributes=["color"])
    x, y = next(dataset.as_numpy_iterator())
    np.testing.assert_array_equal(x, colored[0][500:510])
    np.testing.assert_array_equal(y["color"], colored[1]["color"][500:510])


def test_dynamic_binarization_draws_training_images_anew_in_each_pass_with_their_grey_values_as_chances(mnist):
    train = datasets.load("binarized_mnist:dynamic", "train[:200]", 200, labels=True)
    passes = list(train.repeat(40).as_numpy_iterator())
    by_label = [x[np.argsort(y, kind="stable")] for x, y in passes]
    assert set(np.unique(by_label[0])) == {0.0, 1.0}
    grey, digits = next(datasets.load("mnist", "train[:200]", 200, labels=True, shuffle=False).as_numpy_iterator())
    for digit in range(10):
        expected = grey[digits == digit].mean(axis=0)
        found = np.mean([x[y == digit].mean(axis=0) for x, y in passes], axis=0)
        np.testing.assert_allclose(found, expected, atol=0.12)
    again = datasets.load("binarized_mnist:dynamic", "train[:200]", 200, labels=True)
    np.testing.assert_array_equal(next(again.as_numpy_iterator())[0], passes[0][0])
    assert np.any(passes[0][0].sum(axis=(1, 2, 3)).sum() != passes[1][0].sum())


@pytest.mark.slow
def test_dynamic_binarization_leaves_test_and_unshuffled_images_as_they_are_in_every_pass(mnist):
    for split in ("test[:50]", "train[-50:]"):
        dataset = datasets.load("binarized_mnist:dynamic", split, 50, shuffle=False)
        first, second = (next(dataset.as_numpy_iterator()) for _ in range(2))
        np.testing.assert_array_equal(first, second)
    shuffled = datasets.load("binarized_mnist:dynamic", "test[:50]", 50, shuffle=True)
    sums = [sorted(next(shuffled.as_numpy_iterator()).sum(axis=(1, 2, 3))) for _ in range(2)]
    assert sums[0] == sums[1]


def test_binarized_files_are_read_packed_and_unpacked(tmp_path):
    images = (np.random.default_rng(0).uniform(size=(6, 28, 28)) < 0.3).astype(np.uint8)
    np.savez(tmp_path / "packed.npz", train=np.packbits(images, axis=-1), test=np.packbits(images[:2], axis=-1))
    np.savez(tmp_path / "whole.npz", train=255 * images, test=images[:2])
    for name in ("packed", "whole"):
        name = f"binarized_mnist:{tmp_path}/{name}.npz"
        assert datasets.info(name).splits == {"train": 6, "test": 2}
        np.testing.assert_array_equal(whole(name), images[..., None])


def test_greys_are_refused_where_zeros_and_ones_are_asked_for(tmp_path):
    np.savez(tmp_path / "grey.npz", x_train=np.arange(784, dtype=np.uint8).reshape(1, 28, 28))
    with pytest.raises(ValueError, match=r"must hold zeros and ones. Received: greys in 'train'; 'dynamic'"):
        datasets.load(f"binarized_mnist:{tmp_path}/grey.npz")


def test_files_of_another_size_are_refused(tmp_path):
    np.savez(tmp_path / "wrong.npz", train=np.zeros((3, 20, 20), np.uint8))
    with pytest.raises(ValueError, match=r"28x28, or 28x4 packed bytes. Received: \(20, 20\)"):
        datasets.load(f"binarized_mnist:{tmp_path}/wrong.npz")


def test_the_published_static_binarization_is_read_where_its_file_is():
    path = SHARED / "data" / "binarized_mnist_packed.npz"
    if not path.is_file():
        pytest.skip("needs the static binarization")
    assert datasets.info(f"binarized_mnist:{path}").splits == {"train": 50_000, "validation": 10_000, "test": 10_000}
    test = whole(f"binarized_mnist:{path}", "test")
    assert test.shape == (10_000, 28, 28, 1) and set(np.unique(test)) == {0.0, 1.0}
    assert 0.1 < test.mean() < 0.17
