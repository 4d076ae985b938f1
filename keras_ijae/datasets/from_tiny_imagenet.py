"""The unzipped tiny-imagenet-200: 64x64x3, 200 classes of 500 images, 10,000 for validation, unlabelled test images."""

import os

from keras_ijae.datasets.from_folder import directory, file_source, image_files, subfolders
from keras_ijae.datasets.source import Options, Source


def open_source(argument: str, options: Options) -> Source:
    """Opens `tiny_imagenet:DIR`; labels number the sorted WordNet ids.

    Raises:
        FileNotFoundError: the directory is missing, or is not an unzipped tiny-imagenet-200.
    """
    options.refuse("'tiny_imagenet:'", "keys", "data_shape")
    path = directory(argument)
    train, annotations = os.path.join(path, "train"), os.path.join(path, "val", "val_annotations.txt")
    if not (os.path.isdir(train) and os.path.isfile(annotations)):
        raise FileNotFoundError(
            f"{path!r} is not an unzipped tiny-imagenet-200: it must hold train/ID/images/ and val/val_annotations.txt."
        )
    ids = {name: i for i, name in enumerate(subfolders(train))}
    listing = {"train": _train(train, ids), "validation": _validation(annotations, ids)}
    test = list(image_files(os.path.join(path, "test")))
    if test:
        listing["test"] = (test, None)
    for split, (files, _) in listing.items():
        if not files:
            raise ValueError(f"The data set is empty: {path!r} has no image for '{split}'.")
    return file_source(listing, (64, 64, 3), tuple(ids))


def _train(path: str, ids: dict[str, int]) -> tuple[list[str], list[int]]:
    pairs = [(file, label) for name, label in ids.items() for file in image_files(os.path.join(path, name))]
    return [file for file, _ in pairs], [label for _, label in pairs]


def _validation(annotations: str, ids: dict[str, int]) -> tuple[list[str], list[int]]:
    folder = os.path.join(os.path.dirname(annotations), "images")
    with open(annotations, encoding="utf-8") as lines:
        rows = [line.split("\t") for line in lines if line.strip()]
    if any(len(row) < 2 or row[1].strip() not in ids for row in rows):
        raise ValueError(f"{annotations!r} must give a file and an id of train/ in each line, parted by tabs.")
    return [os.path.join(folder, row[0]) for row in rows], [ids[row[1].strip()] for row in rows]
