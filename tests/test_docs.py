"""The pages that are made from the package: their mathematics, pictures of steps, tables; and links of all pages."""

import csv
import inspect
import re
from pathlib import Path

import pytest
import typer
from docutils.utils.math import latex2mathml
from generator import docstrings, measured, reference, systems
from generator.mathematics import equation, segments
from generator.site import unlisted
from generator.timeline import in_words, passes, timeline

import keras_ijae as ki
from keras_ijae.game import ENTRIES, Move, Phase
from keras_ijae.game.docstrings import arguments_in, sections
from keras_ijae_cli.app import app

DOCS = Path(__file__).resolve().parents[1] / "docs"
EQUATIONS = {
    "L_psi  = E softplus(-psi(x))": r"\mathcal L_{\psi} = \mathbb E\,\operatorname{softplus} (-\psi (x))",
    "z_q = E(x, xi)": r"z_{q} = E(x, \xi )",
    "E ||x - G(z~)||^2": r"\mathbb E\,\lVert x - G({\tilde z})\rVert ^{2}",
    "KL(q(z|x) || p(z))": r"\mathrm{KL} (q(z|x) \,\Vert\,p(z))",
    "f = -1 where C > kappa^2": r"f = -1\text{ where }C > \kappa ^{2}",
    "c <- cycle_weight (C_x + C_z)": r"c \leftarrow \mathtt{cycle\_weight}\,(C_{x} + C_{z} )",
    "E z'E(x_f)": r"\mathbb E\,z^\top E(x_{f} )",
}


@pytest.mark.parametrize("plain", EQUATIONS)
def test_plain_equations_become_latex(plain):
    assert equation(plain) == EQUATIONS[plain]


def test_in_prose_only_what_can_be_nothing_else_is_mathematics():
    found = segments("A step of x, z_p ~ p(z) and KL(p* || p_G), `lam` at 1: see L_E, [x, noise] -> codes.")
    assert [text for kind, text in found if kind == "math"] == [
        "x",
        r"z_{p} \sim p(z)",
        r"\mathrm{KL} (p^* \,\Vert\,p_{G} )",
        r"\mathcal L_{E}",
        "x",
    ]
    assert [text for kind, text in found if kind == "code"] == ["lam"]
    assert found[0] == ("text", "A step of ")


@pytest.mark.parametrize("name", ENTRIES)
def test_every_formula_of_a_system_is_set(name):
    parts = sections(inspect.getdoc(ENTRIES[name].system))
    lines = docstrings.paragraphs(parts[""], docstrings.mathematical)
    lines += [docstrings.mathematical(meaning) for meaning in arguments_in(parts).values()]
    formulas = re.findall(r":math:`([^`]*)`", "\n".join(lines))
    assert any(formula.startswith("=") for formula in formulas), "no equation was found"
    for formula in formulas:
        assert "<math" in latex2mathml.tex2mathml(formula)
        assert "||" not in formula and "\x01" not in formula and not re.search(r"\\text\{[^}]*(softplus|_)", formula)


MOVES = (Move("critic", ("critic",)), Move("players", ("encoder", "decoder")), Move("encoder", ("encoder",)))
PHASES = (
    Phase("critic", ("critic",), repeats=5),
    Phase("players", ("players",)),
    Phase("encoder", ("encoder",), reuse=True, gate=lambda step, happened: step > 3),
)


def test_a_step_is_drawn_with_a_box_for_each_network_that_a_move_changes():
    svg = timeline(MOVES, PHASES)
    assert svg.count("<rect") == 4 and svg.count('class="lane"') == 3 and svg.count('class="pass"') == 2
    assert "critic ×5" in svg and "gated" in svg
    both = timeline(MOVES, (Phase("both", ("players", "encoder")),))
    assert both.count("<rect") == 2 and ">players, encoder</text>" in both
    assert passes(PHASES) == [(0, 0), (1, 2)]
    assert in_words(PHASES)[0] == "critic (5 times, each with fresh noise)"
    assert in_words(PHASES)[2] == "encoder (on the forward pass before; not in every step)"


