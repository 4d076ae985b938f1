"""Image files in a directory: flat, in one sub-folder per class, or either of these in one folder per split."""

import os
from collections.abc import Iterator

import numpy as np

from keras_ijae.datasets.images import SUFFIXES, common_shape, file_decoder
from keras_ijae.datasets.source import Options, Source, Table

_SPLITS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


def directory(path: str) -> str:
    """The directory `path`, `~` expanded.

    Raises:
        FileNotFoundError: it does not exist.
    """
    path = os.path.expanduser(path)
    if not os.path.isdir(path):
        raise FileNotFoundError(f"There is no directory {path!r} to read images from.")
    return path


def subfolders(path: str) -> list[str]:
    """Names of the sub-folders of `path`, sorted, hidden ones left out."""
    return sorted(e.name for e in os.scandir(path) if e.is_dir() and not e.name.startswith("."))


def image_files(path: str) -> Iterator[str]:
    """The image files under `path`, sorted by name, folder by folder."""
    for root, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(root, name)


def _table(path: str) -> tuple[list[str], list[int] | None]:
    """The files and their labels; labels None where the images lie flat or in one folder."""
    flat = [e.path for e in os.scandir(path) if e.is_file() and e.name.lower().endswith(SUFFIXES)]
    classes = subfolders(path)
    if flat or not classes:
        return list(image_files(path)), None
    groups = [list(image_files(os.path.join(path, name))) for name in classes]
    groups = [group for group in groups if group]
    return [file for group in groups for file in group], [i for i, group in enumerate(groups) for _ in group]


def _listing(path: str) -> dict[str, tuple]:
    folders = subfolders(path)
    if "train" in folders and set(folders) <= set(_SPLITS):
        return {_SPLITS[name]: _table(os.path.join(path, name)) for name in folders}
    return {"train": _table(path)}


def file_source(listing: dict[str, tuple], shape: tuple[int | None, ...]) -> Source:
    """A source of image files: `listing` gives the files and the labels (or None) of each split."""

    def read(split: str, start: int, stop: int | None) -> Table:
        paths, labels = listing[split]
        y = None if labels is None else np.asarray(labels[start:stop], np.int64)
        return Table(np.asarray(paths[start:stop], object), y, file_decoder(shape))

    labelled = frozenset(split for split, (_, labels) in listing.items() if labels is not None)
    return Source({split: len(paths) for split, (paths, _) in listing.items()}, shape, read, 255.0, labelled)


def open_source(argument: str, options: Options) -> Source:
    """Opens `folder:DIR`.

    Raises:
        FileNotFoundError: no such directory.
        ValueError: no image in it, or a file that is none.
    """
    options.refuse("'folder:'", "keys", "data_shape")
    path = directory(argument)
    listing = _listing(path)
    paths = [file for split in listing.values() for file in split[0]]
    if not paths:
        raise ValueError(f"The data set is empty: no file ending in {', '.join(SUFFIXES)} under {path!r}.")
    return file_source(listing, common_shape(paths))
