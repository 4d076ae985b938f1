"""The page of a system, made from its class and its entry in the registry."""

import inspect
import re
from typing import Any, get_args, get_origin, get_type_hints

from generator import measured
from generator.docstrings import mathematical, once, paragraphs, text
from generator.drawing import drawing
from generator.layers import network_table, shape_in_words
from generator.rst import heading, raw, table
from generator.timeline import in_words, timeline
from keras_ijae import create
from keras_ijae.game import Common, Game
from keras_ijae.game.arguments import REQUIRED, arguments_of
from keras_ijae.game.docstrings import arguments_in, sections
from keras_ijae.game.entries import Entry, refused

SHAPE, LATENT_DIM = (28, 28, 1), 16


def page(name: str, entry: Entry) -> str:
    """The whole page."""
    model = create(name, data_shape=SHAPE, latent_dim=LATENT_DIM)
    parts = sections(inspect.getdoc(entry.system))
    lines = [f".. _system-{name}:", "", *heading(name, "="), f"*{text(entry.help)}*", ""]
    lines += _facts(name, entry, model)
    lines += [*heading("Objective", "-"), *paragraphs(parts[""], mathematical)]
    lines += _step(model)
    lines += _networks(model, parts)
    lines += _arguments(entry, parts)
    lines += _samples(name) + _rows(name)
    lines += [*heading("Paper", "-"), *paragraphs(parts.get("References", ""), text)]
    return "\n".join(lines) + "\n"


def index(entries: dict[str, Entry]) -> str:
    """The list of all systems."""
    lines = [*heading("Systems", "="), "Each page is made from the class of the system.", ""]
    lines += [":doc:`/choosing` says where to begin.", ""]
    rows = [[f":doc:`{name} <{name}>`", text(entry.help)] for name, entry in entries.items()]
    lines += table(["name", "what"], rows, widths="20 80")
    return "\n".join([*lines, ".. toctree::", "   :hidden:", "", *(f"   {name}" for name in entries), ""])


def types_of(system: type[Game]) -> dict[str, str]:
    """argument -> its type in words, those of `Unpack[...]` included."""
    found: dict[str, str] = {}
    for base in reversed(system.__mro__):
        if "__init__" not in vars(base) or not issubclass(base, Game):
            continue
        for name, hint in get_type_hints(base.__init__).items():
            found |= get_type_hints(get_args(hint)[0]) if get_origin(hint) is not None and "Unpack" in str(hint) else {}
            found[name] = hint
    found |= {name: hint for name, hint in get_type_hints(Common).items() if name not in found}
    return {name: _in_words(hint) for name, hint in found.items()}


def _in_words(hint: Any) -> str:
    words = hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else str(hint)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", words)


def selected_by(model: Game) -> str:
    """What `val_loss` is, which `ModelCheckpoint` and `EarlyStopping` look at."""
    if model.validated_by:
        return f"``val_loss``, the {model.validated_by}"
    return (
        "nothing by itself: without an encoder there is no ``val_loss``; ``ki.training.MetricsCallback`` scores samples"
    )


def _facts(name, entry, model):
    why = entry.unconditional
    fixed = ", ".join(f"``{key}={value!r}``" for key, value in entry.fixed.items())
    rows = [["class", f":py:class:`keras_ijae.models.{entry.system.__name__}`" + (f" with {fixed}" if fixed else "")]]
    rows += [["labels", f"none: {text(why)}" if why else "``classes=K`` makes it conditional"]]
    presets = ", ".join(f'``preset="{preset}"``' for preset in entry.presets)
    rows += [["presets", presets or "none"], ["selected by", selected_by(model)]]
    lines = [".. list-table::", "   :class: facts", "   :widths: auto", ""]
    lines += [line for key, value in rows for line in (f"   * - {key}", f"     - {value}")]
    call = f'model = ki.create("{name}", data_shape=(28, 28, 1), latent_dim=16)'
    lines += ["", ".. code-block:: python", "", "   import keras_ijae as ki", "", f"   {call}", ""]
    return [*lines, ".. code-block:: bash", "", f"   keras-ijae train {name} --dataset mnist --out runs/{name}", ""]


def _step(model):
    lines = [*heading("A step", "-"), *raw(f'<div class="scroll">{timeline(model.moves, model.phases)}</div>')]
    return [*lines, *(f"#. {line}" for line in in_words(model.phases, "``")), ""]


def _networks(model, parts):
    """A drawing and a table of each network."""
    meanings = arguments_in(parts)
    lines = [*heading("Default networks", "-")]
    lines += [f"For images of {shape_in_words((None, *SHAPE))} and codes of {LATENT_DIM}, with the other defaults.", ""]
    for role, network in model.networks.items():
        count = f"{network.count_params():,}"
        lines += raw(f"<details><summary><code>{role}</code> <span>{count} parameters</span></summary>")
        lines += [mathematical(meanings[role]), ""] if role in meanings else []
        drawn = drawing(network, role)
        lines += raw(f'<div class="scroll">{drawn}</div>') if drawn else []
        lines += [*network_table(network), *raw("</details>")]
    return lines


def _arguments(entry, parts):
    meanings = {**arguments_in(sections(inspect.getdoc(Game))), **once(arguments_in(parts))}
    types, rows = types_of(entry.system), []
    for name, default in arguments_of(entry.system).items():
        if name in refused(entry.system):
            continue
        default = entry.fixed.get(name, default)
        shown = "required" if default is REQUIRED else f"``{default!r}``"
        rows.append([f"``{name}``", text(types.get(name, "")), shown, mathematical(meanings.get(name, ""))])
    note = "Of the class; ``ki.create`` makes the networks, and takes all others by the same names."
    return [
        *heading("Arguments", "-"),
        note,
        "",
        *table(["name", "type", "default", "meaning"], rows, "16 14 12 58", "arguments"),
    ]


def _samples(name):
    lines = []
    for file, what in measured.pictures_of(name):
        lines += [f".. figure:: /pictures/{file}", "   :width: 340px", "", f"   {what[0].upper()}{what[1:]}", ""]
    return [*heading("Samples", "-"), *lines] if lines else []


def _rows(name):
    lines = []
    for stem, (header, rows) in measured.rows_of(name).items():
        lines += [f".. rubric:: {measured.caption(stem)}", ""]
        lines += [f"Protocol: :doc:`/{measured.page_of(stem)}`.", "", ".. container:: measured", ""]
        shown = table([text(key) for key in header], [[text(cell) or "–" for cell in row] for row in rows])
        lines += [f"   {line}" if line else "" for line in shown]
    return [*heading("Measured", "-"), *lines] if lines else []
