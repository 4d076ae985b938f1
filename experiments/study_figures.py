"""The runs of a study as two pictures: distances, and samples of all systems side by side."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from study import LEVELS, label

from keras_ijae.figures import new_figure, save_figure, styled
from keras_ijae.files import replacing

PIXELS = 1300  # of a sheet's width, at least
CAPTION, LETTERS = 28, 36  # pixels below a tile, two lines of letters


@styled()
def draw_distances(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    """Distance of samples against distance of reconstructions, a labelled point for each run.

    Systems without an encoder stand on a line of their own, at the right.
    """
    figure = new_figure(10, 8)
    axis = figure.subplots()
    remade = [float(row["reconstructions"]) for row in rows if row["reconstructions"]]
    right = 2 * max(remade, default=1.0)
    at = [(float(row["reconstructions"] or right), float(row["samples"])) for row in rows]
    for colour, other, what in (("C0", False, "as trained"), ("C1", True, "with another prior, fitted to its codes")):
        points = [point for point, row in zip(at, rows, strict=True) if bool(row["prior"]) == other]
        if points:
            axis.plot(*zip(*points, strict=True), "o", color=colour, markersize=4, label=what)
    if len(remade) < len(rows):
        axis.axvline(right, color="grey", linestyle=":", label="no encoder")
    axis.set(xscale="log", yscale="log", xlabel="Frechet distance of reconstructions")
    axis.set(ylabel="Frechet distance of samples", title="To the same held-out images: left and low is better")
    axis.legend(fontsize="small")
    label_points(axis, at, [label(row) for row in rows])
    save_figure(figure, path, dpi=100)


def label_points(axis: Any, points: Sequence[tuple[float, float]], texts: Sequence[str]) -> None:
    """At last, on logarithmic axes: each text beside its point, where it hides the fewest points and other texts."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    for line in (axis.xaxis, axis.yaxis):
        line.set_major_locator(LogLocator(subs=(1, 2, 5)))
        line.set_major_formatter(ScalarFormatter())
        line.set_minor_formatter(NullFormatter())
    axis.margins(0.12)
    axis.figure.draw_without_rendering()
    axis.figure.set_layout_engine("none")  # everything stays where it is
    pixels = axis.transData.transform(points)
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in pixels] + [(axis.bbox.x1, 0, 9999, 9999)]
    for (x, y), text in zip(pixels, texts, strict=True):
        width, height = 5.4 * len(text), 11  # of 7 points at 100 dots per inch
        places = [(x + dx - (width if dx < 0 else 0), y + dy) for dx in (5, -5) for dy in (-5, 3, -13, 11, -21, 19)]
        boxes = [(left, low, left + width, low + height) for left, low in places]
        box = min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken))
        taken.append(box)
        axis.annotate(text, (x, y), (box[0] - x, box[1] + 2 - y), "figure pixels", "offset pixels", fontsize=7)


def _overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if min(width, height) > 0 else 0


def draw_lines(
    axes: Sequence[Any],
    curves: Sequence[tuple[str, str]],
    lines: Mapping[str, Sequence[Mapping[str, str]]],
    place: Callable[[Mapping[str, str]], float],
) -> None:
    """On each axis a column of `curves` (column, title): a dot for each row at `place`, a line through their means."""
    for axis, (column, title) in zip(axes, curves, strict=True):
        for name, rows in lines.items():
            found: dict[float, list[float]] = {}
            for row in (row for row in rows if row[column]):
                found.setdefault(place(row), []).append(float(row[column]))
            points = [(at, value) for at in sorted(found) for value in found[at]]
            if points:
                (dots,) = axis.plot(*zip(*points, strict=True), "o", markersize=4)
                means = [(at, np.mean(found[at])) for at in sorted(found)]
                axis.plot(*zip(*means, strict=True), "-", label=name, color=dots.get_color())
        axis.set(title=title)
    axes[0].legend(fontsize="small")


def draw_sheet(pictures: Mapping[str, Path], path: Path) -> None:
    """The samples of many runs on one sheet, each above its caption; those whose picture is missing are left out."""
    import tensorflow as tf
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = {name: tf.io.decode_png(p.read_bytes(), 3).numpy() for name, p in pictures.items() if p.exists()}
    if missing := sorted(set(pictures) - set(found)):
        print(f"Not on the sheet, for lack of their pictures: {', '.join(missing)}")
    if not found:
        return
    height, width = np.max([tile.shape[:2] for tile in found.values()], axis=0) + (CAPTION + 6, 10)
    columns = -(-PIXELS // width)
    canvas = np.full((-(-len(found) // columns) * height, columns * width, 3), 255, np.uint8)
    figure = Figure(figsize=((canvas.shape[1] + 0.5) / 100, (canvas.shape[0] + 0.5) / 100), dpi=100)
    for index, (name, tile) in enumerate(found.items()):
        top, left = index // columns * height + 5, index % columns * width + 5
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        low = 1 - (top + height - CAPTION - 4) / canvas.shape[0]
        figure.text(left / canvas.shape[1], low, textwrap.fill(name, LETTERS), fontsize=8, verticalalignment="top")
    figure.figimage(canvas)
    (drawn := FigureCanvasAgg(figure)).draw()
    pixels = np.asarray(drawn.buffer_rgba())[..., :3]
    pixels = pixels[..., :1] if (canvas == canvas[..., :1]).all() else pixels  # all tiles are grey
    steps = 255 // (LEVELS - 1)
    with replacing(path) as temporary:
        temporary.write_bytes(tf.io.encode_png(np.round(pixels / steps).astype(np.uint8) * steps).numpy())
