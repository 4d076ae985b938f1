"""Points, lines and heat maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_ijae.arrays import read_npz
from keras_ijae.figures.drawing import Drawing
from keras_ijae.figures.style import DIVERGING, GREY, PALETTE
from keras_ijae.layers.mask import ACTIVE
from keras_ijae.metrics import PrecisionRecallCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL, _NAME, _LARGE, _WIDEST, _NAMES = 0.16, 0.13, 2.4, 4.0, 100
"""Of heat maps: inches of a cell, a named row, the side of a large one, of a wide one; how many rows have names."""


@dataclass(frozen=True, eq=False)
class Scatter(Drawing):
    """Sets of points in the plane, the last in front.

    Attributes:
        sets: what they are -> (n, 2).
        title: above.
        axes: names of the two axes; None where they mean nothing, as those of t-SNE.
        labels: (n,), -1 for unknown, of the last set, whose classes then have colours. Up to ten are in the legend;
            more have to share colours, and each has its name where it is densest.
        frame: (2, 2), the lower left and the upper right corner of what is shown; None: all.
    """

    sets: Mapping[str, np.ndarray]
    title: str = ""
    axes: tuple[str, str] | None = None
    labels: np.ndarray | None = None
    frame: np.ndarray | None = None

    @property
    def size(self) -> tuple[float, float]:
        return 3.4, 4.1 if self._has_own_colours else 3.6

    @property
    def _has_own_colours(self) -> bool:
        """Whether there are classes, and a colour for each."""
        return self.labels is not None and len(np.unique(self.labels[self.labels >= 0])) <= len(PALETTE)

    def _onto(self, axis: "Axes") -> None:
        (*behind, (front, points)) = self.sets.items()
        for number, (label, others) in enumerate(behind):
            how = {"s": 6, "marker": "x", "linewidths": 0.5, "color": GREY if number == 0 else f"C{number + 1}"}
            axis.scatter(*np.transpose(others), **how, label=label)
        if self.labels is None:
            axis.scatter(*np.transpose(points), s=4, alpha=0.8, linewidths=0, color="C0", label=front)
        else:
            classes = self._classes_onto(axis, np.asarray(points))
            if not self._has_own_colours:
                self._names_onto(axis, np.asarray(points))
                axis.scatter([], [], linewidths=0, color="k", label=f"{front}, classes by name")
        if self.axes is None:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        else:
            axis.set(xlabel=self.axes[0], ylabel=self.axes[1], aspect="equal")
        if self.frame is not None:
            axis.set(xlim=self.frame[:, 0], ylim=self.frame[:, 1])
        below = -0.02 if self.axes is None else -0.16
        handles, names = axis.get_legend_handles_labels()
        if names:
            _legend(axis, handles, names, below, ncols=2)
            below -= 0.07
        if self._has_own_colours:
            how = {"title": f"{front}, by class", "columnspacing": 1.2, "handletextpad": 0.2}
            _legend(axis, [*classes.values()], [*classes], below, ncols=6, **how)

    def _classes_onto(self, axis, points):
        """Those of unknown class in grey, the others in colours; name of a class -> its points as they are drawn."""
        drawn = {}
        for number, label in enumerate(np.unique(self.labels[self.labels >= 0])):
            drawn[str(label)] = axis.scatter(
                *points[self.labels == label].T, s=4, linewidths=0, color=f"C{number % 10}"
            )
        if (self.labels < 0).any():
            drawn["unknown"] = axis.scatter(*points[self.labels < 0].T, s=4, linewidths=0, color=GREY, zorder=0.9)
        return drawn

    def _names_onto(self, axis, points):
        """The name of each class, where it is densest."""
        from matplotlib.patheffects import withStroke

        outline = [withStroke(linewidth=2, foreground="w")]
        for label in np.unique(self.labels[self.labels >= 0]):
            own = points[self.labels == label]
            gaps = np.linalg.norm(own[:, None] - own, axis=2)
            densest = own[np.argmin(np.quantile(gaps, 0.25, axis=1))]
            axis.text(*densest, str(label), weight="bold", ha="center", va="center", path_effects=outline)


def _legend(axis, handles, names, below, **how):
    """One more legend, below the axis: `axis.legend` alone keeps the last only."""
    from matplotlib.legend import Legend

    made = Legend(axis, handles, names, loc="upper center", bbox_to_anchor=(0.5, below), **how)
    for handle in made.legend_handles:
        handle.set_sizes([16])
        handle.set_alpha(1)
    axis.add_artist(made)
    made.set_clip_on(False)  # else the layout leaves no room for it


@dataclass(frozen=True, eq=False)
class HeatMap(Drawing):
    """A matrix in colours: blue below 0, red above.

    Attributes:
        matrix: (rows, columns).
        title: above.
        unit: of the values.
        across, along: what columns and rows are.
        names: of the rows; None: their numbers. Of more than a hundred rows as many are named as can be read.
        limit: value of the darkest colour; None: the largest absolute value.
    """

    matrix: np.ndarray
    title: str = ""
    unit: str = ""
    across: str = ""
    along: str = ""
    names: Sequence[str] | None = None
    limit: float | None = None

    @property
    def size(self) -> tuple[float, float]:
        rows, columns = self.matrix.shape
        if self._is_listed:
            height, width = max(1.0, _NAME * min(rows, _NAMES)), max(1.2, _CELL * columns)
            return 2.2 + min(_WIDEST, width), 0.9 + height
        return 1.6 + min(_LARGE, max(1.2, _CELL * columns)), 0.9 + min(_LARGE, max(1.0, _CELL * rows))

    @property
    def _is_listed(self) -> bool:
        """Whether rows are as high as their names, and cells no squares: with squares they would be too small."""
        return self.names is not None and max(self.matrix.shape) * _CELL > _LARGE

    def _onto(self, axis: "Axes") -> None:
        limit = self.limit or float(np.abs(self.matrix).max()) or 1.0
        image = axis.imshow(
            self.matrix, DIVERGING, vmin=-limit, vmax=limit, aspect="auto" if self._is_listed else "equal"
        )
        beyond = "both" if np.abs(self.matrix).max() > limit else "neither"
        axis.figure.colorbar(image, ax=axis, label=self.unit, extend=beyond)
        axis.set(xlabel=self.across, ylabel=self.along)
        axis.locator_params(integer=True)
        if self.names is not None:
            step = -(-len(self.names) // _NAMES)
            axis.set_yticks(range(0, len(self.names), step), self.names[::step])


@dataclass(frozen=True, eq=False)
class MaskTrace(Drawing):
    """A mask over the steps of training, a line for each dimension: those that stay active, and those that close.

    Attributes:
        steps: (t,).
        alphas: (t, latent_dim), in [0, 1).
        title: above.
    """

    steps: np.ndarray
    alphas: np.ndarray
    title: str = "Mask"

    @classmethod
    def read(cls, path: str | Path, title: str = "Mask") -> "MaskTrace":
        """What `ki.training.MaskRecorder` wrote.

        Raises:
            OSError: there is no such file.
            ValueError: it is another one.
        """
        found = read_npz(path)
        shapes = {name: array.shape for name, array in found.items() if array.dtype.kind in "iuf"}
        steps, alphas = shapes.get("steps", ()), shapes.get("alphas", ())
        if len(shapes) != 2 or len(found) != 2 or len(alphas) != 2 or 0 in alphas or alphas[:1] != steps:
            raise ValueError(f"{path} is not the trace of a mask, `steps` (t,) and `alphas` (t, latent_dim)")
        return cls(found["steps"], found["alphas"], title)

    @property
    def size(self) -> tuple[float, float]:
        return 3.6, 2.6

    @property
    def active(self) -> np.ndarray:
        """Which dimensions are active in the end, (latent_dim,) booleans."""
        return self.alphas[-1] >= ACTIVE

    def _onto(self, axis: "Axes") -> None:
        for chosen, colour, what in ((self.active, "C0", "stay"), (~self.active, "C1", "close")):
            for number, alpha in enumerate(self.alphas.T[chosen]):
                label = None if number else f"{chosen.sum()} of {len(chosen)} {what}"
                axis.plot(self.steps, alpha, color=colour, linewidth=0.8, alpha=0.8, label=label)
        axis.axhline(ACTIVE, color=GREY, linestyle=":", label=f"active from {ACTIVE:g} on")
        axis.set(xlabel="training step", ylabel=r"mask $\alpha_j$ (factor of $z_j$)", ylim=(-0.02, 1.02))
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))


@dataclass(frozen=True, eq=False)
class PrecisionRecall(Drawing):
    """Precision-recall curves of distributions; the area below a curve is what can be had of both.

    Attributes:
        curves: whose -> the curve, of `ki.metrics.precision_recall_distribution`.
        title: above.
    """

    curves: Mapping[str, PrecisionRecallCurve]
    title: str = "Precision and recall"

    @property
    def size(self) -> tuple[float, float]:
        return 3.4, 3.6 + 0.16 * len(self.curves)

    def _onto(self, axis: "Axes") -> None:
        for (name, curve), style in zip(self.curves.items(), ("-", "--", "-.", ":") * len(self.curves), strict=False):
            recall_like, precision_like = curve.f_beta
            label = f"{name}: $F_8$ {recall_like:.2f}, $F_{{1/8}}$ {precision_like:.2f}"
            axis.plot(curve.recall, curve.precision, style, label=label)
        axis.set(xlabel="recall (share of the data)", ylabel="precision (share of the samples)")
        axis.set(xlim=(0, 1.01), ylim=(0, 1.01), aspect="equal")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18))


@dataclass(frozen=True, eq=False)
class OverDimension(Drawing):
    """Numbers of runs over the size of their codes: a point for each run, a line through the means.

    Attributes:
        series: what -> (latent_dim, value) of each run.
        title: above.
        unit: of the values.
    """

    series: Mapping[str, Sequence[tuple[int, float]]]
    title: str = ""
    unit: str = "Frechet distance"

    @property
    def size(self) -> tuple[float, float]:
        return 3.6, 2.8

    def _onto(self, axis: "Axes") -> None:
        markers = ("o", "s", "^", "D", "v") * len(self.series)
        for number, ((label, pairs), marker) in enumerate(zip(self.series.items(), markers, strict=False)):
            colour, means = f"C{number % 10}", _means(pairs)
            axis.plot(*np.array(pairs, float).T, marker, color=colour, markersize=3, alpha=0.6)
            axis.plot([*means], [*means.values()], "-", marker=marker, color=colour, markersize=4, label=label)
        sizes = sorted({size for pairs in self.series.values() for size, _ in pairs})
        axis.set(xlabel="dimensions of the codes", ylabel=self.unit)
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, sizes, minor=False)
        axis.set_ylim(bottom=0)
        axis.minorticks_off()
        axis.legend()


def _means(pairs: Sequence[tuple[int, float]]) -> dict[int, Any]:
    """size -> mean, in the order of sizes."""
    return {size: np.mean([value for other, value in pairs if other == size]) for size in sorted({s for s, _ in pairs})}
