"""The Sphinx extension: it writes the pages that are made, before Sphinx reads them, and translates docstrings."""

from pathlib import Path
from typing import Any

from docutils import nodes

from generator import reference, systems
from generator.docstrings import restructured
from generator.rst import heading
from keras_ijae.game import ENTRIES


def setup(app: Any) -> dict[str, bool]:
    """Told to Sphinx."""
    app.connect("builder-inited", _write)
    app.connect("autodoc-process-docstring", _translate)
    app.connect("source-read", _add_contents)
    app.connect("doctree-resolved", _link_systems)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def pages() -> dict[str, str]:
    """path below `docs/`, without its ending -> the page."""
    made = {f"systems/{name}": systems.page(name, entry) for name, entry in ENTRIES.items()}
    rooms = reference.rooms()
    made |= {f"reference/{room}": reference.page(room, names) for room, names in rooms.items()}
    toctree = [*heading("Reference", "="), "Every public name, by rooms.", "", ".. toctree::", "   :maxdepth: 1", ""]
    made["reference/index"] = "\n".join([*toctree, *(f"   {room}" for room in rooms), ""])
    return made | {"systems/index": systems.index(ENTRIES)}


def _write(app):
    """Only what has changed, so that a second build is quick."""
    made = {Path(app.srcdir) / f"{path}.rst": page for path, page in pages().items()}
    for folder in ("systems", "reference"):
        (Path(app.srcdir) / folder).mkdir(exist_ok=True)
    for path, page in made.items():
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
    for old in {
        path for folder in ("systems", "reference") for path in (Path(app.srcdir) / folder).glob("*.rst")
    } - set(made):
        old.unlink()


def unlisted(docs: Path) -> list[str]:
    """Pages that the start page does not list: the lab's experiments, and what was added since."""
    written = {path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md")} - {"index"}
    return sorted(written - set((docs / "index.md").read_text(encoding="utf-8").splitlines()))


def _add_contents(app, name, source):
    """The lab lists its experiments as links, for who reads it without Sphinx; pages listed nowhere come last."""
    if name not in ("lab", "index"):
        return
    pages = [page for page in unlisted(Path(app.srcdir)) if page.startswith("lab/") == (name == "lab")]
    if pages:
        caption = [":caption: More"] if name == "index" else []
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", *caption, "", *pages, "```", ""])


def _link_systems(app, doctree, page):
    """The name of a system in code, on any page that is not its own, leads to its page."""
    for node in list(doctree.findall(nodes.literal)):
        target = f"systems/{node.astext()}"
        if node.astext() in ENTRIES and target != page and not isinstance(node.parent, nodes.reference):
            link = nodes.reference("", "", internal=True, refuri=app.builder.get_relative_uri(page, target))
            node.replace_self(link)
            link += node


def _translate(app, what, name, obj, options, lines):
    lines[:] = restructured("\n".join(lines).strip())
