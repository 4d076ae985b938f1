"""How every figure looks: colours that the colour-blind tell apart, letters and lines of the size that print needs."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keras_ijae.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = (
    "#3f90da", "#bd1f01", "#ffa90e", "#832db6", "#94a4a2", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""The ten colours of Petroff 2021, "Accessible color sequences for data visualization", blue and red first."""
GREY = "0.6"
"""Of what stands behind: reference lines, a prior."""
DIVERGING = "RdBu_r"
"""The colour map of values around 0."""

_STYLE = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # letters stay letters: journals ask for it
    "svg.hashsalt": "keras_ijae",  # the same figure is the same file
}


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings are those of this library's figures within."""
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**_STYLE, "axes.prop_cycle": cycler(color=PALETTE)}):
        yield


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure in which nothing overlaps; within `styled()` it has the style.

    Args:
        width, height: in inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: "Figure", path: str | os.PathLike, **options: Any) -> None:
    """Writes a figure, whole or not at all, in the format of the suffix of `path`: .png, .pdf, .svg, ...

    Args:
        figure: of Matplotlib.
        path: the file.
        **options: of `Figure.savefig`, as `dpi` (200).
    """
    with styled(), replacing(path) as temporary:
        figure.savefig(temporary, **{"bbox_inches": "tight", "pad_inches": 0.04, **options})
