"""Charts of the page, as Plotly figures that need no more than its script, which the page holds."""

import dataclasses
import html
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from keras_ijae.figures import PALETTE

GREY, GREEN = "#8a8f98", "#2f9e77"
"""Of what stands behind, as held-out data behind samples; and of a prior, which is none of the palette's."""


@dataclasses.dataclass(frozen=True)
class Chart:
    """A figure.

    Attributes:
        title: above it, as text of the page.
        figure: of Plotly.
        caption: below it.
        tall: whether it needs more height than others.
        alike: the axes, of "x" and "y", that mean the same for every run.
        sets: of a histogram, its numbers by name, else none.
    """

    title: str
    figure: go.Figure
    caption: str = ""
    tall: bool = False
    alike: str = ""
    sets: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def json(self) -> Markup:
        """The figure, as it may stand in a script element."""
        return Markup(self.figure.to_json().replace("<", "\\u003c"))


def chart(
    title: str,
    traces: Sequence[go.Scatter],
    x: str,
    y: str,
    caption: str = "",
    tall: bool = False,
    alike: str = "",
    **layout: object,
) -> Chart:
    """A chart with named axes."""
    return Chart(title, figure_of(traces, x, y, tall, **layout), caption, tall, alike)


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
    name: str,
    xy: np.ndarray,
    labels: np.ndarray | None,
    keys: Sequence[str] | None = None,
    colour: str = PALETTE[0],
) -> list[go.Scatter]:
    """A cloud of points, in a colour for each of up to ten labels; else in the one `colour`."""
    kinds = np.unique(labels) if labels is not None else ()
    if not 1 < len(kinds) <= len(PALETTE):
        text = None if labels is None else [f"label {label}" for label in labels]
        return [points(name, xy, colour, text, keys=keys)]
    drawn = []
    for kind, colour in zip(kinds, PALETTE, strict=False):
        own = np.flatnonzero(labels == kind)
        own_keys = None if keys is None else [keys[index] for index in own]
        label, text = "unknown" if kind == -1 else str(kind), [f"label {kind}"] * len(own)
        drawn.append(points(label, xy[own], colour, text, keys=own_keys))
    return drawn


def bars(title: str, values: np.ndarray, strong: np.ndarray, x: str, y: str, colour: str, caption: str = "") -> Chart:
    """A bar for each dimension; those that are `strong` in colour."""
    colours = [colour if one else GREY for one in strong]
    drawn = go.Bar(x=np.arange(len(values)), y=values, marker={"color": colours}, hovertemplate="%{x}: %{y:.4g}")
    return chart(title, [drawn], x, y, caption, alike="y", bargap=0.15)


def heat_map(title: str, matrix: np.ndarray, names: Sequence[str], axis: str, colour: str, caption: str = "") -> Chart:
    """Absolute values from 0 to 1."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    drawn = go.Heatmap(
        z=np.abs(matrix),
        x=list(names),
        y=list(names),
        zmin=0,
        zmax=1,
        colorscale=[[0, f"rgba({red},{green},{blue},0)"], [1, colour]],
        colorbar={"thickness": 10, "outlinewidth": 0},
        hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
    )
    category = {"type": "category", "autorange": True}
    return chart(title, [drawn], axis, axis, caption, True, xaxis=category, yaxis={**category, "autorange": "reversed"})
