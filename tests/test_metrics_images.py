"""Errors and similarities of images, against TensorFlow's where it has them and slow loops where not."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import metrics
from keras_ijae.metrics.similarity import SCALE_WEIGHTS


def _pair(side, n=3, channels=3, seed=0):
    """Smooth images and noisy ones like them."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(size=(n, 5, 5, channels)).astype(np.float32)
    smooth = np.clip(tf.image.resize(small, (side, side), "bicubic").numpy(), 0, 1)
    return smooth, np.clip(smooth + 0.1 * rng.normal(size=smooth.shape).astype(np.float32), 0, 1)


def _slow_ms_ssim(a, b):
    """One image, one channel: windows one by one."""
    factors = []
    for scale in range(5):
        taps = min(11, *a.shape)
        one_side = np.exp(-((np.arange(taps) - (taps - 1) / 2) ** 2) / (2 * 1.5**2))
        window = np.outer(one_side, one_side) / one_side.sum() ** 2
        similarity, structure = [], []
        for i in range(a.shape[0] - taps + 1):
            for j in range(a.shape[1] - taps + 1):
                p, q = a[i : i + taps, j : j + taps], b[i : i + taps, j : j + taps]
                m, k = (window * p).sum(), (window * q).sum()
                va, vb = (window * (p - m) ** 2).sum(), (window * (q - k) ** 2).sum()
                cov = (window * (p - m) * (q - k)).sum()
                structure.append((2 * cov + 0.03**2) / (va + vb + 0.03**2))
                similarity.append((2 * m * k + 0.01**2) / (m**2 + k**2 + 0.01**2) * structure[-1])
        factors.append(max(np.mean(similarity if scale == 4 else structure), 0))
        a, b = (np.pad(x, [(0, s % 2) for s in x.shape], mode="edge") for x in (a, b))
        a, b = ((x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4 for x in (a, b))
    return np.prod(np.power(factors, SCALE_WEIGHTS))


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (64, 64), (17, 40)])
def test_ms_ssim_of_small_images_equals_windows_one_by_one(shape):
    first, second = (images[:2, : shape[0], : shape[1]].astype(np.float64) for images in _pair(max(shape), channels=2))
    expected = [_slow_ms_ssim(first[i, ..., c], second[i, ..., c]) for i in range(2) for c in range(2)]
    assert metrics.ms_ssim(first, second) == pytest.approx(np.mean(expected), rel=1e-9)
    assert 0.1 < np.mean(expected) < 0.99


def test_similarities_equal_tensorflows():
    first, second = _pair(180, n=2)
    for ours, theirs in (
        (metrics.ssim, tf.image.ssim),
        (metrics.ms_ssim, tf.image.ssim_multiscale),
        (metrics.psnr, tf.image.psnr),
    ):
        assert ours(first, second) == pytest.approx(float(tf.reduce_mean(theirs(first, second, 1.0))), rel=2e-5)
    odd = _pair(189, n=1, seed=1)
    theirs = tf.image.ssim_multiscale(*odd, 1.0)
    assert metrics.ms_ssim(*odd) == pytest.approx(float(theirs[0]), rel=2e-5)


@pytest.mark.parametrize("side", [1, 8, 28, 64])
def test_equal_images_are_perfectly_similar_in_any_size(side):
    images = _pair(side)[0]
    assert metrics.ms_ssim(images, images) == pytest.approx(1, abs=1e-12)
    assert metrics.ssim(images, images) == pytest.approx(1, abs=1e-12)
    assert metrics.psnr(images, images) == np.inf and metrics.mean_squared_error(images, images) == 0


def test_noise_lowers_similarity_and_symmetry_holds():
    first, second = _pair(32)
    worse = np.clip(first + 3 * (second - first), 0, 1)
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.psnr):
        assert metric(first, second) > metric(first, worse)
        assert metric(first, second) == pytest.approx(metric(second, first), rel=1e-12)
    assert metrics.mean_squared_error(first, second) < metrics.mean_squared_error(first, worse)


def test_errors_have_their_closed_forms():
    zeros, tenth = np.zeros((2, 4, 4, 1), np.float32), np.full((2, 4, 4, 1), 0.1)
    assert metrics.mean_squared_error(zeros, tenth) == pytest.approx(0.01, rel=1e-12)
    assert metrics.psnr(zeros, tenth) == pytest.approx(20, rel=1e-12)
    tenth[1] = 0.01
    assert metrics.psnr(zeros, tenth) == pytest.approx(30, rel=1e-12)  # a mean of 20 and 40, not of the errors


def test_uint8_images_are_the_floating_ones_over_255():
    first, second = ((255 * images).astype(np.uint8) for images in _pair(20))
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.psnr, metrics.mean_squared_error):
        assert metric(first, second) == pytest.approx(metric(first / 255, second / 255), rel=1e-12)


def test_bfloat16_images_are_images():
    first, second = (tf.cast(images, tf.bfloat16) for images in _pair(20))
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.psnr, metrics.mean_squared_error):
        assert metric(first, second) == metric(tf.cast(first, tf.float32), tf.cast(second, tf.float32))


def test_diversity_is_1_less_the_mean_over_all_ordered_pairs_of_a_batch():
    images = np.concatenate(_pair(24, n=5, channels=1))
    expected = []
    for batch in (images[:4], images[4:8]):
        pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
        expected.append(1 - np.mean([metrics.ms_ssim(batch[i][None], batch[j][None]) for i, j in pairs]))
    assert metrics.ms_ssim_diversity(images, batches=2, batch_size=4) == pytest.approx(np.mean(expected), rel=1e-9)


def test_equal_images_have_no_diversity_different_ones_have_and_64_pixels_work():
    images = _pair(64, n=6)[0]
    assert metrics.ms_ssim_diversity(np.repeat(images[:1], 8, 0)) == pytest.approx(0, abs=1e-12)
    assert metrics.ms_ssim_diversity(images) > 0.2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((2, 8, 8, 1), 1.5), r"in \[0, 1\], or uint8. Received: values in \[1.5, 1.5\]"),
        (np.full((2, 8, 8, 1), 1 + 1e-7), r"Received: values in \[1.0000001, 1.0000001\]"),
        (np.full((2, 8, 8, 1), -0.5), r"in \[0, 1\]"),
        (np.full((2, 8, 8, 1), "a"), "real numbers"),
        (np.full((2, 8, 8, 1), np.nan), "finite"),
        (np.zeros((2, 8, 8, 1), np.int32), "dtype int32"),
        (np.zeros((8, 8, 1)), "shape"),
        (np.zeros((2, 8, 9, 1)), "one shape"),
    ],
)
def test_images_of_another_kind_are_refused(bad, message):
    good = np.zeros((2, 8, 8, 1))
    for metric in (metrics.ssim, metrics.ms_ssim, metrics.psnr, metrics.mean_squared_error):
        with pytest.raises(ValueError, match=message):
            metric(good, bad)
    with pytest.raises(ValueError, match="n of at least 2"):
        metrics.ms_ssim_diversity(good[:1])
