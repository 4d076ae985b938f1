"""Arrays of a NumPy archive: images or vectors, with or without labels, in one split or several.

An archive of several splits names its arrays `x_train`, `y_train`, `x_test`, ... (Keras' own layout) or `train`,
`train_label`, `valid`, `test`, ...; any other archive holds one array of examples, all of them "train".
"""

import os

import numpy as np

from keras_ijae.arrays import read_npz
from keras_ijae.datasets.source import Options, Source, Table

_EXAMPLES = ("image", "images", "x", "data", "arr_0")
_LABELS = ("label", "labels", "y", "arr_1")
_SPLITS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def open_source(argument: str, options: Options) -> Source:
    """Opens `npz:FILE`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not an archive of arrays, no array of examples, wrong rank, dtype or range, or labels that do
            not fit the examples.
    """
    options.refuse("'npz:'", "data_shape")
    path = os.path.expanduser(argument)
    pairs = _splits(path, _arrays(path), options)
    tables = {split: _table(path, *pair) for split, pair in pairs.items()}
    shapes = {table.x.shape[1:] for table in tables.values()}
    kinds = {x.dtype.kind for x, _ in pairs.values()}
    if len(shapes) > 1 or len(kinds) > 1:
        dtypes = sorted({str(x.dtype) for x, _ in pairs.values()})
        raise ValueError(
            f"The splits of {path!r} must have one shape and kind of numbers. Received: {sorted(shapes)} of {dtypes}."
        )

    def read(split: str, start: int, stop: int | None) -> Table:
        table = tables[split]
        return Table(table.x[start:stop], None if table.y is None else table.y[start:stop])

    labelled = frozenset(split for split, table in tables.items() if table.y is not None)
    scale = 255.0 if next(iter(tables.values())).x.dtype == np.uint8 else 1.0
    sizes = {split: table.size for split, table in tables.items()}
    return Source(sizes, shapes.pop(), read, scale, labelled, shuffled=False)


def _arrays(path: str) -> dict[str, np.ndarray]:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no file {path!r} to read arrays from.")
    return read_npz(path)


def _splits(path: str, arrays: dict, options: Options) -> dict[str, tuple]:
    """For each split its array of examples and its labels or None."""
    for role, name in (options.keys or {}).items():
        if name not in arrays:
            raise ValueError(f"Argument `keys` names the {role} {name!r}, but {path!r} holds {sorted(arrays)}.")
    if not options.keys:
        splits = {}
        for split, names in _SPLITS.items():
            x = _first(arrays, [form for name in names for form in (name, f"x_{name}", f"{name}_image", f"{name}_x")])
            forms = ("y_{0}", "{0}_label", "{0}_labels", "{0}_y")
            y = _first(arrays, [form.format(name) for name in names for form in forms])
            if x is not None:
                splits[split] = (arrays[x], None if y is None else arrays[y])
        if splits:
            return splits
    label = options.key("label") or _first(arrays, _LABELS)
    image = options.key("image") or _first(arrays, _EXAMPLES)
    if image is None:
        others = [name for name, array in arrays.items() if name != label and array.ndim in (2, 3, 4)]
        if len(others) != 1:
            raise ValueError(
                f"{path!r} has no array of images or vectors under a known name ({', '.join(_EXAMPLES)}): it holds "
                f"{ {name: array.shape for name, array in arrays.items()} }. Say which with `keys`={{'image': NAME}}."
            )
        image = others[0]
    if options.may_drop_label and label and not _fits(arrays[image], arrays[label]):
        label = None
    return {"train": (arrays[image], None if label is None else arrays[label])}


def _fits(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether there is a label, or a row of targets, for each example."""
    return y.shape[:1] == x.shape[:1] and y.ndim <= 2


def _first(arrays: dict, names: list[str] | tuple[str, ...]) -> str | None:
    return next((name for name in names if name in arrays), None)


def _table(path: str, x: np.ndarray, y: np.ndarray | None) -> Table:
    if not x.ndim or not x.size:
        raise ValueError(f"The data set is empty: {path!r} holds an array of shape {x.shape}.")
    if y is not None and not _fits(x, y):
        raise ValueError(f"{path!r} must hold one label per example. Received: {x.shape} and labels {y.shape}.")
    if x.ndim == 2:
        return Table(_vectors(path, x), _labels(y))
    if x.ndim not in (3, 4):
        raise ValueError(
            "Arrays must be images (n, height, width[, channels]) or vectors (n, features). "
            f"Received: {path!r} of shape {x.shape}."
        )
    return Table(_images(path, x if x.ndim == 4 else x[..., None]), _labels(y))


def _labels(y: np.ndarray | None) -> np.ndarray | None:
    if y is None:
        return None
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return y.astype(np.int64) if y.dtype.kind in "biu" else y


def _vectors(path: str, x: np.ndarray) -> np.ndarray:
    if x.dtype.kind not in "fiub":
        raise ValueError(f"Vectors must be numbers. Received: {path!r} with dtype {x.dtype}.")
    return _finite("Vectors", path, x.astype(np.float32))


def _images(path: str, x: np.ndarray) -> np.ndarray:
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind not in "fb":
        raise ValueError(f"Images must be uint8, or floats in [0, 1]. Received: {path!r} with dtype {x.dtype}.")
    x = _finite("Images", path, x.astype(np.float32))
    if not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"Images of a float dtype must lie in [0, 1]. Received: {path!r} in [{x.min():.4g}, {x.max():.4g}]."
        )
    return x


def _finite(what: str, path: str, x: np.ndarray) -> np.ndarray:
    bad = x.size - np.count_nonzero(np.isfinite(x))
    if bad:
        raise ValueError(f"{what} must be finite. Received: {path!r} with NaN or infinity, {bad} of {x.size} values.")
    return x
