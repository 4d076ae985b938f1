"""scikit-learn's embedded digits: 1,797 images, 8x8x1, ten classes; 1,500 for training, 297 for test."""

import functools

import numpy as np

from keras_ijae.datasets.order import permutation, spread
from keras_ijae.datasets.source import Options, Source, Table

_TEST = 297


@functools.cache
def _splits() -> dict[str, Table]:
    """The fixed stratified split; both parts in one fixed random order."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = permutation(len(labels))
    images, labels = images[order].reshape(-1, 8, 8, 1).astype(np.uint8), labels[order].astype(np.int64)
    test = np.zeros(len(labels), bool)
    test[spread(labels)[:_TEST]] = True
    return {"train": Table(images[~test], labels[~test]), "test": Table(images[test], labels[test])}


def open_source(argument: str, options: Options) -> Source:
    """Opens the digits."""
    options.refuse("'digits'", "keys", "data_shape")
    splits = _splits()

    def read(split: str, start: int, stop: int | None) -> Table:
        return Table(splits[split].x[start:stop], splits[split].y[start:stop])

    sizes = {name: table.size for name, table in splits.items()}
    # What stands after the test images are gone is not mixed: the first rows of some classes were all taken.
    return Source(sizes, (8, 8, 1), read, scale=16.0, labelled=frozenset(sizes), classes=10, shuffled=False)
