"""Parts of the page that are made again as it changes."""

import numpy as np
from dash import dcc, html

from keras_ijae.explorer.axes import REACH, STEP, Axes
from keras_ijae.explorer.views import View
from keras_ijae.report.pictures import image


def sliders(axes: Axes, code: np.ndarray) -> list[html.Div]:
    """One for each direction, where the code (d,) stands."""
    slider = {"min": -REACH, "max": REACH, "step": STEP, "marks": None, "included": False, "allow_direct_input": False}
    return [
        html.Div([html.Label(name), dcc.Slider(id={"slider": index}, value=float(value), **slider)], className="slider")
        for index, (name, value) in enumerate(zip(axes.names, axes.shown(code), strict=True))
    ]


def shown(name: str, view: View) -> list:
    """A view as tiles, those that are points to be picked by a click."""
    captions, keys = view.captions or [""] * len(view.images), view.keys or [None] * len(view.images)
    tiles = [_tile(name, *parts) for parts in zip(view.images, captions, keys, strict=True)]
    return [html.P(view.text, className="soft"), html.Div(tiles, className="tiles")]


def _tile(name, pixels, caption, key):
    """As few components as there can be: each costs time when a slider moves."""
    one = image(pixels, caption or key or "image")
    tile = html.Img(src=one.uri, alt=one.alt)
    if key is not None:
        tile = html.Button(tile, id={"panel": name, "key": key}, title=key)
    return html.Figure([tile, html.Figcaption(caption)]) if caption else tile
