"""A network as a picture: a box for each layer, from left to right as data pass them, with the shape that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import keras

from generator.layers import FOLDED, Box, boxes_of

RESHAPING = ("Flatten", "Reshape", "Cropping2D")
LINE, LETTER, PADDING, GAP = 15, 6.3, 8, 26  # pixels: of a line of text, a letter, around the text, between columns


@dataclass(frozen=True)
class Passing:
    """A place in a column that a link goes through."""

    link: tuple[str, str]
    column: int


def drawing(network: keras.layers.Layer, name: str) -> str:
    """SVG in the colours of the page; nothing for a network that is one layer."""
    if not hasattr(network, "layers"):
        return ""
    boxes = boxes_of(network, (*FOLDED, *RESHAPING))
    columns, links = arranged(boxes)
    places, size = placed(boxes, columns)
    parts = [_link(places[one], places[other]) for one, other in links]
    parts += [_through(place) for what, place in places.items() if isinstance(what, Passing)]
    parts += [_box(box, places[of]) for of, box in boxes.items()]
    told = "; ".join(f"{', '.join(box.words)}: {box.shape}" for box in boxes.values())
    return (
        f'<svg class="network" viewBox="0 0 {size[0]:g} {size[1]:g}" width="{size[0]:g}" role="img" '
        f'aria-label="{escape(name)}: {escape(told)}">{"".join(parts)}</svg>'
    )


def arranged(boxes: dict[str, Box]) -> tuple[list[list[str | Passing]], list[tuple[str | Passing, str | Passing]]]:
    """Columns of boxes, with a passing place wherever a link spans a column; and links between neighbouring columns."""
    column = _columns(boxes)
    columns: list[list[str | Passing]] = [[] for _ in range(max(column.values()) + 1)]
    links: list[tuple[str | Passing, str | Passing]] = []
    for name in boxes:
        columns[column[name]].append(name)
    for name, box in boxes.items():
        for before in box.after:
            between = [Passing((before, name), at) for at in range(column[before] + 1, column[name])]
            for place in between:
                columns[place.column].append(place)
            links += zip([before, *between], [*between, name], strict=True)
    for left, right in zip(columns, columns[1:], strict=False):
        right.sort(key=lambda what: _height(what, left, links))
    return columns, links


def _columns(boxes):
    """name -> column: behind all that it takes; inputs just before who takes them."""
    column: dict[str, int] = {}
    for name, box in boxes.items():
        column[name] = 1 + max((column[before] for before in box.after), default=-1)
    users = {name: [column[user] for user, box in boxes.items() if name in box.after] for name in boxes}
    return {name: column[name] if box.after or not users[name] else min(users[name]) - 1 for name, box in boxes.items()}


def _height(what, left, links):
    """The mean place, in the column before, of what leads here; inputs come last."""
    before = [left.index(one) for one, other in links if other == what]
    return sum(before) / len(before) if before else len(left)


def placed(
    boxes: dict[str, Box], columns: Sequence[Sequence[str | Passing]]
) -> tuple[dict[str | Passing, tuple[float, float, float]], tuple[float, float]]:
    """what -> (left, right, middle) in pixels, each column in the middle of the height; and the size of the whole."""
    lane = LINE * (max(len(box.words) for box in boxes.values()) + 1) + 3 * PADDING
    height, x, places = lane * max(map(len, columns)), 1.0, {}
    for column in columns:
        lines = [line for what in column if what in boxes for line in (*boxes[what].words, boxes[what].shape)]
        right = x + round(LETTER * max(map(len, lines))) + 2 * PADDING
        top = (height - lane * len(column)) / 2
        places |= {what: (x, right, top + lane * (at + 0.5)) for at, what in enumerate(column)}
        x = right + GAP
    return places, (x - GAP + 1, height)


def _link(one, other):
    (_, x1, y1), (x2, _, y2) = one, other
    middle = (x1 + x2) / 2
    return f'<path class="link" d="M{x1:g} {y1:g} C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"/>'


def _through(place):
    left, right, middle = place
    return f'<path class="link" d="M{left:g} {middle:g} H{right:g}"/>'


def _box(box, place):
    """Its words in it, its shape below."""
    left, right, middle = place
    height, x = LINE * len(box.words) + PADDING, (left + right) / 2
    top = middle - height / 2
    lines = [_text(x, top + LINE * (at + 1), word) for at, word in enumerate(box.words)]
    return (
        f'<g class="{"layer learns" if box.parameters else "layer"}">'
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{height}" rx="6"/>{"".join(lines)}'
        f"{_text(x, top + height + LINE - 2, box.shape, 'note')}</g>"
    )


def _text(x, y, words, kind="word"):
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(words)}</text>'