def test_the_page_of_a_system_has_its_equations_networks_arguments_rows_and_paper():
    page = systems.page("flow_vae", ENTRIES["flow_vae"])
    for part in (
        r"\mathcal L",
        '<svg class="timeline"',
        '<svg class="network"',
        "GroupNorm" if "GroupNorm" in page else "group norm",
        "439,",
        "``'realnvp'``",
    ):
        assert part in page, part
    assert _measured("flow_vae") in page and ":doc:`/landscape`" in page and "Kingma" in page
    assert all(f"``{name}``" in page for name in ("beta", "free_bits", "posterior", "ema", "classes"))


def _measured(system):
    """A number that the landscape has of a system."""
    with (DOCS / "landscape.csv").open(newline="", encoding="utf-8") as file:
        return next(row["samples"] for row in csv.DictReader(file) if row["system"] == system)


@pytest.mark.parametrize(
    ("name", "what"), [("vae", "negative ELBO"), ("wae_mmd", "squared error of reconstructions"), ("gan", "nothing")]
)
def test_the_page_of_a_system_says_what_it_is_selected_by(name, what):
    (said,) = re.findall(r"\* - selected by\n +- (.*)", systems.page(name, ENTRIES[name]))
    assert what in said


@pytest.mark.parametrize(("name", "what"), [("vae", "makes it conditional"), ("gmm_vae", "none: its prior, Learned")])
def test_the_page_of_a_system_says_whether_it_takes_labels_as_its_entry_does(name, what):
    (said,) = re.findall(r"\* - labels\n +- (.*)", systems.page(name, ENTRIES[name]))
    assert what in said


def test_the_reference_shows_what_a_game_and_the_bounds_give_their_systems():
    shown = {name: "".join(reference.members(getattr(ki.models, name))) for name in ("Game", "VAE", "MaskAAE", "GAN")}
    assert all(f" {name}," in shown["Game"] for name in ("fit", "evaluate", "predict", "save", "sample", "export"))
    assert "elbo, importance_weighted_bound" in shown["VAE"] and "active_dims" in shown["MaskAAE"]
    assert "compute_loss" not in shown["Game"] and shown["GAN"] == ""


def test_rows_that_only_show_that_a_program_works_are_on_no_page(tmp_path, monkeypatch):
    header, rows = measured.rows_of("vae")["landscape"]
    assert header[:3] == ["settings", "prior", "dataset"] and any(_measured("vae") in row for row in rows)
    (tmp_path / "speed.csv").write_text("system,images,short\nvae,1,short\nvae,2,\ngan,3,short\n")
    monkeypatch.setattr(measured, "DOCS", tmp_path)
    assert measured.rows_of("vae") == {"speed": (["images"], [["2"]])} and measured.rows_of("gan") == {}


def test_every_table_of_systems_has_a_caption_and_a_page():
    for path in DOCS.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            has_systems = "system" in next(csv.reader(file))
        if has_systems:
            assert path.stem in measured.CAPTIONS and (DOCS / f"{measured.page_of(path.stem)}.md").is_file(), path


def test_every_csv_names_command_and_commit_but_those_that_are_named():
    told = (DOCS / "guides" / "reproducibility.md").read_text(encoding="utf-8").partition("CSV files beside")[2]
    lacking = {}
    for path in DOCS.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            lacking[path.name] = {"command", "commit"} - set(next(csv.reader(file)))
    assert {name for name, what in lacking.items() if what} == set(re.findall(r"`(\w+\.csv)`", told)) - {"soak.csv"}
    assert lacking["mnist.csv"] == lacking["mnist_validation.csv"] == {"commit"}


def test_what_choosing_says_was_measured_stands_in_the_table_of_all_systems():
    with (DOCS / "landscape.csv").open(newline="", encoding="utf-8") as file:
        measured_rows = list(csv.DictReader(file))
    section = (DOCS / "choosing.md").read_text(encoding="utf-8").partition("## By what was measured")[2]
    rows = [row for row in section.partition("\n## ")[0].splitlines() if row.startswith("|")][2:]
    assert len(rows) > 5
    for row in rows:
        named = {*re.findall(r"`(\w+)`", row), *(["vae"] if "VAE's" in row else [])}
        values = [value for of in measured_rows if of["system"] in named for value in of.values()]
        known = {f"{float(value):.1f}" for value in values if re.fullmatch(r"-?\d+\.\d+", value)}
        said = {number.replace("−", "-") for number in re.findall(r"−?\d+\.\d+", row)}
        assert said and said <= known, (row, said - known)


