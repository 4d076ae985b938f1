"""Charts of the page, as Plotly figures that need no more than its script, which the page holds."""

import dataclasses
import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from keras_ijae.figures import PALETTE

GREY, GREEN = "#8a8f98", "#2f9e77"
"""Of what stands behind; and of a prior, which is none of the palette's."""


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        title: above it, as text of the page.
        json: of the figure, which may stand in a script element.
        caption: below it.
        tall: whether it needs more height than others.
    """

    title: str
    json: Markup
    caption: str = ""
    tall: bool = False


def chart(
    title: str, traces: Sequence[go.Scatter], x: str, y: str, caption: str = "", tall: bool = False, **layout: object
) -> Chart:
    """A chart with named axes."""
    figure = figure_of(traces, x, y, tall, **layout)
    return Chart(title, Markup(figure.to_json().replace("<", "\\u003c")), caption, tall)


def figure_of(traces: Sequence[go.Scatter], x: str, y: str, tall: bool = False, **layout: object) -> go.Figure:
    """A figure with named axes. Names of traces and axes are text: nothing in them is markup."""
    figure = go.Figure([trace.update(name=html.escape(trace.name or "", quote=False)) for trace in traces])
    several = sum(trace.showlegend is not False for trace in traces) > 1
    figure.update_layout(
        template={},
        margin={"l": 56, "r": 12, "t": 26, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "inherit", "size": 12},
        showlegend=several,
        legend={"orientation": "h", "y": -0.16 if tall else -0.22, "x": 0},
        hoverlabel={"bgcolor": "#1d2126", "bordercolor": "#646b75", "font": {"family": "inherit", "color": "#ffffff"}},
        **layout,
    )
    figure.update_xaxes(title={"text": html.escape(x, quote=False), "standoff": 6}, zeroline=False, automargin=True)
    figure.update_yaxes(title={"text": html.escape(y, quote=False), "standoff": 6}, zeroline=False, automargin=True)
    return figure


def line(name: str, x: np.ndarray, y: np.ndarray, colour: str, **style: object) -> go.Scatter:
    """A line; few points are marked, and those that are not finite are gaps."""
    y = np.where(np.isfinite(y), y, np.nan)
    mode = "lines+markers" if len(y) <= 30 else "lines"
    style = {"mode": mode, "hovertemplate": "%{x}: %{y:.5g}", **style}
    shape = {"color": colour, "width": 2, "dash": style.pop("dash", "solid")}
    return go.Scatter(name=name, x=x, y=y, line=shape, marker={"size": 4}, **style)


def lines(name: str, paths: np.ndarray, colour: str, **style: object) -> go.Scatter:
    """Paths (n, steps, 2) as one trace, with gaps between them."""
    gaps = np.full((len(paths), 1, 2), np.nan)
    return line(name, *np.concatenate([paths, gaps], axis=1).reshape(-1, 2).T, colour, mode="lines", **style)


def points(
    name: str,
    xy: np.ndarray,
    colour: str,
    text: Sequence[str] | None = None,
    opacity: float = 0.75,
    symbol: str = "circle",
    keys: Sequence[str] | None = None,
) -> go.Scatter:
    """A cloud of points, (n, 2); with keys, by which events name them, it says nothing of itself."""
    template = "%{text}" if text is not None else "%{x:.3g}, %{y:.3g}"
    marker = {"size": 5, "color": colour, "opacity": opacity, "symbol": symbol}
    options = {"text": None if text is None else list(text), "hovertemplate": template}
    if keys is not None:
        options = {"customdata": list(keys), "hoverinfo": "none"}
    return go.Scatter(name=name, x=xy[:, 0], y=xy[:, 1], mode="markers", marker=marker, **options)


def by_label(
    name: str, xy: np.ndarray, labels: np.ndarray | None, keys: Sequence[str] | None = None
) -> list[go.Scatter]:
    """A cloud of points, in a colour for each of up to ten labels."""
    kinds = np.unique(labels) if labels is not None else ()
    if not 1 < len(kinds) <= len(PALETTE):
        text = None if labels is None else [f"label {label}" for label in labels]
        return [points(name, xy, PALETTE[0], text, keys=keys)]
    drawn = []
    for kind, colour in zip(kinds, PALETTE, strict=False):
        own = np.flatnonzero(labels == kind)
        own_keys = None if keys is None else [keys[index] for index in own]
        label, text = "unknown" if kind == -1 else str(kind), [f"label {kind}"] * len(own)
        drawn.append(points(label, xy[own], colour, text, keys=own_keys))
    return drawn


def bars(title: str, values: np.ndarray, strong: np.ndarray, x: str, y: str, caption: str = "") -> Chart:
    """A bar for each dimension; those that are `strong` in colour."""
    colours = [PALETTE[0] if one else GREY for one in strong]
    drawn = go.Bar(x=np.arange(len(values)), y=values, marker={"color": colours}, hovertemplate="%{x}: %{y:.4g}")
    return chart(title, [drawn], x, y, caption, bargap=0.15)


def histogram(title: str, values: dict[str, np.ndarray], x: str, caption: str = "") -> Chart:
    """Shares of several sets of numbers in the same bins."""
    joined = np.concatenate(list(values.values()))
    edges = np.histogram_bin_edges(joined, bins=40)
    drawn = []
    for (name, numbers), colour in zip(values.items(), PALETTE, strict=False):
        shares = np.histogram(numbers, edges)[0] / len(numbers)
        drawn.append(line(name, (edges[1:] + edges[:-1]) / 2, shares, colour, mode="lines"))
        drawn[-1].line.shape = "hvh"
    return chart(title, drawn, x, "share", caption)


def heat_map(title: str, matrix: np.ndarray, names: Sequence[str], axis: str, caption: str = "") -> Chart:
    """Absolute values from 0 to 1."""
    drawn = go.Heatmap(
        z=np.abs(matrix),
        x=list(names),
        y=list(names),
        zmin=0,
        zmax=1,
        colorscale=[[0, "rgba(63,127,214,0)"], [1, PALETTE[0]]],
        colorbar={"thickness": 10, "outlinewidth": 0},
        hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
    )
    category = {"type": "category", "autorange": True}
    return chart(title, [drawn], axis, axis, caption, True, xaxis=category, yaxis={**category, "autorange": "reversed"})
