"""Curves of every logged term, of all runs in one chart each."""

import numpy as np
import plotly.graph_objects as go

from keras_ijae.report.charts import COLOURS, Chart, chart, line
from keras_ijae.report.reading import Run

_VALIDATED = "val_"
_LOWER = ("loss", "error", "error_mean", "error_sum", "distance", "fid", "kid", "mse", "lpips")
_HIGHER = ("accuracy", "psnr", "ssim", "precision", "recall", "density", "coverage", "inception_score", "elbo")
"""Ends of names of what is better lower, and higher; of other terms neither is."""


def curves(runs: list[Run]) -> list[Chart]:
    """A chart for each term, those of losses first; validation is dashed."""
    names = dict.fromkeys(name.removeprefix(_VALIDATED) for run in runs for name in run.curves)
    return [_chart(term, runs) for term in sorted(names, key=lambda name: not name.endswith("loss"))]


def _chart(term, runs):
    drawn, said = [], []
    for run, colour in zip(runs, _cycled(len(runs)), strict=True):
        for name, label, dash in ((term, "training", "solid"), (_VALIDATED + term, "validation", "dot")):
            if name in run.curves:
                label = label if len(runs) == 1 else f"{run.name}, {label}"
                drawn.append(line(label, *run.curves[name], colour, dash=dash))
                drawn += _best(label, term, *run.curves[name], colour)
                said.append(f"{label}: {_extremes(*run.curves[name])}")
    return chart(term, drawn, "epoch", "", "; ".join(said), hovermode="x unified", hoverdistance=-1)


def _best(label, term, epochs, values, colour):
    """A star at the best value, for a term that has one."""
    sign = 1 if _ends(term, _LOWER) else -1 if _ends(term, _HIGHER) else 0
    if not sign or not np.isfinite(values).any():
        return []
    at = np.nanargmin(np.where(np.isfinite(values), sign * values, np.nan))
    marker = {"symbol": "star", "size": 11, "color": colour}
    best = {"x": epochs[at : at + 1], "y": values[at : at + 1], "hovertemplate": "best: %{y:.5g} at epoch %{x}"}
    return [go.Scatter(name=label, mode="markers", marker=marker, showlegend=False, **best)]


def _ends(term, ends):
    """Whether a name, without an extractor in brackets, ends in one of these words."""
    return term.partition("[")[0].endswith(ends)


def _extremes(epochs, values):
    finite = np.isfinite(values)
    if not finite.any():
        return "no finite value"
    epochs, values = epochs[finite], values[finite]
    low, high = values.argmin(), values.argmax()
    return (
        f"last {values[-1]:.4g}, lowest {values[low]:.4g} at epoch {epochs[low]:.0f}, "
        f"highest {values[high]:.4g} at epoch {epochs[high]:.0f}"
    )


def _cycled(count):
    return [COLOURS[index % len(COLOURS)] for index in range(count)]
