"""Images as tiles of the page: PNGs in data URIs, each of its own size, which the page lays out."""

import base64
import dataclasses

import numpy as np
import tensorflow as tf

from keras_ijae.training import grid

LARGEST_SIDE, SMALLEST_SIDE = 128, 32
"""Of an image in the page, in pixels; larger ones are reduced, but not below the other."""
LONGEST = 4
"""Times its shorter side that an image is long in the page, at most."""


@dataclasses.dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        uri: with all of it.
        alt: what it is, for those who do not see it.
        side: its longer side, in pixels.
        ratio: width over height with which it is shown, 1/4 to 4; longer images are drawn stretched.
    """

    uri: str
    alt: str
    side: int
    ratio: float

    @property
    def width(self) -> int:
        """With which it is shown, in pixels, if nothing else says it."""
        return round(self.side * min(self.ratio, 1))


@dataclasses.dataclass(frozen=True)
class Tile:
    """Images that belong together, with a line below.

    Attributes:
        images: in their order.
        caption: the line.
        kind: how they are laid out: "single", "pair" (one above the other), "near" (the first set apart), "strip".
    """

    images: list[Image]
    caption: str = ""
    kind: str = "single"


def image(pixels: np.ndarray, alt: str) -> Image:
    """(height, width, channels) in [0, 1], or out of it by rounding, as an image of the page."""
    side, ratio = max(pixels.shape[:2]), pixels.shape[1] / pixels.shape[0]
    pixels = np.clip(pixels, 0, 1)[None]
    if side > LARGEST_SIDE:
        least = min(*pixels.shape[1:3], SMALLEST_SIDE)
        height, width = (max(least, round(length * LARGEST_SIDE / side)) for length in pixels.shape[1:3])
        pixels = np.clip(tf.image.resize(pixels, (height, width), "area").numpy(), 0, 1)
    encoded = tf.io.encode_png(grid(pixels, scale=1)).numpy()
    uri = f"data:image/png;base64,{base64.b64encode(encoded).decode()}"
    return Image(uri, alt, max(pixels.shape[1:3]), min(max(ratio, 1 / LONGEST), LONGEST))


def strip(pixels: np.ndarray, alt: str, caption: str = "", kind: str = "strip") -> Tile:
    """(n, height, width, channels) as one tile; `alt` for each, numbered from 1."""
    return Tile([image(one, f"{alt} {index}") for index, one in enumerate(pixels, 1)], caption, kind)
