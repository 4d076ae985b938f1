"""A network as a picture: a box for each layer, from left to right as data pass them, with the shape that it gives."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import keras

from generator.layers import FOLDED, folded_in_words, in_words, shape_in_words
from keras_ijae.keras_internals import outputs_inside

RESHAPING = ("Flatten", "Reshape", "Cropping2D")
LINE, LETTER, PADDING, GAP = 15, 6.3, 8, 26  # pixels: of a line of text, a letter, around the text, between columns


@dataclass
class Box:
    """A layer, with what follows it alone: normalisation, activation, another shape of the same numbers.

    Attributes:
        words: the lines in it.
        shape: of what it gives.
        after: names of the boxes from which its inputs come.
        learns: whether it has weights.
    """

    words: list[str]
    shape: str
    after: list[str]
    learns: bool


@dataclass(frozen=True)
class Passing:
    """A place in a column that a link goes through."""

    link: tuple[str, str]
    column: int


def drawing(network: keras.layers.Layer, name: str) -> str:
    """SVG in the colours of the page; nothing for a network that is one layer."""
    if not hasattr(network, "layers"):
        return ""
    boxes = boxes_of(network)
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


def boxes_of(network: keras.Model) -> dict[str, Box]:
    """name of a layer -> its box, in an order in which data can pass them."""
    inside = outputs_inside(network)
    made_by = {id(output): name for name, (_, _, output) in inside.items()}
    users = Counter(made_by[id(tensor)] for _, given, _ in inside.values() for tensor in given)
    boxes: dict[str, Box] = {}
    part_of: dict[str, str] = {}
    for name, (layer, given, output) in inside.items():
        kind, before, shape = (
            type(layer).__name__,
            [made_by[id(tensor)] for tensor in given],
            shape_in_words(output.shape),
        )
        if kind in (*FOLDED, *RESHAPING) and users[before[0]] == 1 and boxes[part_of[before[0]]].after:
            box, part_of[name] = boxes[part_of[before[0]]], part_of[before[0]]
            box.words, box.shape = [*box.words, folded_in_words(layer)], shape
        else:
            boxes[name] = Box(in_words(layer).split(", "), shape, [part_of[one] for one in before], bool(layer.weights))
            part_of[name] = name
    return boxes


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
        f'<g class="{"layer learns" if box.learns else "layer"}">'
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{height}" rx="6"/>{"".join(lines)}'
        f"{_text(x, top + height + LINE - 2, box.shape, 'note')}</g>"
    )


def _text(x, y, words, kind="word"):
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(words)}</text>'
