"""The plane of codes: samples of the prior as crosses, data by label, and marks of what is picked."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from dash import Patch

from keras_ijae.explorer.space import Space
from keras_ijae.report.charts import GREEN, by_label, figure_of, points

_PRIOR = 0
_MARKS = {"size": 12, "symbol": "circle-open", "line": {"width": 2}, "color": "#c43a2b"}


def figure(space: Space, seed: int) -> go.Figure:
    """All of it, with the samples of a seed."""
    traces = [
        points("prior", _of_samples(space, seed), GREEN, opacity=0.6, symbol="x-thin-open", keys=space.keys(seed))
    ]
    if space.x is not None:
        traces += by_label("data", space.plane.of(space.codes), space.labels, keys=space.keys())
    marks = {"mode": "markers+text", "marker": _MARKS, "textposition": "top center", "hoverinfo": "skip"}
    marks["unselected"] = {"marker": {"opacity": 1}, "textfont": {"color": _MARKS["color"]}}
    traces.append(go.Scatter(name="picked", x=[], y=[], showlegend=False, **marks))
    drawn = figure_of(traces, *space.plane.axes, dragmode="lasso", uirevision="kept", hovermode="closest")
    above = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    return drawn.update_layout(legend=above, modebar={"orientation": "v"}, margin={"t": 60, "r": 40})


def marked(space: Space, figure: go.Figure, codes: np.ndarray, names: Sequence[str]) -> Patch:
    """Marks at codes (n, d), the last of which is steered."""
    patch, xy = Patch(), space.plane.of(codes)
    marks, symbols = patch["data"][len(figure.data) - 1], ["circle-open"] * (len(codes) - 1) + ["cross-thin-open"]
    marks.update(x=xy[:, 0].tolist(), y=xy[:, 1].tolist(), text=list(names), marker={**_MARKS, "symbol": symbols})
    return patch


def redrawn(space: Space, seed: int) -> Patch:
    """The prior's points are those of a seed."""
    patch, xy = Patch(), _of_samples(space, seed)
    patch["data"][_PRIOR].update(x=xy[:, 0].tolist(), y=xy[:, 1].tolist(), customdata=space.keys(seed))
    return patch


def _of_samples(space, seed):
    return space.plane.of(space.drawn(seed))
