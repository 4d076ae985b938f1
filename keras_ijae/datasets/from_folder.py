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
    """The image files under `path`, sorted by name, folder by folder; ValueError for pipes and links to nothing."""
    for root, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                file = os.path.join(root, name)
                if not os.path.isfile(file):
                    raise ValueError(f"Not a file, or a link to none: {file}. A folder of images must have files only.")
                yield file


def _groups(path: str) -> dict[str | None, list[str]]:
    """The files of each class, by its sub-folder; all under None where images lie beside the sub-folders."""
    flat = any([e.is_file() and e.name.lower().endswith(SUFFIXES) for e in os.scandir(path)])  # to its end: closes it
    classes = [] if flat else subfolders(path)
    if not classes:
        return {None: list(image_files(path))}
    groups = {name: list(image_files(os.path.join(path, name))) for name in classes}
    return {name: files for name, files in groups.items() if files}


def _listing(path: str) -> tuple[dict[str, tuple[list[str], list[int] | None]], tuple[str, ...]]:
    """The files and the labels (None without classes) of each split, and the names of the classes, in all splits."""
    folders = subfolders(path)
    parted = "train" in folders and set(folders) <= set(_SPLITS)
    places = {_SPLITS[name]: os.path.join(path, name) for name in folders} if parted else {"train": path}
    splits = {split: _groups(place) for split, place in places.items()}
    names = sorted({name for groups in splits.values() for name in groups if name is not None})
    numbers = {name: number for number, name in enumerate(names)}
    return {split: _labelled(groups, numbers) for split, groups in splits.items()}, tuple(names)


def _labelled(groups: dict[str | None, list[str]], numbers: dict[str, int]) -> tuple[list[str], list[int] | None]:
    files = [file for group in groups.values() for file in group]
    if None in groups:
        return files, None
    return files, [numbers[name] for name, group in groups.items() for _ in group]


def file_source(listing: dict[str, tuple], shape: tuple[int | None, ...], class_names: tuple[str, ...] = ()) -> Source:
    """A source of image files: `listing` gives the files and the labels (or None) of each split."""

    def read(split: str, start: int, stop: int | None) -> Table:
        paths, labels = listing[split]
        y = None if labels is None else np.asarray(labels[start:stop], np.int64)
        return Table(np.asarray(paths[start:stop], object), y, file_decoder(shape))

    labelled = frozenset(split for split, (_, labels) in listing.items() if labels is not None)
    sizes = {split: len(paths) for split, (paths, _) in listing.items()}
    of_labels = {"class_names": class_names, "classes": len(class_names) or None}
    return Source(sizes, shape, read, 255.0, labelled, **of_labels, shuffled=False)


def open_source(argument: str, options: Options) -> Source:
    """Opens `folder:DIR`.

    Raises:
        FileNotFoundError: no such directory.
        ValueError: no image in it, or a file that is none.
    """
    options.refuse("'folder:'", "keys", "data_shape")
    path = directory(argument)
    listing, names = _listing(path)
    paths = [file for split in listing.values() for file in split[0]]
    if not paths:
        raise ValueError(f"The data set is empty: no file ending in {', '.join(SUFFIXES)} under {path!r}.")
    return file_source(listing, common_shape(paths), names)
