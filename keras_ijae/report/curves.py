"""Curves of every logged term, of all runs in one chart each."""

import numpy as np
import plotly.graph_objects as go

from keras_ijae.evaluation.better import is_objective, sense
from keras_ijae.figures import PALETTE
from keras_ijae.report.charts import Chart, chart, line
from keras_ijae.report.reading import Run
from keras_ijae.training.comparing import objective

_VALIDATED = "val_"
_APART = "Each run's own objective: values of one do not compare with those of another."


def curves(runs: list[Run]) -> list[Chart]:
    """A chart for each term, those of losses first; validation is dashed."""
    names = dict.fromkeys(name.removeprefix(_VALIDATED) for run in runs for name in run.curves)
    return [_chart(term, runs) for term in sorted(names, key=lambda name: not name.endswith("loss"))]


def _chart(term, runs):
    drawn, said = [], []
    having = [run for run in runs if {term, _VALIDATED + term} & run.curves.keys()]
    apart = is_objective(term) and len({objective(run.recipe, term) for run in having}) > 1
    for run, colour in zip(runs, _cycled(len(runs)), strict=True):
        for name, label, dash in ((term, "training", "solid"), (_VALIDATED + term, "validation", "dot")):
            if name in run.curves:
                label = label if len(runs) == 1 else f"{run.name}, {label}"
                drawn.append(line(label, *run.curves[name], colour, dash=dash))
                better = 0 if apart or _is_warming_up(name, run) else sense(name, run.curves)
                drawn += _best(label, better, *run.curves[name], colour)
                said.append(f"{label}: {_extremes(*run.curves[name])}")
    caption = "; ".join(said) + (f". {_APART}" if apart else "")
    return chart(term, drawn, "epoch", "", caption, hovermode="x unified", hoverdistance=-1)


def _is_warming_up(name, run):
    """Whether this is a loss of moves, and the weight of the KL in it has changed."""
    return name.endswith("_loss") and name != "val_loss" and "beta" in run.curves and np.ptp(run.curves["beta"][1]) > 0


def _best(label, sense, epochs, values, colour):
    """A star at the best value, of a term of which more (1) or less (-1) is better."""
    if not sense or not np.isfinite(values).any():
        return []
    at = np.nanargmax(np.where(np.isfinite(values), sense * values, np.nan))
    marker = {"symbol": "star", "size": 11, "color": colour}
    best = {"x": epochs[at : at + 1], "y": values[at : at + 1], "hovertemplate": "best: %{y:.5g} at epoch %{x}"}
    return [go.Scatter(name=label, mode="markers", marker=marker, showlegend=False, **best)]


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
    return [PALETTE[index % len(PALETTE)] for index in range(count)]
