"""Rows of observations: images side by side, or ways in the plane."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_ijae.figures.drawing import Drawing
from keras_ijae.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDE, _GAP, _NOTE = 0.55, 0.06, 0.3
"""Inches of an image's shorter side, the share of it that is left between two, and that which a note below it takes."""
_LONGEST = 4
"""Times its shorter side that an image is long at most; pixels of longer ones are drawn stretched."""
_PLANE, _LETTER, _LINE, _WRAP = 3.2, 0.065, 0.15, 32
"""Of a plane with a legend beside it: inches of its side, of a letter and of a line; letters of a line."""


@dataclass(frozen=True, eq=False)
class Rows(Drawing):
    """Rows of images that belong together; of vectors (2,) each row is a way in the plane, from column to column.

    Images that are more than four times as long as wide, or as wide as long, are drawn as if they were four times.

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
        beside = _LETTER * max(map(_letters, self.names))
        if len(shape) == 1:
            legend = self._legend_title.split("\n")
            lines = len(legend) + rows + 1
            return _PLANE + 0.4 + max(beside + 0.3, _LETTER * max(map(len, legend))), max(_PLANE, _LINE * lines)
        height, width = (_SIDE * side for side in _shown(*shape[:2]))
        return columns * width + 0.3 + beside, rows * height * self._pitch + 0.65

    @property
    def _heading(self) -> str:
        return self.title if self.observations.ndim > 3 else self.title.replace("; ", ";\n")

    @property
    def _legend_title(self) -> str:
        """What the columns are, and which are the ends of a way."""
        on_way = self._on_way
        first, last = self.columns[on_way[0]], self.columns[on_way[-1]]
        ends = [f"from {first} to {last} (●)"] if first or last else []
        return "\n".join([*textwrap.wrap(self.across, _WRAP), *ends])

    @property
    def _on_way(self) -> list[int]:
        return [column for column in range(len(self.columns)) if column not in self.aside]

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
        shown_height, shown_width = _shown(height, width)
        axis.set(xlim=(-0.5, columns - 0.5), ylim=((rows - 1) * pitch + pitch - 0.5, -0.5))
        axis.set_aspect(shown_height / shown_width)
        axis.set_yticks(np.arange(rows) * pitch, self.names)
        axis.set_xticks(range(columns), self.columns)
        axis.set_xlabel(self.across)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)

    def _ways_onto(self, axis):
        if self.context is not None:
            axis.scatter(*np.asarray(self.context).T, s=2, color=GREY, alpha=0.4, linewidths=0, label="data")
        on_way = self._on_way
        for number, (name, points) in enumerate(zip(self.names, self.observations, strict=True)):
            colour = f"C{number % 10}"
            axis.plot(*points[on_way].T, ".-", color=colour, markersize=3, label=name or None)
            axis.plot(*points[on_way[-1:]].T, "o", color=colour, markersize=5)
            axis.plot(*points[list(self.aside)].T, "x", color=colour, markersize=5)
        axis.set(xlabel="$x_1$", ylabel="$x_2$")
        axis.set_aspect("equal", adjustable="datalim")  # so that the plane keeps its size
        axis.legend(
            handles=axis.get_legend_handles_labels()[0],
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            title=self._legend_title,
            alignment="left",
        )


def _letters(name: str) -> int:
    """Of a name as it is drawn, about."""
    return len(re.sub(r"[$_{}]", "", name))


def _shown(height: int, width: int) -> tuple[float, float]:
    """Height and width with which an image is drawn, in its shorter side."""
    ratio = min(max(height / width, 1 / _LONGEST), _LONGEST)
    return max(ratio, 1.0), max(1 / ratio, 1.0)


def check_drawable(shape: tuple[int, ...]) -> None:
    """ValueError unless observations of this shape can be drawn: images, or vectors of the plane."""
    if len(shape) != 3 and tuple(shape) != (2,):
        raise ValueError(
            "Only images (height, width, channels) and vectors of 2 numbers can be drawn. "
            f"Received: observations of shape {tuple(shape)}"
        )
