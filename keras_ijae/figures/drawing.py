"""What the figures share: arrays that are computed, and how they get onto an axis."""

import abc
import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_ijae.figures.style import new_figure, save_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BETWEEN = 0.14
"""Inches above and below each drawing where several stand below each other."""


class Drawing(abc.ABC):
    """The arrays of one figure; computing them is done. In a notebook it shows itself.

    Example:
        drawing = ki.figures.latent_traversals(model, images)
        drawing.save("traversals.pdf")
        drawing.draw(axis)  # of a figure of your own
    """

    title: str = ""

    @property
    @abc.abstractmethod
    def size(self) -> tuple[float, float]:
        """Width and height in inches of a figure of its own."""

    @property
    def _heading(self) -> str:
        """The title as it is drawn, in lines."""
        return self.title

    @abc.abstractmethod
    def _onto(self, axis: "Axes") -> None:
        """Draws everything but the title."""

    def draw(self, axis: Any = None) -> "Axes":
        """Draws onto a Matplotlib axis, by default that of a new figure; returns the axis."""
        with styled():
            axis = new_figure(*self.size).subplots() if axis is None else axis
            self._onto(axis)
            axis.set_title(self._heading)
        return axis

    def save(self, path: str | os.PathLike) -> None:
        """Writes a figure of its own in the format of the suffix of `path`: .png, .pdf, .svg, ..."""
        save_figure(self.draw().figure, path)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        with styled():
            self.draw().figure.savefig(stream, format="png", bbox_inches="tight")
        return stream.getvalue()


def together(*drawings: Drawing, columns: int | None = None) -> "Figure":
    """One new figure of several drawings, row by row; `columns` of them in a row, by default all."""
    columns = columns or len(drawings)
    rows = -(-len(drawings) // columns)
    sizes = np.full((rows * columns, 2), 0.0)
    sizes[: len(drawings)] = [drawing.size for drawing in drawings]
    widths, heights = sizes.reshape(rows, columns, 2)[..., 0].max(axis=0), sizes[:, 1].reshape(rows, columns).max(1)
    with styled():
        figure = new_figure(widths.sum(), heights.sum() + (rows - 1) * 2 * _BETWEEN)
        if rows > 1:
            figure.get_layout_engine().set(h_pad=_BETWEEN)  # above and below each: titles stand apart from labels
        axes = figure.subplots(rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights).ravel()
    for axis in axes[len(drawings) :]:
        axis.remove()
    for drawing, axis in zip(drawings, axes, strict=False):
        drawing.draw(axis)
    return figure
