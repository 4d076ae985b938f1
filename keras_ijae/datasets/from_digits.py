"""scikit-learn's embedded digits: 1,797 images, 8x8x1, ten classes; 1,500 for training, 297 for test."""

import functools

import numpy as np

from keras_ijae.datasets.source import Options, Source, Table

_TEST = 297


@functools.cache
def _splits() -> dict[str, Table]:
    """The fixed stratified split; both parts in one fixed random order."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.argsort(np.random.Philox(key=[0, 0]).random_raw(len(labels)), kind="stable")
    images, labels = images[order].reshape(-1, 8, 8, 1).astype(np.uint8), labels[order].astype(np.int64)
    # The k-th of a class's n examples stands at (k + 1/2) / n: spread evenly, any stretch is stratified.
    place = np.empty(len(labels))
    for digit in range(10):
        (members,) = np.nonzero(labels == digit)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    test = np.zeros(len(labels), bool)
    test[np.argsort(place, kind="stable")[:_TEST]] = True
    return {"train": Table(images[~test], labels[~test]), "test": Table(images[test], labels[test])}


def open_source(argument: str, options: Options) -> Source:
    """Opens the digits."""
    options.refuse("'digits'", "keys", "data_shape")
    splits = _splits()

    def read(split: str, start: int, stop: int | None) -> Table:
        return Table(splits[split].x[start:stop], splits[split].y[start:stop])

    sizes = {name: table.size for name, table in splits.items()}
    return Source(sizes, (8, 8, 1), read, scale=16.0, labelled=frozenset(sizes))
