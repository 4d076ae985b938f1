"""`keras-ijae figure` and `keras-ijae film`, on run directories that were made without training."""

import json
import re

import numpy as np
import pytest
from command import run
from PIL import Image

import keras_ijae as ki
from keras_ijae.training import Recipe, RunDirectory, save_grid
from keras_ijae.training.measured import keep_scores
from keras_ijae.training.trainer import build
from keras_ijae_cli.figures import FIGURES


def made(path, system, dataset="digits", latent_dim=2, **settings):
    """A run directory with a model that has not learned anything."""
    recipe = Recipe(system=system, dataset=dataset, latent_dim=latent_dim, networks="mlp", width=4, **settings)
    directory = RunDirectory(path)
    directory.write_recipe(recipe, {})
    build(recipe, ki.datasets.info(dataset).data_shape).save(directory.model)
    return directory


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run directories by name."""
    home = tmp_path_factory.mktemp("runs")
    found = {
        "vae": made(home / "vae", "vae"),
        "gan": made(home / "gan", "gan", "gmm5"),
        "deep": made(home / "deep", "ae", "manifold:8", 3),
    }
    name = "frechet_distance[net]"
    for which, latent_dim in (("vae", 2), ("other", 4)):
        scores = {f"{side}/{name}": {"value": latent_dim / 2, "weights": "w"} for side in ("gen", "rec")}
        (home / which).mkdir(exist_ok=True)
        measured = {"dataset": "digits", "split": "test", "scores": scores}
        (home / which / "scores.json").write_text(json.dumps(measured))
    RunDirectory(home / "other").write_recipe(Recipe(system="vae", dataset="digits", latent_dim=4), {})
    for epoch in (1, 2):
        save_grid(home / "vae" / "grids" / f"samples-{epoch:04d}.png", np.full((1, 4, 4, 1), epoch / 2))
    return home, found


def test_the_figures_are_listed_with_what_they_need(capsys):
    assert run("figure") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown for name in FIGURES) and "an encoder" in shown


def test_the_help_says_by_what_figures_compare_and_where_else_it_comes_from(capsys):
    assert run("figure", "--help") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "By what neighbours and prd compare: data (pixels" in said and "keras-ijae train-classifier" in said
    assert all("--features" in FIGURES[name].summary for name in ("neighbours", "prd"))


def test_no_table_is_asked_of_a_figure(tmp_path, capsys):
    assert run("figure", "codes", tmp_path, "--csv") == 2
    assert_said(capsys, "Options --csv and --json are for the list of figures")


def test_a_figure_of_a_run_is_drawn(runs, tmp_path):
    home, _ = runs
    assert run("figure", "attribute-traversals", home / "vae", "--out", tmp_path / "f.png", "-n", 60) == 0
    assert np.asarray(Image.open(tmp_path / "f.png")).std() > 10


def test_a_file_whose_name_has_brackets_is_written_and_named(runs, tmp_path, monkeypatch, capsys):
    home, _ = runs
    monkeypatch.chdir(tmp_path)
    for out in ("of [test].gif", "a[/b].gif"):
        assert run("film", home / "vae", "--out", out) == 0
        assert_said(capsys, re.escape(f"Wrote {out}"))


def test_runs_are_compared(runs, tmp_path):
    home, _ = runs
    assert run("figure", "distances", home / "vae", home / "other", "--out", tmp_path / "d.png") == 0
    assert np.asarray(Image.open(tmp_path / "d.png")).std() > 10


def test_runs_that_were_evaluated_in_two_kinds_of_features_have_two_plots(tmp_path):
    for latent_dim in (2, 4):
        path = RunDirectory(tmp_path / str(latent_dim))
        path.write_recipe(Recipe(system="vae", dataset="digits", latent_dim=latent_dim), {})
        for name in ("fid", "frechet_distance[net]"):
            keep_scores(path.path / "scores.json", {f"gen/{name}": {"value": 1.0}}, dataset="digits", split="test")
    assert run("figure", "distances", tmp_path / "2", tmp_path / "4", "--out", tmp_path / "d.svg") == 0
    drawn = (tmp_path / "d.svg").read_text()
    assert "FID" in drawn and "Frechet distance, features of net" in drawn


def test_runs_that_were_scored_on_different_data_are_not_compared(runs, tmp_path, capsys):
    home, _ = runs
    path = RunDirectory(tmp_path / "run")
    path.write_recipe(Recipe(system="vae", dataset="digits", latent_dim=4), {})
    measured = json.loads((home / "other" / "scores.json").read_text())
    for changed in ({"dataset": "mnist"}, {"split": "train"}):
        (path.path / "scores.json").write_text(json.dumps(measured | changed))
        assert run("figure", "distances", home / "vae", path.path, "--out", tmp_path / "d.png") == 2
        other = ", ".join((measured | changed)[name] for name in ("dataset", "split"))
        assert_said(capsys, f"one data set and split. Received: .*vae on digits, test, and .*run on {other}")
    assert not (tmp_path / "d.png").exists()


def measured_run(path, *measured, latent_dim=4):
    """A run directory with scores of 1.0, measured in this order: (names, split)."""
    run = RunDirectory(path)
    run.write_recipe(Recipe(system="vae", dataset="digits", latent_dim=latent_dim), {})
    for names, split in measured:
        scores = {name: {"value": 1.0} for name in names}
        keep_scores(path / "scores.json", scores, dataset="digits", split=split)
    return path


NET, DATA = "gen/frechet_distance[net]", "gen/frechet_distance[data]"


def test_scores_that_are_not_drawn_may_be_on_another_split(tmp_path):
    one = measured_run(tmp_path / "one", ([NET], "test"), ([DATA, "rec/mean_squared_error"], "train[:100]"))
    two = measured_run(tmp_path / "two", ([NET], "test"))
    assert run("figure", "distances", one, two, "--out", tmp_path / "d.png") == 0


def test_distances_on_data_that_were_loaded_otherwise_are_not_compared_and_an_option_chooses(tmp_path, capsys):
    one, two = measured_run(tmp_path / "one", ([NET], "test")), measured_run(tmp_path / "two", ([NET], "test"))
    keep_scores(two / "scores.json", {DATA: {"value": 1.0}}, dataset="digits", split="test", data={"crop": "center"})
    assert run("figure", "distances", one, two, "--out", tmp_path / "d.png") == 0
    assert run("figure", "distances", two, "--out", tmp_path / "d.png") == 2
    assert_said(capsys, r"with those on digits, crop=center, test and digits, test. Choose by --dataset, --data and")
    assert run("figure", "distances", two, "--data", "crop=center", "--out", tmp_path / "d.svg") == 0
    assert "themselves" in (tmp_path / "d.svg").read_text()


def test_where_distances_are_on_several_splits_an_option_chooses(tmp_path, capsys):
    one, out = measured_run(tmp_path / "one", ([NET], "test"), ([DATA], "train[:100]")), tmp_path / "d.svg"
    assert run("figure", "distances", one, "--out", out) == 2
    assert_said(capsys, r"with those on digits, test and digits, train\[:100\]. Choose by --dataset, --data and")
    assert run("figure", "distances", one, "--split", "test", "--out", out) == 0
    assert "features of net" in out.read_text() and "themselves" not in out.read_text()
    assert run("figure", "distances", one, "--split", "validation", "--out", tmp_path / "e.svg") == 2
    assert_said(capsys, r"needs scores on validation. Received: .* with those on digits, test and digits, train")


def test_distances_that_others_replaced_are_drawn_when_their_split_is_asked_for(tmp_path, capsys):
    one = measured_run(tmp_path / "one", ([NET], "test"), ([NET], "train[:100]"))
    two, out = measured_run(tmp_path / "two", ([NET], "test")), tmp_path / "d.png"
    assert run("figure", "distances", one, two, "--out", out) == 2
    assert_said(capsys, r"one on digits, train\[:100\], and .*two on digits, test. Choose by --dataset, --data and")
    assert run("figure", "distances", one, two, "--split", "test", "--out", out) == 0


@pytest.mark.parametrize("on", [(), ("--dataset", "digits", "--split", "test")])
def test_distances_that_others_replaced_are_drawn_when_the_arguments_of_their_data_are_asked_for(tmp_path, capsys, on):
    one, out = measured_run(tmp_path / "one", ([NET], "test")), tmp_path / "d.png"
    for size in (16, 32):
        data = {"size": size}
        keep_scores(one / "scores.json", {NET: {"value": 1.0}}, dataset="digits", split="test", data=data)
    for size in ("none", 16, 32):
        assert run("figure", "distances", one, "--data", f"size={size}", *on, "--out", out) == 0
    assert run("figure", "distances", one, "--data", "size=64", *on, "--out", out) == 2
    assert_said(capsys, "needs scores on .*size=64.* Received: .* with those on digits, size=32, test")


def test_curves_of_runs_on_different_data_are_not_drawn(runs, tmp_path, capsys):
    home, _ = runs
    out = ("--out", tmp_path / "p.png")
    assert run("figure", "prd", home / "vae", home / "gan", *out) == 2
    assert_said(capsys, "one data set and split. Received: .*vae on digits, test, and .*gan on gmm5, test")
    assert not (tmp_path / "p.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_of_a_run_is_drawn(runs, tmp_path, name):
    home, _ = runs
    model = made(tmp_path / "mask", "mask_aae") if name == "mask" else RunDirectory(home / "vae")
    if name == "mask":
        np.savez(model.mask, steps=[0, 9], alphas=np.array([[0.5, 0.5], [0.9, 0.0]]))
    runs_of = [model.path, home / "other"] if name == "distances" else [model.path]
    assert run("figure", name, *runs_of, "--out", tmp_path / "f.pdf", "-n", 60, "--rows", 2) == 0
    assert (tmp_path / "f.pdf").read_bytes()[:4] == b"%PDF"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["interpolations", "neighbours", "prd"])
def test_a_model_of_vectors_of_the_plane_without_an_encoder_has_figures(runs, tmp_path, name):
    home, _ = runs
    assert run("figure", name, home / "gan", "--out", tmp_path / "f.svg", "--rows", 2, "-n", 60) == 0
    text = (tmp_path / "f.svg").read_text()
    assert ("Between samples" in text) == (name == "interpolations") and "Between data" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense", "vae"), "There is no figure 'nonsense'. `keras-ijae figure` lists them: attribute-directions"),
        (("latent-traversal", "vae"), "prd, distances. Did you mean 'latent-traversals'"),
        (("codes",), "Figure codes is of one RUN. Received: 0"),
        (("codes", "vae", "gan"), "Figure codes is of one RUN. Received: 2"),
        (("codes", "nowhere"), "must be a run directory or a .keras file. Nothing exists at"),
        (("codes", "vae", "--out", "f.docx"), "Option --out must end in one of .*eps"),
        (("codes", "vae", "--out", "/dev/null/f.png"), "Option --out must be in a directory that can be written to"),
        (("distances", "gan"), "Figure distances needs"),
        (("distances", "other", "vae", "gan"), "`keras-ijae evaluate .*gan --metrics fid --features ...` writes it"),
        (("codes", "other"), "There is no model at .*other"),
        (
            ("prd", "vae", "--features", "nothing.keras"),
            "Option --features must name a file.* classifier at nothing.keras",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_written(runs, tmp_path, monkeypatch, capsys, arguments, message):
    home, _ = runs
    monkeypatch.chdir(tmp_path)
    name, *rest = arguments
    paths = [home / part if part in ("vae", "gan", "other") else part for part in rest]
    assert run("figure", name, *paths) == 2
    assert_said(capsys, message)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "which", "message"),
    [
        ("latent-traversals", "gan", "Figure latent-traversals needs an encoder. Received: .*gan, a GAN without one"),
        ("mask", "vae", "Figure mask needs a mask. Received: .*vae, a VAE without one"),
        (
            "latent-traversals",
            "deep",
            "needs images or vectors of 2 numbers. Received: .*deep, which makes vectors of 128",
        ),
        ("attribute-directions", "deep", "needs labels. Received: .*deep, with data without any, manifold:8"),
    ],
)
def test_what_a_run_lacks_for_a_figure_is_said(runs, tmp_path, monkeypatch, capsys, name, which, message):
    home, _ = runs
    monkeypatch.chdir(tmp_path)
    assert run("figure", name, home / which) == 2
    assert_said(capsys, message)
    assert not list(tmp_path.iterdir())


def test_a_film_of_a_run(runs, tmp_path, monkeypatch, capsys):
    home, _ = runs
    monkeypatch.chdir(tmp_path)
    assert run("film", home / "vae", "--fps", 2) == 0
    with Image.open("film.gif") as film:
        assert film.n_frames == 2
    for arguments, message in (
        ((home / "gan",), "There are no pictures of training in .*grids"),
        ((tmp_path,), "is not a run directory: it has no config.json"),
        ((home / "vae", "--name", "reconstructions"), "Option --name must be one of 'samples'"),
        ((home / "vae", "--out", tmp_path), "Option --out must name a file"),
        ((home / "vae", "--out", "f.txt"), "Option --out must be a file that ends in .gif"),
    ):
        assert run("film", *arguments) == 2
        assert_said(capsys, message)
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


@pytest.mark.slow
def test_training_leaves_what_films_masks_and_the_projector_need(tmp_path):
    small = ("--networks", "mlp", "--width", 4, "--latent-dim", 2, "--batch-size", 512, "--epochs", 2)
    assert run("train", "mask_aae", "--dataset", "gmm5", *small, "--out", tmp_path / "run") == 0
    trace = ki.figures.MaskTrace.read(tmp_path / "run" / "mask.npz")
    assert trace.alphas.shape == (3, 2) and trace.steps[0] == 0
    assert run("figure", "mask", tmp_path / "run", "--out", tmp_path / "mask.png") == 0
    assert run("film", tmp_path / "run", "--out", tmp_path / "film.gif") == 0
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 2
    about = (tmp_path / "run" / "logs" / "codes_metadata.tsv").read_text().splitlines()
    assert about[0] == "from\tlabel" and {line[:6] for line in about[1:]} == {"data\t" + label for label in "01234"} | {
        "sample"
    }


def assert_said(capsys, message):
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(message, said), said
