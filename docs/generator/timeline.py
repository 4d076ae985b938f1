"""One step of a system as a picture: its networks as lanes, its phases as columns, a box for what a move changes."""

from collections.abc import Sequence
from html import escape

from keras_ijae.game import Move, Phase

COLUMN, LANE, LEFT, TOP = 132, 34, 196, 46


def timeline(moves: Sequence[Move], phases: Sequence[Phase]) -> str:
    """SVG in the colours of the page. Phases come in their order; what shares a forward pass is under one bar."""
    by_name = {move.name: move for move in moves}
    lanes = list(dict.fromkeys(network for move in moves for network in move.networks))
    width, height = LEFT + COLUMN * len(phases) + 8, TOP + LANE * len(lanes) + 8
    parts = [_lane(index, lane, width) for index, lane in enumerate(lanes)]
    for column, phase in enumerate(phases):
        parts.append(_column(column, phase))
        changing = [(network, name) for name in phase.moves for network in by_name[name].networks]
        for network in dict.fromkeys(network for network, _ in changing):
            parts.append(_box(column, lanes.index(network), network, [name for of, name in changing if of == network]))
    parts += [_bar(first, last, height) for first, last in passes(phases)]
    return (
        f'<svg class="timeline" viewBox="0 0 {width} {height + 26}" width="{width}" role="img" '
        f'aria-label="One step: {escape("; ".join(in_words(phases)))}">{"".join(parts)}</svg>'
    )


def passes(phases: Sequence[Phase]) -> list[tuple[int, int]]:
    """First and last phase on each forward pass: a phase that reuses goes on with the one before it."""
    found: list[tuple[int, int]] = []
    for index, phase in enumerate(phases):
        found = [*found[:-1], (found[-1][0], index)] if phase.reuse else [*found, (index, index)]
    return found


def in_words(phases: Sequence[Phase], mark: str = "") -> list[str]:
    """What happens, a line for each phase; names between two marks."""
    return [" and ".join(f"{mark}{name}{mark}" for name in phase.moves) + _how(phase) for phase in phases]


def _how(phase):
    how = [f"{phase.repeats} times, each with fresh noise"] if phase.repeats > 1 else []
    how += [f"on slices of the batch, one of {phase.slices} each"] if phase.slices > 1 else []
    how += ["one forward pass for all of them"] if phase.once else []
    how += ["on the forward pass before"] if phase.reuse else []
    how += ["not in every step"] if phase.gate else []
    how += ["withheld while its balance says so"] if phase.balance else []
    return f" ({'; '.join(how)})" if how else ""


def _lane(index, name, width):
    y = TOP + LANE * index + LANE / 2
    return (
        f'<line class="lane" x1="{LEFT - 8}" x2="{width}" y1="{y}" y2="{y}"/>'
        f'<text class="network" x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    )


def _column(index, phase):
    x = LEFT + COLUMN * index + COLUMN / 2
    times = f" ×{phase.repeats}" if phase.repeats > 1 else ""
    note = "gated" if phase.gate else "balanced" if phase.balance else ""
    return (
        f'<text class="phase" x="{x}" y="18" text-anchor="middle">{escape(phase.name)}{times}</text>'
        f'<text class="note" x="{x}" y="34" text-anchor="middle">{note}</text>'
    )


def _box(column, lane, network, names):
    """What changes a network in a phase; a move of its own name goes without saying."""
    x, y = LEFT + COLUMN * column + 5, TOP + LANE * lane + 4
    told, shown = ", ".join(names), "" if names == [network] else ", ".join(names)
    return (
        f'<g class="move"><title>{escape(told)}</title>'
        f'<rect x="{x}" y="{y}" width="{COLUMN - 10}" height="{LANE - 8}" rx="6"/>'
        f'<text x="{x + COLUMN / 2 - 5}" y="{y + 17}" text-anchor="middle">{escape(shown)}</text></g>'
    )


def _bar(first, last, height):
    x1, x2 = LEFT + COLUMN * first + 5, LEFT + COLUMN * (last + 1) - 5
    return (
        f'<path class="pass" d="M{x1} {height} v6 H{x2} v-6"/>'
        f'<text class="note" x="{(x1 + x2) / 2}" y="{height + 21}" text-anchor="middle">one forward pass</text>'
    )
