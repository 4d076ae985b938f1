"""Image files in a directory: flat, in one sub-folder per class, or either of these in one folder per split."""

import os
from collections.abc import Iterator

import numpy as np

from keras_ijae.datasets.images import SUFFIXES, common_shape, file_decoder
from keras_ijae.datasets.source import Options, Source, Table

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Of folders, in small letters or others."""


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
    seen = set()  # links may lead back
    for root, folders, files in os.walk(path, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if (real := os.path.realpath(root)) in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in sorted(files):
            if _is_image(name):
                file = os.path.join(root, name)
                if not os.path.isfile(file):
                    raise ValueError(f"Not a file, or a link to none: {file}. A folder of images must have files only.")
                yield file


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _groups(path: str) -> dict[str | None, list[str]]:
    """The files of each class, by its sub-folder; all under None where images lie beside the sub-folders."""
    flat = any([e.is_file() and _is_image(e.name) for e in os.scandir(path)])  # to its end: closes it
    classes = [] if flat else subfolders(path)
    if not classes:
        return {None: list(image_files(path))}
    groups = {name: list(image_files(os.path.join(path, name))) for name in classes}
    return {name: files for name, files in groups.items() if files}


def _listing(path: str) -> tuple[dict[str, tuple[list[str], list[int] | None]], tuple[str, ...]]:
    """The files and the labels (None without classes) of each split, and the names of the classes, in all splits."""
    splits = {split: _groups(place) for split, place in _places(path).items()}
    names = sorted({name for groups in splits.values() for name in groups if name is not None})
    numbers = {name: number for number, name in enumerate(names)}
    return {split: _labelled(groups, numbers) for split, groups in splits.items()}, tuple(names)


def _places(path: str) -> dict[str, str]:
    """The directory of each split: sub-folders that are named so, where there are no others, else all as "train"."""
    folders = subfolders(path)
    if not any(name.lower() in _SPLITS for name in folders):
        return {"train": path}  # without a look into what may be thousands of classes
    folders = [name for name in folders if next(image_files(os.path.join(path, name)), None) is not None]
    named = [(_SPLITS[name.lower()], os.path.join(path, name)) for name in folders if name.lower() in _SPLITS]
    places = dict(named)
    if "train" in places and len(places) == len(folders):
        return places
    if len(named) > 1:
        raise ValueError(
            "A folder with a sub-folder for each split must have 'train', at most one 'val' and one 'test', and no "
            f"other with images. Received: {path!r} with {', '.join(folders)}."
        )
    return {"train": path}


def _labelled(groups: dict[str | None, list[str]], numbers: dict[str, int]) -> tuple[list[str], list[int] | None]:
    files = [file for group in groups.values() for file in group]
    if None in groups:
        return files, None
    return files, [numbers[name] for name, group in groups.items() for _ in group]


def file_source(
    listing: dict[str, tuple], shape: tuple[int | None, ...], class_names: tuple[str, ...] = (), varying: bool = False
) -> Source:
    """A source of image files: `listing` gives the files and the labels (or None) of each split.

    `varying`: of the sides in `shape`, others are taken, too.
    """
    decode = file_decoder((None, None, shape[2]) if varying else shape)

    def read(split: str, start: int, stop: int | None) -> Table:
        paths, labels = listing[split]
        y = None if labels is None else np.asarray(labels[start:stop], np.int64)
        files = [os.fsencode(path) for path in paths[start:stop]]  # names need not be UTF-8
        return Table(np.asarray(files, object), y, decode)

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
    return file_source(listing, common_shape(paths), names, options.varying)
