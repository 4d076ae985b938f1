"""Fixed orders of the examples of a split: the same on every machine, whatever is trained on them."""

import numpy as np

_SLICES = 2**127  # a key that no (seed, pass) of the shuffling has


def permutation(size: int, key: int = 0) -> np.ndarray:
    """A fixed permutation of `size` examples, int64."""
    return np.argsort(np.random.Philox(key=key).random_raw(size), kind="stable")


def spread(labels: np.ndarray, offsets: np.ndarray | float = 0.5) -> np.ndarray:
    """The order in which every stretch holds the classes in proportion: each class is spread evenly over the whole.

    The k-th of a class's n examples stands at (k + offset) / n, and equal places keep their order.

    Args:
        labels: (examples,) or (examples, parts); examples with equal labels are a class.
        offsets: in [0, 1), one for all classes or (classes,), sorted by label.
    """
    _, members, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    members = members.reshape(-1)
    rank = np.empty(len(members))
    rank[np.argsort(members, kind="stable")] = np.arange(len(members)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.argsort((rank + np.broadcast_to(offsets, counts.shape)[members]) / counts[members], kind="stable")


def mixed(size: int, labels: np.ndarray | None = None) -> np.ndarray:
    """The fixed random order that slices of sets stored in no random order are taken of, int64 `(size,)`.

    Args:
        size: examples of the split.
        labels: (examples,) or (examples, parts) where they are known: every slice then holds the classes in
            proportion, and an example of a rare class is as likely to be in a given slice as any other.
    """
    order = permutation(size, _SLICES)
    if labels is None:
        return order
    classes = len(np.unique(labels, axis=0))
    offsets = np.random.Philox(key=_SLICES + 1).random_raw(classes) / 2.0**64
    return order[spread(labels[order], offsets)]