COMMANDS = typer.main.get_command(app)


def unknown(line):
    """The words of a command line, without its first, that no command and no option of it is."""
    name, *words = line.split(" #")[0].split()
    if name not in COMMANDS.commands:
        return [name]
    options = {"--help", *(option for known in COMMANDS.commands[name].params for option in known.opts)}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]


def test_two_data_sets_are_compared_as_the_page_says(capsys):
    (code,) = re.findall(r"```python\n([^`]*metric_name[^`]*)```", (DOCS / "metrics.md").read_text())
    found = {}
    exec(code, found)
    train, test = (found["images"]("digits", split).reshape(-1, 64) for split in ("train", "test"))
    assert (len(train), len(test)) == (1500, 297)
    assert found["distance"] == ki.metrics.frechet_distance(train, test) > 0
    assert capsys.readouterr().out.startswith("frechet_distance[data] ")


def test_an_option_that_there_is_not_is_found():
    assert unknown("train ijae --dataset folder:DIR --size 32 --out runs/mine") == ["--size"]
    assert unknown("trian vae --out x") == ["trian"] and not unknown("sample runs/a -n 10 --out=a.png  # --no such")


def commands_of(text):
    """The command lines in a text: between backticks, or a line of code; those of the form `COMMAND` are none."""
    text = re.sub(r"\\\n\s*", " ", text)
    found = re.findall(r"`keras-ijae\s+([^`]+)`", text) + re.findall(
        r"^[^`\n]*\bkeras-ijae +([^`\n]+)$", text, re.MULTILINE
    )
    return [line for line in found if not re.match(r"COMMAND|--debug", line)]


def test_commands_of_the_pages_have_options_that_exist():
    root, said = DOCS.parent, {}
    for path in [*DOCS.rglob("*.md"), *(root / name for name in ("README.md", "CONTRIBUTING.md", "Makefile"))]:
        said[str(path)] = commands_of(path.read_text(encoding="utf-8"))
    for folder in ("examples", "experiments", "benchmarks"):
        for path in [*(root / folder).glob("*.py"), *(root / folder).glob("*.md")]:
            said[str(path)] = commands_of(path.read_text(encoding="utf-8"))
    for name, command in {"": COMMANDS, **COMMANDS.commands}.items():
        said[f"{name} --help"] = commands_of(re.sub(r"\[/?cyan\]", "", command.help))
    wrong = {f"{place}: {line}": bad for place, lines in said.items() for line in lines if (bad := unknown(line))}
    assert wrong == {}
    assert sum(map(len, said.values())) > 120


def metrics_in(text):
    """The names of metrics that a text asks `evaluate` or a `MetricsCallback` for, in Python and in commands."""
    lists = re.findall(r"(?:\bevaluate|MetricsCallback)\([^()\[\]]*\[([^\]]*)\]", text)
    lists += re.findall(r"--metrics ([a-z_,]+)", text)
    return [name for found in lists for name in re.findall(r"\w+", found)]


def test_metrics_that_the_pages_ask_for_exist():
    texts = [path.read_text(encoding="utf-8") for path in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]]
    asked = [name for text in texts for name in metrics_in(text)]
    assert [name for name in asked if name not in ki.evaluation.MEASURES] == [] and len(asked) > 20


@pytest.mark.parametrize("page", ["README.md", "docs/papers.md", "docs/choosing.md"])
def test_every_system_stands_in_the_readme_with_its_paper_and_on_the_page_that_helps_to_choose(page):
    text = (DOCS.parent / page).read_text(encoding="utf-8")
    assert [name for name in ENTRIES if f"`{name}`" not in text] == []


def test_pages_that_the_start_page_does_not_list_are_found(tmp_path):
    (tmp_path / "lab").mkdir()
    for page in ("index", "listed", "new", "lab/one"):
        (tmp_path / f"{page}.md").write_text("```{toctree}\n\nlisted\n```\n" if page == "index" else "# A page\n")
    assert unlisted(tmp_path) == ["lab/one", "new"]
