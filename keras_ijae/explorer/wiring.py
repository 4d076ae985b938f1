"""What moves the page: each function answers a change in it. None keeps anything: what was chosen is in the page."""

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props
from dash.exceptions import PreventUpdate

from keras_ijae.explorer import parts, plane, views
from keras_ijae.explorer.space import Space
from keras_ijae.report.pictures import image

HERE, PICKED, CHOSEN = Input("here", "data"), Input("picked", "data"), Input("chosen", "data")
CLASS, SEED, KIND = Input("class", "value"), Input("seed", "value"), Input("kind", "value")


def wire(app: Dash, space: Space, figure: go.Figure) -> None:
    """All that is answered."""
    _points(app, space, figure)
    _steering(app, space)
    _picking(app, space)
    _sampling(app)
    _panel(app, "selected", lambda keys, label: views.selected(space, keys, label), CHOSEN, CLASS)
    _panel(app, "way", lambda *chosen: views.way(space, *chosen), PICKED, Input("ways", "value"), CLASS)
    _panel(
        app,
        "arithmetic",
        lambda here, label, *chosen: views.arithmetic(space, here["code"], _label(here, label), *chosen),
        HERE,
        CLASS,
        Input("added", "value"),
        Input("removed", "value"),
        CHOSEN,
    )
    _panel(app, "samples", lambda seed, label: views.samples(space, _given(seed), label), SEED, CLASS)


def _points(app, space, figure):
    @app.callback(
        Output("hover", "show"),
        Output("hover", "bbox"),
        Output("hover", "children"),
        Input("plane", "hoverData"),
        State("class", "value"),
        prevent_initial_call=True,
    )
    def hover(event, label):
        keys = _keys(event)
        if not keys:
            return False, no_update, no_update
        points = space.points(keys[:1], label)
        one = image(points.images[0], points.names[0])
        return True, event["points"][0]["bbox"], [html.Img(src=one.uri, alt=one.alt), html.Div(points.names[0])]

    @app.callback(Output("chosen", "data"), Input("plane", "selectedData"), prevent_initial_call=True)
    def select(event):
        return _keys(event)

    @app.callback(Output("plane", "figure"), HERE, PICKED)
    def mark(here, picked):
        codes = np.stack([*(space.code(key) for key in picked), here["code"]])
        return plane.marked(space, figure, codes, [*"AB"[: len(picked)], ""])

    @app.callback(Output("plane", "figure", allow_duplicate=True), SEED, prevent_initial_call=True)
    def redraw(seed):
        return plane.redrawn(space, _given(seed))


def _steering(app, space):
    """A slider that is dragged moves the image alone; when it is let go, the code moves and all that hangs on it."""
    dragged, let_go = Input({"slider": ALL}, "drag_value"), Input({"slider": ALL}, "value")

    @app.callback(HERE, CLASS, dragged, State("kind", "value"))
    def follow(here, label, values, kind):
        code, axes = np.array(here["code"]), space.axes[kind]
        if _is_slider(ctx.triggered_id) and len(values) == len(axes.names):
            at = axes.shown(code)
            code = axes.moved(code, [old if new is None else new for old, new in zip(at, values, strict=True)])
        view = views.here(space, code, _label(here, label))
        set_props("image", {"src": image(view.images[0], "decoded").uri})  # outputs wait until no more is asked
        set_props("here-text", {"children": view.text})

    @app.callback(
        Output("here", "data"), let_go, State("kind", "value"), State("here", "data"), prevent_initial_call=True
    )
    def settle(values, kind, here):
        axes, code = space.axes[kind], np.array(here["code"])
        moved = axes.moved(code, values) if len(values) == len(axes.names) else code
        if np.array_equal(moved, code):  # sliders that are new
            raise PreventUpdate
        return {**here, "code": moved.tolist()}

    @app.callback(Output("sliders", "children"), KIND, PICKED, State("here", "data"), prevent_initial_call=True)
    def replace(kind, picked, here):
        return parts.sliders(space.axes[kind], np.array(here["code"]))

    _saving(app, "here", lambda here, label: views.here(space, here["code"], _label(here, label)), HERE, CLASS)


def _picking(app, space):
    """What is clicked is picked, and steered. Tiles that appear count as clicks of none, so theirs stand alone."""

    @app.callback(
        Output("clicked", "data"),
        Output("plane", "clickData"),
        Input("plane", "clickData"),
        prevent_initial_call=True,
    )
    def point(event):
        return _first(_keys(event)), None  # or a second click on the same point would be no change

    @app.callback(
        Output("clicked", "data", allow_duplicate=True),
        Input({"panel": ALL, "key": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def tile(clicks):
        return _first([ctx.triggered_id["key"]] if ctx.triggered[0]["value"] else [])

    @app.callback(
        Output("here", "data", allow_duplicate=True),
        Output("picked", "data"),
        Input("clicked", "data"),
        State("picked", "data"),
        State("class", "value"),
        prevent_initial_call=True,
    )
    def pick(key, picked, label):
        point = space.points([key], label)
        return {"code": point.codes[0].tolist(), "label": int(point.labels[0])}, [*picked, key][-2:]


def _sampling(app):
    @app.callback(
        Output("seed", "value"), Input("again", "n_clicks"), State("seed", "value"), prevent_initial_call=True
    )
    def again(clicks, seed):
        return (_given(seed) + 1) % 2**31


def _panel(app: Dash, name: str, show: Callable[..., views.View], *inputs: Input) -> None:
    """What a panel shows is a function of some inputs; the same is what its buttons save."""

    @app.callback(Output(name, "children"), Output(f"{name}-saving", "hidden"), *inputs)
    def draw(*values):
        view = show(*values)
        return parts.shown(name, view), not len(view.images)

    _saving(app, name, show, *inputs)


def _saving(app, name, show, *inputs):
    buttons = Input(f"{name}-png", "n_clicks"), Input(f"{name}-npz", "n_clicks")
    states = [State(one.component_id, one.component_property) for one in inputs]

    @app.callback(Output(f"{name}-file", "data"), *buttons, *states, prevent_initial_call=True)
    def save(png, npz, *values):
        kind = ctx.triggered_id.removeprefix(f"{name}-")
        return dcc.send_bytes({"png": views.png, "npz": views.npz}[kind](show(*values)), f"{name}.{kind}")


def _keys(event: Any) -> list[str]:
    """Of the points in an event of the plane; marks have none."""
    return [point["customdata"] for point in (event or {}).get("points", ()) if "customdata" in point]


def _first(keys):
    if not keys:
        raise PreventUpdate
    return keys[0]


def _is_slider(named):
    return isinstance(named, dict) and "slider" in named


def _label(here, label):
    return here["label"] if label is None else label


def _given(seed):
    """The number in the field, unless it is none."""
    if seed is None:
        raise PreventUpdate
    return int(seed)
