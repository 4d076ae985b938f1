"""Directions in which a code is moved, each by a slider."""

import dataclasses

import numpy as np

REACH, STEP = 3.0, 0.05
"""How far sliders go, and by what steps, in standard deviations of the codes."""


@dataclasses.dataclass(frozen=True)
class Axes:
    """k orthonormal directions of codes with d dimensions.

    Attributes:
        names: of the directions.
        directions: (k, d).
        mean: of the codes, (d,).
        deviations: of the codes along the directions, (k,), above 0.
    """

    names: list[str]
    directions: np.ndarray
    mean: np.ndarray
    deviations: np.ndarray

    def positions(self, code: np.ndarray) -> np.ndarray:
        """Where a code (d,) is, in standard deviations of the codes from their mean: (k,)."""
        return (code - self.mean) @ self.directions.T / self.deviations

    def shown(self, code: np.ndarray) -> np.ndarray:
        """The positions as sliders can show them: rounded, and not beyond their ends."""
        return np.clip(np.round(self.positions(code) / STEP) * STEP, -REACH, REACH).round(2)

    def moved(self, code: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The code as sliders say: those that stand elsewhere than they show it move it, and nothing else of it."""
        values, at = np.asarray(values, np.float64), self.positions(code)
        asked = np.abs(values - self.shown(code)) > STEP / 2
        return code + np.where(asked, values - at, 0) * self.deviations @ self.directions
