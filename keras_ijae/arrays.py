"""Checks of arrays, for all rooms: what passes comes back, anything else is a ValueError that names the argument."""

import numpy as np
from numpy.typing import ArrayLike


def real(name: str, values: ArrayLike) -> np.ndarray:
    """`values` as an array of real numbers, of their own dtype; bfloat16 becomes float32.

    Raises:
        ValueError: complex numbers, text, dates, objects, or rows of different lengths.
    """
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
