"""The command `keras-ijae lab`, on experiments that take a second."""

import json
import os

import command
import pytest

from keras_ijae.lab import experiments
from keras_ijae.lab.experiments.outcome import Outcome


def run(*arguments):
    """The exit code of `keras-ijae lab`."""
    return command.run("lab", *arguments)


@pytest.mark.parametrize("name", ["transport", "mean-field", "regression", "clutter", "topologies"])
def test_an_experiment_prints_its_table_and_draws_its_figure(name, tmp_path, capsys, monkeypatch):
    path, outcomes = tmp_path / "new" / "figure.png", []
    experiment = experiments.get_experiment(name)
    keep = lambda seed: outcomes.append(experiment(seed)) or outcomes[0]  # noqa: E731
    monkeypatch.setattr(experiments, "get_experiment", lambda given: {name: keep}[given])
    assert run(name, "--figure", path) == 0
    (outcome,), shown = outcomes, capsys.readouterr().out
    assert outcome.notes.split()[0] in shown and outcome.title.split()[0] in shown
    assert name != "transport" or (shown.count("1.309 "), shown.count("0.925")) == (3, 2)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and list(path.parent.iterdir()) == [path]


def test_no_number_is_cut_off_however_narrow_the_terminal_is(capsys, monkeypatch):
    cells = ["reverse KL", *(1.234567 + i for i in range(9))]
    outcome = Outcome("wide", ["objective", *"abcdefghi"], [cells], "no notes", lambda figure: None)
    monkeypatch.setattr(experiments, "get_experiment", lambda name: lambda seed: outcome)
    monkeypatch.setenv("COLUMNS", "40")
    assert run("mixture") == 0
    shown = capsys.readouterr().out
    assert all(f"{number:.5g}" in shown for number in cells[1:]) and "…" not in shown
    assert max(map(len, shown.splitlines())) <= 40 and shown.count("reverse KL") == 3


def test_programs_get_all_digits(capsys, monkeypatch):
    outcome = Outcome("t", ["name", "x"], [("a, b", 1.2345678901234), ("c", float("inf"))], "n", lambda figure: None)
    monkeypatch.setattr(experiments, "get_experiment", lambda name: lambda seed: outcome)
    assert run("mixture", "--csv") == 0
    assert capsys.readouterr().out == 'name,x\n"a, b",1.2345678901234\nc,inf\n'
    assert run("mixture", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == [{"name": "a, b", "x": 1.2345678901234}, {"name": "c", "x": "inf"}]
    assert run("mixture", "--json", "--csv") == 2
    assert "not both" in capsys.readouterr().err


def test_alone_it_lists_every_experiment_with_a_line(capsys):
    assert run() == 0
    shown = capsys.readouterr().out
    for name in experiments.NAMES:
        assert name in shown and experiments.describe(name)[-1] in ".:", name


def test_an_unknown_name_is_an_error_that_lists_the_known(capsys):
    assert run("transports") == 2
    error = capsys.readouterr().err
    assert "'transports'" in error and "mean-field, regression" in error


def test_a_figure_can_be_asked_for_as_of_the_other_commands(tmp_path):
    assert run("transport", "--out", tmp_path / "figure.png") == 0 and (tmp_path / "figure.png").is_file()


@pytest.mark.parametrize("bad", ["figure.docx", "figure", ".", "file/figure.png", "file/new/a.png"])
def test_a_figure_that_cannot_be_drawn_is_refused_before_any_work(bad, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "get_experiment", lambda name: pytest.fail("it ran"))
    (tmp_path / "file").write_text("no directory")
    assert run("transport", "--figure", tmp_path / bad) == 2
    assert "--figure must" in capsys.readouterr().err


def test_a_figure_in_a_directory_that_cannot_be_written_to_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(experiments, "get_experiment", lambda name: pytest.fail("it ran"))
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path)  # a superuser may write anywhere
    assert run("transport", "--figure", tmp_path / "new" / "figure.png") == 2
    assert "--figure must be in a directory" in capsys.readouterr().err


def test_a_figure_that_stands_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "figure.svg"
    path.write_text("before")

    def broken(figure):
        figure.subplots()
        raise ValueError("no ink")

    table = {"title": "t", "columns": ("a",), "rows": ((1.0,),), "notes": "n"}
    monkeypatch.setattr(experiments, "get_experiment", lambda name: lambda seed: Outcome(**table, draw=broken))
    assert run("transport", "--figure", path) == 2
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    draw = lambda figure: figure.subplots().plot([0, 1])  # noqa: E731
    monkeypatch.setattr(experiments, "get_experiment", lambda name: lambda seed: Outcome(**table, draw=draw))
    assert run("transport", "--figure", path) == 0
    assert "<svg" in path.read_text() and list(tmp_path.iterdir()) == [path]


def test_the_seed_reaches_the_experiment(monkeypatch):
    seen = []
    table = {"title": "t", "columns": ("a",), "rows": ((1,),), "notes": "n", "draw": None}
    monkeypatch.setattr(experiments, "get_experiment", lambda name: lambda seed: seen.append(seed) or Outcome(**table))
    assert run("critic", "--seed", 7) == run("critic") == 0
    assert seen == [7, 0]
