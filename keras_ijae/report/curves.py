"""Curves of every logged term, of all runs in one chart each."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from keras_ijae.evaluation.better import is_objective, sense
from keras_ijae.report.charts import Chart, chart, line
from keras_ijae.report.reading import Run
from keras_ijae.training.comparing import objective

_VALIDATED = "val_"
_APART = "An objective of its own: its values do not compare with those of the other runs."


def curves(runs: list[Run]) -> list[Chart]:
    """A chart for each term that varies, those of losses first; validation is dotted.

    Losses of different objectives do not compare: each objective has a chart of its own.
    """
    terms = [term for term in _terms(runs) if not _constant(term, runs)]
    of_terms = ((term, _comparable(term, runs)) for term in sorted(terms, key=lambda name: not name.endswith("loss")))
    return [_chart(term, group, groups, len(runs) > 1) for term, groups in of_terms for group in groups]


def constants(runs: list[Run]) -> list[str]:
    """A line for each term that had one value throughout."""
    return [_one_value(term, runs) for term in _terms(runs) if _constant(term, runs)]


def _terms(runs):
    return [*dict.fromkeys(name.removeprefix(_VALIDATED) for run in runs for name in run.curves)]


def _having(term, runs):
    return [run for run in runs if {term, _VALIDATED + term} & run.curves.keys()]


def _constant(term, runs):
    """Whether a term was logged for several epochs, and always the same in each run."""
    logged = [[run.curves[name][1] for name in (term, _VALIDATED + term) if name in run.curves] for run in runs]
    joined = [np.concatenate(values) for values in logged if values]
    return all(np.isfinite(values).all() and np.ptp(values) == 0 for values in joined) and max(map(len, joined)) > 1


def _one_value(term, runs):
    values = {
        run.name: run.curves[term if term in run.curves else _VALIDATED + term][1][0] for run in _having(term, runs)
    }
    if len(set(values.values())) == 1 and len(values) == len(runs):
        return f"`{term}` is {next(iter(values.values())):.5g} throughout."
    return f"`{term}` is {', '.join(f'{value:.5g} in {name}' for name, value in values.items())}, throughout."


def _comparable(term, runs):
    """The runs that have a term, in groups whose values compare."""
    groups: dict[Any, list[Run]] = {}
    for run in _having(term, runs):
        groups.setdefault(objective(run.recipe, term) if is_objective(term) else None, []).append(run)
    return list(groups.values())


def _chart(term, runs, groups, named):
    """A chart of the runs of one of the groups."""
    drawn, said = [], []
    for run in runs:
        for name, label, dash in ((term, "training", "solid"), (_VALIDATED + term, "validation", "dot")):
            if name in run.curves:
                label = f"{run.name}, {label}" if named else label
                drawn.append(line(label, *run.curves[name], run.colour, dash=dash))
                better = 0 if _is_warming_up(name, run) else sense(name, run.curves)
                drawn += _best(label, better, *run.curves[name], run.colour)
                said.append(f"{label}: {_extremes(*run.curves[name])}")
    apart = len(groups) > 1
    title = f"{term} of {', '.join(run.name for run in runs)}" if apart else term
    caption = "; ".join(said) + (f". {_APART}" if apart else "")
    return chart(title, drawn, "epoch", "", caption, hovermode="x unified", hoverdistance=-1)


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
