"""Observations that are no images: shares in one dimension, a plane in two, lines over the features in more."""

import numpy as np

from keras_ijae.figures import PALETTE
from keras_ijae.report.beside import histogram
from keras_ijae.report.charts import GREY, Chart, chart, line, lines, points
from keras_ijae.report.looking import Absent, Look
from keras_ijae.report.reading import FAILURES

_LINES, _PAIRS = 20, 6
_WAY = {"mode": "lines+markers", "opacity": 0.7}


def compared(title: str, look: Look) -> Chart:
    """Samples beside held-out data, or alone where these cannot be had."""
    try:
        sets = {"samples": look.samples, "held-out": look.rows[0]}
    except Absent:
        raise
    except FAILURES:  # the page says so where it is about data
        sets = {"samples": look.samples}
    size = look.model.data_shape[0]
    if size == 1:
        return histogram(title, {name: rows[:, 0] for name, rows in sets.items()}, "value", look.run.colour)
    colours, sets = {"held-out": GREY, "samples": look.run.colour}, dict(reversed(sets.items()))  # samples in front
    if size == 2:
        clouds = [points(name, rows, colours[name], opacity=0.6) for name, rows in sets.items()]
        return chart(title, clouds, "feature 0", "feature 1", alike="xy")
    drawn = [_over_features(name, rows[:_LINES], colours[name]) for name, rows in sets.items()]
    return chart(title, drawn, "feature", "value", f"{_LINES} of each", alike="xy")


def pairs(x: np.ndarray, remade: np.ndarray, own: str) -> Chart:
    """Held-out observations and their reconstructions, which have the run's own colour where they are points."""
    title = "Held-out data and their reconstructions"
    if x.shape[1] == 2:
        return chart(
            title,
            [
                lines("from one to the other", np.stack([x, remade], axis=1), GREY),
                points("held-out", x, GREY, symbol="circle-open", opacity=1),
                points("reconstructed", remade, own),
            ],
            "feature 0",
            "feature 1",
            alike="xy",
        )
    features, drawn = np.arange(x.shape[1]), []
    for index, colour in zip(range(min(_PAIRS, len(x))), PALETTE, strict=False):
        drawn.append(line(f"example {index}", features, x[index], colour))
        drawn.append(line(f"its reconstruction {index}", features, remade[index], colour, dash="dot", showlegend=False))
    return chart(title, drawn, "feature", "value", "Reconstructions are dotted.")


def ways(rows: np.ndarray, own: str) -> Chart:
    """Rows of decoded steps, (n, steps, features), in the run's own colour."""
    _, steps, features = rows.shape
    if features <= 2:
        across = np.arange(steps) if features == 1 else None
        drawn = [
            line(f"row {index}", *((across, row[:, 0]) if features == 1 else row.T), own, **_WAY, showlegend=False)
            for index, row in enumerate(rows)
        ]
        axes = ("step", "value") if features == 1 else ("feature 0", "feature 1")
        return chart("Steps from one to the other", drawn, *axes, alike="xy")
    first = rows[0]
    drawn = [
        line(f"step {index}", np.arange(features), row, own, opacity=0.25 + 0.75 * index / (steps - 1))
        for index, row in enumerate(first)
    ]
    return chart("Steps of the first row, fading in", drawn, "feature", "value")


def _over_features(name, rows, colour):
    """Rows as one trace, each a line over its features."""
    features = np.tile(np.arange(rows.shape[1]), (len(rows), 1))
    drawn = lines(name, np.stack([features, rows], axis=2), colour, opacity=0.6)
    return drawn.update(line={"width": 1})
