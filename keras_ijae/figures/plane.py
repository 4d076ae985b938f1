"""Where codes are seen and moved: along their principal components, and in a plane."""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Components:
    """The k principal components of codes (n, d).

    Attributes:
        mean: of the codes, (d,).
        directions: (k, d), orthonormal, that of the most variance first.
        shares: of the variance, (k,).
    """

    mean: np.ndarray
    directions: np.ndarray
    shares: np.ndarray

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Codes (n, d) along the components: (n, k)."""
        return (codes - self.mean) @ self.directions.T


def principal(codes: np.ndarray, most: int) -> Components:
    """At most so many components of codes (n, d) that are not all the same, n >= 2."""
    from sklearn.decomposition import PCA

    fitted = PCA(min(most, *codes.shape), random_state=0).fit(codes)
    return Components(fitted.mean_, fitted.components_, fitted.explained_variance_ratio_)


@dataclasses.dataclass(frozen=True)
class Plane:
    """A view of codes.

    Attributes:
        title: what it is.
        axes: their names.
        of: codes (n, d) -> their places, (n, 2).
    """

    title: str
    axes: tuple[str, str]
    of: Callable[[np.ndarray], np.ndarray]


def plane(codes: np.ndarray) -> Plane:
    """The plane in which codes (n, d) are seen: of two dimensions as they are, of more by the PCA of these.

    Codes of one dimension are spread in the second, by digits of theirs that mean nothing.
    """
    if codes.shape[1] == 1:
        return Plane("Codes", ("z0", "(at random)"), _spread)
    if codes.shape[1] == 2:
        return Plane("Codes", ("z0", "z1"), np.asarray)
    found = principal(codes, 2)
    names = [f"component {index} ({share:.0%} of variance)" for index, share in enumerate(found.shares, 1)]
    return Plane("Codes by PCA", (names[0], names[1]), found.of)


def _spread(codes):
    return np.stack([codes[:, 0], np.mod(codes[:, 0] * 1e5, 2) - 1], axis=1)  # a code has one place
