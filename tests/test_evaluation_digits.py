"""The judge of digits: right on held-out ones in either type, and what it refuses."""

import numpy as np
import pytest

import keras_ijae as ki
from keras_ijae.evaluation import DigitJudge
from keras_ijae.evaluation.digits import measure_digits


def digits(split, rows):
    return next(ki.datasets.load("digits", split, rows, labels=True, shuffle=False).as_numpy_iterator())


TRAIN, TEST = digits("train", 300), digits("test", 100)


@pytest.fixture(scope="module")
def judge():
    return DigitJudge(*TRAIN)


def as_bytes(images):
    return np.round(255 * images).astype(np.uint8)


def test_bytes_are_judged_as_the_images_that_they_are(judge):
    accuracy = judge.accuracy(*TEST)
    assert accuracy > 0.85
    np.testing.assert_allclose(judge.probabilities(as_bytes(TEST[0])), judge.probabilities(TEST[0]), atol=0.05)
    of_bytes = DigitJudge(as_bytes(TRAIN[0]), TRAIN[1])
    assert of_bytes.accuracy(*TEST) == pytest.approx(accuracy, abs=0.03)


SHAPE = r"`labels` must have shape \((100|300),\), one for each image. Received: shape"


@pytest.mark.parametrize("change", [lambda y: y[:, None], lambda y: y[:-1], lambda y: np.eye(10)[y], lambda y: y[0]])
def test_labels_that_are_not_one_for_each_image_are_refused(judge, change):
    with pytest.raises(ValueError, match=SHAPE):
        judge.accuracy(TEST[0], change(TEST[1]))
    with pytest.raises(ValueError, match=SHAPE):
        DigitJudge(TRAIN[0], change(TRAIN[1]))


def test_labels_of_test_images_are_checked_in_all_measures_too():
    with pytest.raises(ValueError, match=SHAPE):
        measure_digits(TEST[0], TRAIN, (TEST[0], TEST[1][:, None]))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (255 * TEST[0], r"must be in \[0, 1\], or uint8"),
        (TEST[0] * 1j, "must be an array of real numbers"),
        (TEST[0] * np.nan, "must be finite"),
        (as_bytes(TEST[0]).astype(np.int32), "must be floating in .0, 1., or uint8"),
    ],
)
def test_what_is_no_image_is_refused(judge, images, message):
    with pytest.raises(ValueError, match=f"`images` {message}"):
        judge.probabilities(images)
    with pytest.raises(ValueError, match=f"`images` {message}"):
        DigitJudge(images, TEST[1])
