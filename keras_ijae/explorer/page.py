"""The page: what stands in it. `wiring` says what moves it."""

from collections.abc import Sequence
from pathlib import Path

import flask
import numpy as np
from dash import Dash, dcc, html

from keras_ijae.explorer import plane, wiring
from keras_ijae.explorer.parts import sliders
from keras_ijae.explorer.space import Space
from keras_ijae.explorer.views import SELECTION
from keras_ijae.figures import WAYS

_BUTTONS = ["lasso2d", "select2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]
_PLOT = {"displaylogo": False, "responsive": True, "modeBarButtons": [_BUTTONS]}  # none of them shares
_KINDS = {"principal": "principal components", "active": "most active dimensions"}


def page(space: Space, server: flask.Flask) -> flask.Flask:
    """The application with the page in it, which loads nothing from anywhere else."""
    app = Dash(
        "keras_ijae.explorer",
        server=server,
        assets_folder=str(Path(__file__).parent / "assets"),
        title="keras_ijae explorer",
        update_title=None,
        serve_locally=True,
    )
    figure = plane.figure(space, 0)
    app.layout = _layout(space, figure)
    wiring.wire(app, space, figure)
    return server


def _layout(space, figure):
    start = (space.keys() or space.keys(0))[0]
    point = space.points([start])
    here = {"code": point.codes[0].tolist(), "label": int(point.labels[0])}
    return html.Main(
        [
            dcc.Store("here", data=here),
            dcc.Store("picked", data=[start]),
            dcc.Store("clicked"),
            dcc.Store("chosen", data=[]),
            html.H1(space.title, id="title"),
            html.P(_about(space), className="soft"),
            html.Div([_plane(figure), _steering(space, here)], className="columns"),
            _panel("selected", "Selected", []),
            _panel("way", "Between two", [_radio("ways", {way: way for way in WAYS})]),
            _panel("arithmetic", "Attributes", _attributes(space)),
            _panel("samples", "Samples", _sampling()),
        ]
    )


def _about(space):
    model = space.model
    of_data = "no encoder: the points are samples" if space.x is None else f"{len(space.x):,} images"
    classes = "" if model.classes is None else f", conditional on {model.classes} labels"
    return (
        f"{type(model).__name__}{classes}, codes of {model.latent_dim} dimensions; {of_data}, {space.samples:,} "
        f"samples of the prior. {space.plane.title}."
    )


def _plane(figure):
    size = {"height": "min(36rem, 110vw)"}
    graph = dcc.Graph("plane", figure=figure, config=_PLOT, clear_on_unhover=True, className="plot", style=size)
    tip = "Hover shows an image. A click picks it: it is steered at the side. A lasso selects."
    return html.Section([html.H2("Codes"), html.P(tip, className="soft"), graph, dcc.Tooltip(id="hover")])


def _steering(space, here):
    children = [
        html.H2("One code"),
        html.Img(id="image", className="large", alt="decoded"),
        html.P(id="here-text", className="soft"),
        _saving("here"),
        _radio("kind", _KINDS),
        html.Div(sliders(space.axes["principal"], np.array(here["code"])), id="sliders"),
    ]
    classes = [] if space.model.classes is None else list(range(space.model.classes))
    dropdown = dcc.Dropdown(classes, id="class", placeholder="as picked or drawn", className="narrow")
    label = html.Label(["Class ", dropdown], htmlFor="class", hidden=not classes)
    return html.Section([*children[:4], html.Div(label, className="controls"), *children[4:]])


def _attributes(space: Space) -> list:
    names = [*space.directions, SELECTION]
    return [
        html.Label([word, dcc.Dropdown(names, id=name, placeholder="nothing", className="narrow")], htmlFor=name)
        for word, name in (("Add ", "added"), ("Remove ", "removed"))
    ]


def _sampling():
    seed = dcc.Input(id="seed", type="number", value=0, min=0, max=2**31 - 1, step=1, debounce=True)
    return [html.Label(["Seed ", seed], htmlFor="seed"), html.Button("Sample again", id="again")]


def _radio(name, options):
    return dcc.RadioItems(options, next(iter(options)), id=name, inline=True, className="radio")


def _panel(name: str, title: str, controls: Sequence) -> html.Section:
    controls = html.Div([*controls, _saving(name)], className="controls")
    return html.Section([html.H2(title), controls, html.Div(id=name)], id=f"section-{name}")


def _saving(name):
    buttons = [
        html.Button(word, id=f"{name}-{kind}") for kind, word in (("png", "Save picture"), ("npz", "Save numbers"))
    ]
    return html.Span([*buttons, dcc.Download(f"{name}-file")], id=f"{name}-saving", className="saving")
