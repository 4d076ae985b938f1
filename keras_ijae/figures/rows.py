"""Rows of observations: images side by side, or ways in the plane."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_ijae.figures.drawing import Drawing
from keras_ijae.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDE, _GAP, _NOTE = 0.55, 0.06, 0.3
"""Inches of an image, the share of it that is left between two, and the share that a note below it takes."""


@dataclass(frozen=True, eq=False)
class Rows(Drawing):
    """Rows of images that belong together; of vectors (2,) each row is a way in the plane, from column to column.

    Attributes:
        observations: (rows, columns, height, width, channels) in [0, 1], or (rows, columns, 2).
        names: of the rows.
        columns: what stands below each column.
        title: above.
        across: what the columns are, with its unit.
        notes: (rows, columns) texts, each below its image; None: none.
        aside: columns that are not part of a row's way, such as data beside their reconstructions.
        context: vectors (n, 2) in the background; not drawn behind images.

    Raises:
        ValueError: observations that are neither images nor vectors of the plane, or texts that are not as many.
    """

    observations: np.ndarray
    names: Sequence[str]
    columns: Sequence[str]
    title: str = ""
    across: str = ""
    notes: Sequence[Sequence[str]] | None = None
    aside: tuple[int, ...] = ()
    context: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.observations)
        check_drawable(shape[2:])
        if shape[:2] != (len(self.names), len(self.columns)):
            raise ValueError(
                f"Arguments `names` and `columns` must name {shape[0]} rows and {shape[1]} columns. "
                f"Received: {len(self.names)} and {len(self.columns)}"
            )

    @property
    def size(self) -> tuple[float, float]:
        rows, columns, *shape = self.observations.shape
        if len(shape) == 1:
            return 4.2, 3.2
        height, width = _SIDE * self._pitch, _SIDE * shape[1] / shape[0]
        return columns * width + 0.3 + 0.065 * max(
            len(re.sub(r"[$_{}]", "", name)) for name in self.names
        ), rows * height + 0.65

    @property
    def _pitch(self) -> float:
        """From a row to the next, in heights of an image with its gap."""
        return 1 + (_NOTE if self.notes is not None else 0)

    def _onto(self, axis: "Axes") -> None:
        if self.observations.ndim == 3:
            self._ways_onto(axis)
        else:
            self._images_onto(axis)

    def _images_onto(self, axis):
        rows, columns, height, width, channels = self.observations.shape
        images = np.asarray(self.observations, "float32")
        images = images if channels in (1, 3) else images.mean(axis=-1, keepdims=True)
        half, pitch = (1 - _GAP) / 2, self._pitch
        for row, column in np.ndindex(rows, columns):
            place = column - half, column + half, row * pitch + half, row * pitch - half
            axis.imshow(images[row, column], "gray", vmin=0, vmax=1, extent=place)
            if self.notes is not None:
                note = self.notes[row][column]
                axis.text(column, row * pitch + 0.5, note, fontsize="x-small", ha="center", va="top")
        axis.set(xlim=(-0.5, columns - 0.5), ylim=((rows - 1) * pitch + pitch - 0.5, -0.5), aspect=height / width)
        axis.set_yticks(np.arange(rows) * pitch, self.names)
        axis.set_xticks(range(columns), self.columns)
        axis.set_xlabel(self.across)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)

    def _ways_onto(self, axis):
        if self.context is not None:
            axis.scatter(*np.asarray(self.context).T, s=2, color=GREY, alpha=0.4, linewidths=0, label="data")
        on_way = [column for column in range(len(self.columns)) if column not in self.aside]
        for number, (name, points) in enumerate(zip(self.names, self.observations, strict=True)):
            colour = f"C{number % 10}"
            axis.plot(*points[on_way].T, ".-", color=colour, markersize=3, label=name or None)
            axis.plot(*points[on_way[-1:]].T, "o", color=colour, markersize=5)
            axis.plot(*points[list(self.aside)].T, "x", color=colour, markersize=5)
        axis.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
        named, title = axis.get_legend_handles_labels()[0], _ends(self.columns, self.across, on_way)
        axis.legend(handles=named, loc="center left", bbox_to_anchor=(1, 0.5), title=title)


def _ends(columns, across, on_way):
    first, last = columns[on_way[0]], columns[on_way[-1]]
    return f"{across}\nfrom {first} to {last} (●)".strip() if first or last else across


def check_drawable(shape: tuple[int, ...]) -> None:
    """ValueError unless observations of this shape can be drawn: images, or vectors of the plane."""
    if len(shape) != 3 and tuple(shape) != (2,):
        raise ValueError(
            "Only images (height, width, channels) and vectors of 2 numbers can be drawn. "
            f"Received: observations of shape {tuple(shape)}"
        )
