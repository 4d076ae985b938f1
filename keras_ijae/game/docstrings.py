"""What the docstring of a system says, taken apart."""

import inspect
import re


def sections(text: str) -> dict[str, str]:
    """A docstring's parts by their headings ("Args", "References", ...), what is under none of them as ""."""
    first, *pieces = re.split(r"^(\w+):\n(?= )", text, flags=re.MULTILINE)
    found, outside = {}, [first.strip()]
    for heading, piece in zip(pieces[::2], pieces[1::2], strict=True):
        body, *after = re.split(r"\n(?=\S)", piece, maxsplit=1)
        found[heading] = inspect.cleandoc(body)
        outside += after
    return {"": "\n\n".join(part.strip() for part in outside)} | found


def joined(text: str) -> str:
    """Paragraphs as one line each, which fits any terminal; what is indented, equations, stays as it is."""
    return re.sub(r"^(\S.*)\n(?=\S)", r"\1 ", text, flags=re.MULTILINE)


def arguments_in(parts: dict[str, str]) -> dict[str, str]:
    """Argument -> what it is, on one line, of a docstring's section "Args"."""
    found = {}
    for names, body in re.findall(r"^(\w[\w, ]*): (.*(?:\n .*)*)", parts.get("Args", ""), flags=re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), " ".join(body.split()))
    return found
