"""The docstrings of the package, which are plain text, as reStructuredText."""

import re
from collections.abc import Callable

from generator import mathematics
from keras_ijae.game.docstrings import arguments_in, joined, sections

FIELDS = {"Returns": "returns", "Raises": "raises"}


def text(plain: str) -> str:
    """Prose on one line, its backticks as code, everything else as it stands."""
    pieces = re.split(r"(`[^`]+`)", " ".join(plain.split()))
    return _joined(("code" if piece[:1] == "`" else "text", piece.strip("`")) for piece in pieces if piece)


def mathematical(plain: str) -> str:
    """The same with its mathematics set."""
    return _joined(mathematics.segments(" ".join(plain.split())))


def paragraphs(plain: str, prose: Callable[[str], str] = text) -> list[str]:
    """Paragraphs and indented blocks: equations as a table of theirs, all else as code."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", joined(plain)):
        if not block.strip():
            continue
        if not block.startswith(" "):
            first, *indented = block.split("\n")
            lines += [prose(first), ""]
            block = "\n".join(indented)
        if block.strip():
            lines += (equations if _is_equations(block) else code)(block)
    return lines


def code(block: str) -> list[str]:
    """Python, or what a prompt and its answers show."""
    rows = _dedented(block)
    language = "pycon" if rows[0].startswith(">>>") else "python" if re.search(r"\w\(", block) else "text"
    return [f".. code-block:: {language}", "", *(f"   {row}" for row in rows), ""]


def equations(block: str) -> list[str]:
    """A table: left-hand sides, right-hand sides, remarks."""
    lines = [".. list-table::", "   :class: equations", "   :widths: auto", ""]
    for left, right, remark in rows_of(block):
        cells = (*(f":math:`{mathematics.equation(side)}`" if side else "" for side in (left, right)), remark)
        remark = mathematical(cells[2]) if cells[2] else ""
        lines += [f"   * - {cells[0]}", f"     - {cells[1]}", f"     - {remark}"]
    return [*lines, ""]


def rows_of(block: str) -> list[tuple[str, str, str]]:
    """(left-hand side, the rest with its sign, remark) of each line; a remark stands behind three spaces or more."""
    rows = []
    for row in _dedented(block):
        found = re.match(r"(\s*[^=<!>]*?|\S+\(.*?\)|[^=]*?)\s*(<-|<=|(?<![!<>])=)\s+(.*)$", row)
        if found is None:
            name, _, remark = re.sub(r"\s{2,}", "\t", row.strip()).partition("\t")
            rows.append((name, "", remark))
            continue
        left, sign, right = found.groups()
        parts = re.split(r"\s{3,}(?![+-] )", right)
        rows.append((left.strip(), f"{sign} {parts[0]}", " ".join(parts[1:])))
    return rows


def restructured(plain: str, prose: Callable[[str], str] = text) -> list[str]:
    """A whole docstring: paragraphs, then its sections; arguments as fields, to which autodoc adds their types."""
    parts = sections(plain)
    lines = paragraphs(parts.pop(""), prose)
    for heading, body in parts.items():
        if heading in ("Args", "Attributes"):
            field = "param" if heading == "Args" else "ivar"
            meanings = once(arguments_in({"Args": body}))
            lines += [f":{field} {name}: {prose(meaning)}" for name, meaning in meanings.items()] + [""]
        elif heading in FIELDS:
            lines += _field(FIELDS[heading], body, prose)
        else:
            lines += [f".. rubric:: {heading}", ""]
            lines += code(body) if heading.startswith("Example") else paragraphs(body, prose)
    return lines


def once(meanings: dict[str, str]) -> dict[str, str]:
    """Of arguments that are explained together, the first is; the others refer to it where that is shorter."""
    first: dict[str, str] = {}
    for name, meaning in meanings.items():
        first.setdefault(meaning, name)
    return {
        name: meaning if first[meaning] == name or len(meaning) < 60 else f"see `{first[meaning]}`."
        for name, meaning in meanings.items()
    }


def _field(name, body, prose):
    if name == "raises":
        found = re.findall(r"^(\w+(?:, \w+)*): (.*(?:\n .*)*)", body, re.MULTILINE)
        if found:
            return [f":raises {kind}: {prose(meaning)}" for kind, meaning in found] + [""]
    first, *rest = paragraphs(body, prose)
    return [f":{name}: {first}", *(f"   {line}" for line in rest)]


def _is_equations(block):
    rows = _dedented(block)
    shows_code = re.search(
        r">>>|\bki\.|^\$|keras-ijae|^\s*(python|import|from|with|for) |\w\(\w+=|#", block, re.MULTILINE
    )
    return not shows_code and any(re.search(r"\s(=|<=|<-)\s", row) for row in rows)


def _dedented(block):
    rows = [row for row in block.split("\n") if row.strip()]
    least = min(len(row) - len(row.lstrip()) for row in rows)
    return [row[least:] for row in rows]


def _joined(pieces):
    """Inline markup; a mark that touches a word needs an escaped space between."""
    done = ""
    for kind, piece in pieces:
        if kind == "text":
            piece = re.sub(
                r"([\\*`|]|_(?=\W|$))", r"\\\1", piece.replace("->", "→").replace("<=", "≤").replace(">=", "≥")
            )
            done += (r"\ " if done.endswith("`") and piece[:1] not in " .,;:)" else "") + piece
        else:
            mark = f":math:`{piece}`" if kind == "math" else f"``{piece}``"
            done += (r"\ " if done and not done.endswith((" ", "(")) else "") + mark
    return done
