"""Arrays for all rooms: checks, which give back what passes, and archives of others, of which nothing is believed."""

import math
import os
import zipfile

import numpy as np
from numpy.typing import ArrayLike

_LARGE, _MOST_FOLD = 2**26, 200
"""From how many bytes on a member of an archive may not unpack to more than so many times its size: images of real
data pack to a third or a thirtieth, an empty file of any length to a thousandth."""


def read_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a NumPy archive, by name; nothing in it is unpickled.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no such archive, is damaged, holds other things than plain arrays, or unpacks to memory that
            its size does not explain.
    """
    with open(path, "rb") as stream:
        try:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("one .npy array")
            for member in archive.zip.infolist():
                _check_fold(member)
            found = {name: archive[name] for name in archive.files}
            if not all(isinstance(array, np.ndarray) for array in found.values()):
                raise ValueError(f"members that are no arrays among {sorted(found)}")
            return found
        except Exception as error:  # whatever NumPy, zipfile, zlib or the memory make of a broken file
            raise ValueError(f"{str(path)!r} is not a NumPy .npz archive of plain arrays ({error}).") from error


def _check_fold(member: zipfile.ZipInfo) -> None:
    if member.file_size > max(_LARGE, _MOST_FOLD * member.compress_size):
        raise ValueError(
            f"{member.filename} unpacks from {member.compress_size} to {member.file_size} bytes: store it unpacked, by "
            "np.savez, if it is meant"
        )


def real(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as an array of real numbers, of their own dtype; bfloat16 becomes float32.

    Raises:
        ValueError: complex numbers, text, dates, objects, rows of different lengths, or masked values.
    """
    if np.ma.is_masked(values):
        received = f"{np.ma.count_masked(values)} of {values.size} values masked"
        raise ValueError(f"Argument `{name}` must have no masked values: leave them out. Received: {received}")
    try:
        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype.name == "bfloat16" else array
        if array.dtype.kind not in "biuf":
            raise TypeError(array.dtype)
        return array
    except (TypeError, ValueError) as error:
        raise ValueError(f"Argument `{name}` must be an array of real numbers. Received: {values!r:.200}") from error


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """`array`, if all of it is finite; the error counts what is not, and shows the first three."""
    bad = array[~np.isfinite(array)]
    if bad.size:
        received = f"{bad[:3]}, {bad.size} of {array.size} values"
        raise ValueError(f"Argument `{name}` must be finite. Received: {received}")
    return array


def flat(name: str, values: ArrayLike) -> np.ndarray:
    """Images as `as_images` takes them, or vectors, or what else has a row for each example, as rows (n, d).

    uint8 becomes value / 255 in float32; others keep their type.
    """
    array = real(name, values)
    if array.ndim < 2:
        raise ValueError(f"Argument `{name}` must have shape (n, ...). Received: shape {array.shape}")
    array = as_images(name, array) if array.ndim == 4 else array
    rows_of = array.reshape(len(array), math.prod(array.shape[1:]))
    return rows_of.astype(np.float32) / 255 if array.dtype == np.uint8 else rows_of


def as_images(name: str, values: ArrayLike, minimum: int = 1) -> np.ndarray:
    """Images (n, height, width, channels), floating in [0, 1] or uint8, as they come."""
    array = real(name, values)
    if array.ndim != 4 or len(array) < minimum or not array.size:
        raise ValueError(
            f"Argument `{name}` must have shape (n, height, width, channels) with n of at least {minimum}. "
            f"Received: shape {array.shape}"
        )
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"Argument `{name}` must be floating in [0, 1], or uint8. Received: dtype {array.dtype}")
    finite(name, array)
    if array.min() < 0 or array.max() > 1:
        received = f"values in [{float(array.min())}, {float(array.max())}]"
        raise ValueError(f"Argument `{name}` must be in [0, 1], or uint8. Received: {received}")
    return array
