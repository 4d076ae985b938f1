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
    tiles = [
        html.Figure([_tile(name, pixels, caption, key), html.Figcaption(caption)])
        for pixels, caption, key in zip(view.images, captions, keys, strict=True)
    ]
    return [html.P(view.text, className="soft"), html.Div(tiles, className="tiles")]


def _tile(name, pixels, caption, key):
    one = image(pixels, caption or key or "image")
    if key is None:
        return html.Img(src=one.uri, alt=one.alt)
    return html.Button(html.Img(src=one.uri, alt=one.alt), id={"panel": name, "key": key}, title=key)
