"""The likelihoods that λ-IJAE compares data by, at the scale of its data."""

from collections.abc import Callable
from typing import Any

from keras_ijae.distributions.likelihoods.base import Likelihood
from keras_ijae.distributions.likelihoods.cyclic_shift import CyclicShift, ShiftGaussian
from keras_ijae.distributions.likelihoods.location_scale import Gaussian, Laplace

SCALE = 0.1
"""Of all those named here: an ablation by name changes the law and not the scale. `get` gives p(x | z) scale 1."""

SYMMETRIC: dict[str, Callable[[int], Likelihood]] = {
    "cyclic_shift": lambda shift: CyclicShift(shift),
    "gaussian": lambda shift: Gaussian(SCALE),
    "laplace": lambda shift: Laplace(SCALE),
    "shift_gaussian": lambda shift: ShiftGaussian(shift, SCALE),
}
"""Name -> the likelihood for images that may be shifted by so many pixels."""


def named(name: Any, data_shape: tuple[int, ...]) -> Any:
    """The symmetric likelihood of that name for data of this shape; anything else comes back as it is.

    Shifts are of up to 2 pixels, of 1 where height or width is below 16. "auto" is "cyclic_shift" on images and
    "gaussian" on vectors.
    """
    images = len(data_shape) == 3
    if isinstance(name, str) and name == "auto":
        name = "cyclic_shift" if images else "gaussian"
    if not isinstance(name, str) or name not in SYMMETRIC:
        return name
    return SYMMETRIC[name](2 if images and min(data_shape[:2]) >= 16 else 1)
