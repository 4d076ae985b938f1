"""Are they digits, of all ten kinds, and new ones? Scores of samples against labelled training images."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from keras_ijae.arrays import finite, flat
from keras_ijae.metrics import nearest_neighbours

SURE = 0.8
"""A sample counts as a digit if its most probable class has at least this probability."""
WORDS: dict[str, tuple[str, str, str]] = {
    "judge_accuracy": ("judge: right on held-out digits", "{:.1%}", ">= 97 %"),
    "sure_share": ("judge: at least 0.8 sure of samples", "{:.1%}", ">= 80 %"),
    "sure_share_test": ("judge: at least 0.8 sure of held-out digits", "{:.1%}", ""),
    "smallest_class_share": ("rarest digit among samples", "{:.1%}", ">= 3 %"),
    "nearest_train_samples": ("to the nearest training image, samples", "{:.2f}", "not far below"),
    "nearest_train_test": ("to the nearest training image, held-out", "{:.2f}", ""),
    "copies_share": ("samples nearer than 99 % of held-out are", "{:.1%}", "few"),
    "squared_error": ("squared error of held-out reconstructions", "{:.2f}", ""),
}
"""Measure -> what it is, how it is written, what is aimed at."""


class DigitJudge:
    """A classifier of small images that is unsure of what it has not seen.

    One calibrated support vector machine (radial basis functions) for each pair of classes, coupled to
    probabilities by least squares. On scikit-learn's digits it is right on 99 % of held-out images and at
    least 0.8 sure of 91 %, and of no image of uniform noise. One-against-rest calibration, which
    scikit-learn offers, is that sure of four in five images of noise.

    Args:
        images: (n, ...) in [0, 1], or uint8, which counts as value / 255; flattened.
        labels: (n,) integers, at least two kinds, each at least five times.

    Raises:
        ValueError: images or labels that are none of these.

    Example:
        judge = DigitJudge(train_images, train_labels)
        judge.accuracy(test_images, test_labels)

    References:
        Wu, Lin, Weng: Probability estimates for multi-class classification by pairwise coupling (2004), eq. 14.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        images = _flat(images)
        labels = _one_each(labels, len(images))
        self.classes = np.unique(labels)
        counts = [int(np.sum(labels == label)) for label in self.classes]
        if len(counts) < 2 or min(counts) < 5:
            raise ValueError(
                "Argument `labels` must have at least two classes and five images of each. "
                f"Received: classes={self.classes.tolist()}, images={counts}"
            )
        self._pairs = [
            (i, j, _separate(images, labels, self.classes[i], self.classes[j]))
            for i, j in combinations(range(len(counts)), 2)
        ]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """(n, classes): the probability of each class for each image."""
        images = _flat(images)
        pairwise = np.zeros((len(images), len(self.classes), len(self.classes)))
        for i, j, machine in self._pairs:
            pairwise[:, j, i] = machine.predict_proba(images)[:, 1]
            pairwise[:, i, j] = 1 - pairwise[:, j, i]
        return _couple(pairwise)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Share of the images whose most probable class is the label; ValueError unless there is one for each."""
        labels = _one_each(labels, len(images))
        guesses = self.classes[self.probabilities(images).argmax(axis=1)]
        return float(np.mean(guesses == labels))


def nearest_distances(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,): Euclidean distance of each of `images` to the nearest of `others`, over all pixels and channels."""
    return nearest_neighbours(images, others).distances[:, 0]


def measure_digits(
    samples: np.ndarray,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> dict[str, float | list[float]]:
    """Compares samples with labelled images.

    Args:
        samples: (n, height, width, channels) in [0, 1].
        train: images like the samples', and their labels; the judge and the search for copies use these.
        test: held-out images and labels, whose scores are the reference for those of the samples.

    Returns:
        `judge_accuracy`: on the test images. `sure_share`: of the samples with a class of probability 0.8 or
        more; `sure_share_test`: the same of the test images. `class_shares`: of the samples, by most probable
        class; `smallest_class_share`. `nearest_train_samples`, `nearest_train_test`: median distance to the
        nearest training image. `copies_share`: of the samples that are nearer to a training image than the
        nearest 1 % of the test images are.
    """
    judge = DigitJudge(*train)
    probabilities = judge.probabilities(samples)
    shares = np.bincount(probabilities.argmax(axis=1), minlength=len(judge.classes)) / len(samples)
    near, near_test = nearest_distances(samples, train[0]), nearest_distances(test[0], train[0])
    return {
        "judge_accuracy": judge.accuracy(*test),
        "sure_share": float(np.mean(probabilities.max(axis=1) >= SURE)),
        "sure_share_test": float(np.mean(judge.probabilities(test[0]).max(axis=1) >= SURE)),
        "class_shares": [float(share) for share in shares],
        "smallest_class_share": float(shares.min()),
        "nearest_train_samples": float(np.median(near)),
        "nearest_train_test": float(np.median(near_test)),
        "copies_share": float(np.mean(near < np.quantile(near_test, 0.01))),
    }


def in_words(measured: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What is measured -> its value as it is written, and what is aimed at ("": nothing); of those of `WORDS`."""
    return {
        what: (form.format(float(measured[key])), aim) for key, (what, form, aim) in WORDS.items() if key in measured
    }


def shares_in_words(measured: Mapping[str, Any]) -> str:
    """The shares of the classes among the samples, as `measure_digits` gives them, in one line."""
    return f"samples of 0 to 9, in %: {' '.join(f'{100 * float(share):.0f}' for share in measured['class_shares'])}"


def _flat(images: np.ndarray) -> np.ndarray:
    return finite("images", flat("images", images)).astype(np.float64)


def _one_each(labels: np.ndarray, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise ValueError(
            f"Argument `labels` must have shape ({count},), one for each image. Received: shape {labels.shape}"
        )
    return labels


def _separate(images, labels, first, second):
    """A calibrated machine that tells `second` (its class 1) from `first`."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    of_pair = (labels == first) | (labels == second)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    machine = CalibratedClassifierCV(SVC(C=10.0, gamma=3.2 / images.shape[1]), cv=folds, ensemble=False)
    return machine.fit(images[of_pair], (labels == second)[of_pair])


def _couple(pairwise: np.ndarray) -> np.ndarray:
    """Class probabilities p that minimise the sum of (r_ji p_i - r_ij p_j)^2, r_ij = `pairwise[:, i, j]`."""
    count, classes = pairwise.shape[:2]
    system = -pairwise * pairwise.swapaxes(1, 2)
    diagonal = np.arange(classes)
    system[:, diagonal, diagonal] = np.sum(pairwise**2, axis=1)
    bordered = np.ones((count, classes + 1, classes + 1))
    bordered[:, :classes, :classes] = system
    bordered[:, classes, classes] = 0
    target = np.zeros((count, classes + 1, 1))
    target[:, classes] = 1
    return np.clip(np.linalg.solve(bordered, target)[:, :classes, 0], 0, 1)
