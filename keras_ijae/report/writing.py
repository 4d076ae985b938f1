"""From run directories to one page."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import plotly.offline
import tensorflow as tf
from markupsafe import Markup, escape
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from keras_ijae import checks
from keras_ijae.figures import PALETTE
from keras_ijae.files import check_file, write_text
from keras_ijae.metrics.score import library_versions
from keras_ijae.report import facts, scores
from keras_ijae.report.beside import share_ranges
from keras_ijae.report.curves import constants, curves
from keras_ijae.report.looking import Look
from keras_ijae.report.panels import Panel
from keras_ijae.report.reading import FAILURES, Run, names_of, read_run
from keras_ijae.report.sections import SECTIONS, Section
from keras_ijae.training import RunDirectory

MOST_RUNS = len(PALETTE)


def write_report(
    runs: str | os.PathLike | Sequence[str | os.PathLike], out: str | os.PathLike, progress: bool = False
) -> None:
    """Writes one self-contained HTML page about one run, or several side by side.

    It shows what was trained, how it went, samples, reconstructions, interpolations, nearest training examples, codes,
    and scores that `keras-ijae evaluate` has left in the run. A run that is not done is shown by its newest backup.
    What is missing or damaged is said in the page, which is written all the same. Nothing is fetched when it is opened.

    Args:
        runs: a run directory, or up to ten.
        out: the file, replaced whole.
        progress: show a bar, or lines where there is no terminal, on standard error.

    Raises:
        ValueError: a directory is no run, there are none, too many, or one twice, or `out` cannot be written: before
            anything is computed.

    Example:
        write_report(["runs/vae", "runs/ijae"], "report.html")
    """
    paths = [checks.path("runs", run) for run in ([runs] if isinstance(runs, str | os.PathLike) else runs)]
    if not 1 <= len({path.resolve() for path in paths}) == len(paths) <= MOST_RUNS:
        received = ", ".join(map(str, paths)) or "none"
        raise ValueError(f"Argument `runs` must be 1 to {MOST_RUNS} run directories, each once. Received: {received}")
    for path in paths:
        RunDirectory(path).read_recipe()
    check_file(out := checks.path("out", out), "Argument `out`")
    with _progress(len(paths) * (1 + len(SECTIONS)), checks.flag("progress", progress)) as step:
        named = zip(paths, names_of(paths), PALETTE, strict=False)
        found = [_look_at(path, name, colour, step) for path, name, colour in named]
    write_text(out, _page(*zip(*found, strict=True)))


def _look_at(path: Path, name: str, colour: str, step: Callable[[str], None]) -> tuple[Run, list[Panel]]:
    """A run, and a panel of it for each section."""
    step(f"{name}: reading")
    run, panels = read_run(path, name, colour), []
    look = Look(run)
    for section in SECTIONS:
        step(f"{name}: {section.title.lower()}")
        panels.append(_panel(section, look))
    return run, panels


def _panel(section: Section, look: Look) -> Panel:
    try:
        return section.show(look)
    except (*FAILURES, tf.errors.OpError) as error:
        return Panel(str(error), absent=True)


def _page(runs: Sequence[Run], panels: Sequence[list[Panel]]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_ijae.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"coded": _coded, "breakable": _breakable}
    sections = list(zip(SECTIONS, zip(*panels, strict=True), strict=True))
    for _, of_runs in sections:
        share_ranges(of_runs)
    measured = scores.groups(list(runs))  # first, for it may add to the notes
    return environment.get_template("report.html").render(
        runs=runs,
        colours=[run.colour for run in runs],
        states=[facts.state(run) for run in runs],
        warned=[facts.warned(run) for run in runs],
        facts=[facts.facts(run) for run in runs],
        arguments=[facts.arguments(run) for run in runs],
        explained=facts.explained(list(runs)),
        curves=curves(list(runs)),
        constants=constants(list(runs)),
        scores=measured,
        sections=sections,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        versions=library_versions(),
        plotly=Markup(plotly.offline.get_plotlyjs()),
    )


def _coded(text: str) -> Markup:
    """Text in which what stands in backticks is code."""
    return Markup(re.sub("`+([^`]+)`+", r"<code>\1</code>", str(escape(text))))


def _breakable(name: str) -> Markup:
    """A name that a narrow column breaks between its words."""
    return Markup(re.sub(r"([_/]|(?=\[))", r"\1<wbr>", str(escape(name))))


@contextlib.contextmanager
def _progress(steps: int, shown: bool) -> Iterator[Callable[[str], None]]:
    """Yields what is called with the name of each step as it begins."""
    console = Console(stderr=True, quiet=not shown)
    columns = TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, begun = bar.add_task("", total=steps), 0

        def step(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, completed=begun)
            begun += 1
            if not console.is_terminal:
                console.print(f"{begun}/{steps}  {name}", soft_wrap=True, highlight=False, markup=False)

        yield step
