"""Pieces of reStructuredText."""

from collections.abc import Sequence


def heading(title: str, line: str) -> list[str]:
    """A title over its line."""
    return [title, line * max(len(title), 3), ""]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], widths: str = "auto", kind: str = "") -> list[str]:
    """A table of cells that are markup already."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        f"   :widths: {widths}",
        *([f"   :class: {kind}"] if kind else []),
        "",
    ]
    for row in (header, *rows):
        lines += [f"   {'* -' if at == 0 else '  -'} {cell}" for at, cell in enumerate(row)]
    return [*lines, ""]


def raw(html: str) -> list[str]:
    """HTML as it is."""
    return [".. raw:: html", "", *(f"   {line}" for line in html.split("\n")), ""]
