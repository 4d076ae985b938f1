"""The report: what stands in the page, of any kind of run, whole, interrupted, gone bad or damaged."""

import base64
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from browser import chromium  # noqa: F401

import keras_ijae as ki
from keras_ijae.figures import PALETTE
from keras_ijae.files import write_json
from keras_ijae.metrics.score import Score
from keras_ijae.report import codes, facts, scores, sections, vectors, write_report, writing
from keras_ijae.report.beside import histogram, share_ranges
from keras_ijae.report.charts import GREEN, GREY, bars, chart, line
from keras_ijae.report.curves import _best, _extremes, constants, curves
from keras_ijae.report.looking import Look
from keras_ijae.report.panels import Panel
from keras_ijae.report.reading import Run, names_of, not_finite, read_run
from keras_ijae.report.sections import SECTIONS
from keras_ijae.training import Backup, Recipe, RunDirectory
from keras_ijae.training.trainer import build, train, versions
from keras_ijae_cli import main

RNG = np.random.default_rng(0)
NASTY = "<script>alert(1)<img src=x onerror=alert(1)>"
RECIPE = Recipe(system="vae", dataset="digits", latent_dim=3, width=4, batch_size=450, epochs=2)
SCORE = Score("x", 1.5, std=0.25, n_real=1447, n_fake=1300, seed=3, extractor="data", weights="abcdef")


def made(path, recipe, shape):
    """A run directory with a model as it is before training, and nothing else."""
    run = RunDirectory(path)
    path.mkdir()
    run.write_recipe(recipe, versions())
    build(recipe, shape).save(run.model)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A VAE of digits after two epochs, with scores, in a directory named as a tag."""
    run = RunDirectory(tmp_path_factory.mktemp("runs") / NASTY)
    train(RECIPE, run)
    write_json(run.path / "scores.json", {"dataset": "digits", "split": "test", "scores": {"gen/x": SCORE.to_dict()}})
    return run


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    """The path of its report."""
    out = tmp_path_factory.mktemp("out") / "report.html"
    write_report(run.path, out)
    return out


def without_plotly(page):
    return re.sub(r"<script>.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


# The page ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_section_shows_something(page):
    text = without_plotly(page)
    assert "absent" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    for anchor in ("trained", "scores", "curves", *(section.anchor for section in SECTIONS)):
        assert text.count(f'<section id="{anchor}">') == text.count(f'href="#{anchor}"') == 1
    assert text.count('alt="sample"') >= 60 and text.count('alt="held-out image"') == 16


@pytest.mark.slow
def test_the_system_is_explained_and_the_run_described(page):
    text = without_plotly(page)
    for words in ("KL(q(z|x) || p(z))", "Done: 2 epochs", "batches of 450", "tensorflow-probability", "CPU", "6 steps"):
        assert words in text, words


@pytest.mark.slow
def test_scores_carry_their_protocol(page):
    text = without_plotly(page)
    assert "1.5 ± 0.25" in text and "1,447 real, 1,300 generated, seed 3, features of data abcdef" in text


def test_a_run_whose_name_has_brackets_has_a_bar(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with writing._progress(1, shown=True) as step:
        step("a[/b]: reading")


@pytest.mark.slow
def test_names_are_text_and_never_markup(page):
    text = page.read_text(encoding="utf-8")
    assert NASTY not in text and "&lt;script&gt;alert(1)&lt;img" in text


@pytest.mark.slow
def test_the_page_refers_to_nothing_outside(page):
    text = without_plotly(page).replace("src=x onerror", "")  # in the name, which is text: see above
    found = re.findall(r"""(?:src|href|action|data|poster|srcset)=["']?([^"'\s>]*)|url\(([^)]*)\)""", text)
    assert found and all((one or other).startswith(("data:", "#")) for one, other in found)
    assert "default-src 'none'" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_runs_stand_side_by_side(run, tmp_path):
    other = made(tmp_path / "gan", RECIPE.but(system="gan", classes=10, latent_dim=2), (8, 8, 1))
    write_report([run.path, other.path], tmp_path / "two.html")
    text = without_plotly(tmp_path / "two.html")
    assert text.count('class="panel"') == 2 * len(SECTIONS) and "This system has no encoder." in text
    assert [f"label {label}" in text for label in range(10)] == [True] * 10
    assert "There is no" in text and "history.csv" in text


# What is read -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_neighbours_are_those_of_all_training_data_at_once(run):
    look = Look(read_run(run.path, "run"))
    queries, whole = look.rows[0][:5], np.concatenate(list(look._training_batches()))
    near, distances, among = look.neighbours(queries, 3, 5)
    expected = ki.metrics.nearest_neighbours(queries, whole, 3)
    assert among == len(whole) > 1024
    np.testing.assert_allclose(distances, expected.distances, rtol=1e-5)
    np.testing.assert_array_equal(near, whole[expected.indices])
    few, all_distances, _ = look.neighbours(queries, 3, 2)  # images of the first alone
    np.testing.assert_array_equal(few, near[:2])
    np.testing.assert_array_equal(all_distances, distances)


def entry(**changes):
    entry = {"began": "b", "seen": "s", "seconds": 1.0, "epochs": 1, "device": "d", "warnings": [], "outcome": "done"}
    return {**entry, "error": None, **changes}


@pytest.mark.parametrize(
    ("journal", "mood", "words"),
    [
        ([entry(epochs=2)], facts.GOOD, "Done: 2 epochs"),
        (
            [entry(outcome="failed", error="TrainingError: went bad at step 7")],
            facts.BAD,
            "1 of 2 epochs. TrainingError",
        ),
        ([entry(outcome="failed", error="x"), entry(epochs=2)], facts.GOOD, "Done"),
        ([entry(outcome="interrupted")], facts.OPEN, "Interrupted after 1 of 2"),
        ([entry(outcome=None)], facts.OPEN, "was killed; its last sign of life, after 1 of 2 epochs, is of s"),
    ],
)
def test_the_state_of_a_run_is_said(journal, mood, words, tmp_path):
    run = Run("name", RunDirectory(tmp_path), RECIPE, journal=journal)
    assert facts.state(run)[0] == mood and words in facts.state(run)[1]


def test_the_data_are_said_with_the_part_that_was_trained_on_and_how_they_were_loaded(tmp_path):
    for recipe, said in ((RECIPE, "digits"), (RECIPE.but(split="train[:9]", data={"size": 4}), "train[:9], size=4")):
        assert facts.facts(Run("name", RunDirectory(tmp_path), recipe))["data"].endswith(said)


def test_numbers_that_are_not_finite_are_said(tmp_path):
    logged = {"loss": (np.arange(1, 4.0), np.array([1, np.nan, np.inf])), "kl": (np.arange(1, 4.0), np.ones(3))}
    run = Run("name", RunDirectory(tmp_path), RECIPE, journal=[entry()], curves=logged)
    assert not_finite(run) == ["loss from epoch 2"]
    assert facts.state(run) == (facts.BAD, "Done, but not finite: loss from epoch 2.")
    assert _extremes(*logged["loss"]) == "last 1, lowest 1 at epoch 1, highest 1 at epoch 1"
    (star,) = _best("training", -1, *logged["loss"], "#000000")
    assert list(star.x) == [1] and list(star.y) == [1]


def test_a_loss_whose_weight_of_the_kl_rises_has_no_star_at_its_beginning(tmp_path):
    epochs, rising = np.arange(1, 4.0), np.array([1.0, 2.0, 3.0])
    for beta, count in ((rising, 0), (np.ones(3), 1)):
        logged = {"auto_encoder_loss": (epochs, rising), "beta": (epochs, beta)}
        assert stars(curves([Run("one", RunDirectory(tmp_path), RECIPE, curves=logged)])[0]) == count


def test_a_term_that_never_varies_is_a_line_of_text_and_no_chart(tmp_path):
    def run(name, beta, epochs=3):
        of = np.arange(1.0, epochs + 1)
        return Run(name, RunDirectory(tmp_path), RECIPE, curves={"kl": (of, of), "beta": (of, beta * np.ones(epochs))})

    one, half, rising = run("one", 1.0), run("half", 0.5), run("rising", np.arange(3.0))
    assert [chart.title for chart in curves([one])] == ["kl"] and constants([one]) == ["`beta` is 1 throughout."]
    assert constants([one, half]) == ["`beta` is 1 in one, 0.5 in half, throughout."]
    assert [chart.title for chart in curves([one, rising])] == ["kl", "beta"] and constants([one, rising]) == []
    assert constants([run("short", 1.0, epochs=1)]) == []  # of one epoch nothing is known to be constant
    bad = run("bad", np.nan)
    assert constants([bad]) == [] and len(curves([bad])) == 2


def stars(chart):
    return sum("star" in str(trace.get("marker")) for trace in json.loads(chart.json)["data"])


def test_a_term_has_a_star_where_there_is_a_better_and_losses_of_different_systems_stand_apart(tmp_path):
    points = np.arange(1, 4.0), np.array([2.0, 1.0, 3.0])
    names = ["auto_encoder_loss", "val_loss", "val_squared_error_sum", "elbo_nats_sum", "kl_nats_sum"]
    run = Run("one", RunDirectory(tmp_path), RECIPE, curves=dict.fromkeys(names, points))
    other = Run("two", RunDirectory(tmp_path), RECIPE.but(system="ae"), curves=dict.fromkeys(names, points))
    expected = {"auto_encoder_loss": 1, "loss": 1, "squared_error_sum": 1, "elbo_nats_sum": 1, "kl_nats_sum": 0}
    assert {chart.title: stars(chart) for chart in curves([run])} == expected
    assert {chart.title: stars(chart) for chart in curves([run, run])} == {k: 2 * n for k, n in expected.items()}
    run.curves["prior_loss"], expected["prior_loss"] = points, 0  # and so there are two players
    different = {chart.title: chart for chart in curves([run, other])}
    apart = {f"{loss} of {name}": 1 for loss in ("auto_encoder_loss", "loss") for name in ("one", "two")}
    assert {title: stars(chart) for title, chart in different.items()} == {
        **{name: 2 * count for name, count in expected.items() if name not in ("auto_encoder_loss", "loss")},
        **{**apart, "auto_encoder_loss of one": 0},  # one of two players
    }
    assert {title for title, chart in different.items() if "not compare" in chart.caption} == {*apart}
    assert {len(runs_in(different[title])) for title in apart} == {1}


def runs_in(chart):
    return {trace["name"].partition(",")[0] for trace in json.loads(chart.json)["data"]}


def own_colours(charts):
    """Every colour of charts that is neither grey nor that of priors."""
    found = {colour.lower() for chart in charts for colour in re.findall("#[0-9a-fA-F]{6}", str(chart.figure.data))}
    return found - {GREY, GREEN}


def test_what_is_a_runs_own_has_its_colour_and_what_is_held_out_is_grey(tmp_path, monkeypatch):
    monkeypatch.setattr(codes, "embedded", lambda both: both[:, :2])
    epochs = np.arange(1, 4.0)
    for colour in PALETTE[:2]:
        look = looked_at(tmp_path, system="vae")
        look.run.colour, look.run.curves = colour, {"loss": (epochs, epochs)}
        look.rows = RNG.random((40, 8, 8, 1), "float32"), None
        monkeypatch.setattr(look, "_training_batches", lambda: iter([RNG.random((40, 8, 8, 1), "float32")]))
        panels = [sections.reconstructions(look), sections.nearest(look), codes.codes(look)]
        charts = [*curves([look.run]), *(chart for panel in panels for chart in panel.charts)]
        assert len(charts) >= 6 and own_colours(charts) == {colour}
        samples, held_out = json.loads(panels[1].charts[0].json)["data"]
        assert (samples["name"], samples["line"]["color"], samples["fill"]) == ("samples", colour, "tozeroy")
        assert (held_out["name"], held_out["line"]["color"], held_out.get("fill")) == ("held-out", GREY, None)


def test_histograms_beside_each_other_have_the_same_bins_and_axes():
    near, far = RNG.normal(1, 0.1, 300), RNG.normal(7, 2, 500)
    panels = [Panel("", charts=[histogram("error", {"held-out": rows}, "x", "#112233")]) for rows in (near, far)]
    share_ranges(panels)
    (one, other) = (json.loads(panel.charts[0].json) for panel in panels)
    for axis in ("xaxis", "yaxis"):
        assert one["layout"][axis]["range"] == other["layout"][axis]["range"]
    np.testing.assert_array_equal(values(one["data"][0]["x"]), values(other["data"][0]["x"]))
    low, high = one["layout"]["xaxis"]["range"]
    np.testing.assert_allclose((low, high), (min(near.min(), far.min()), far.max()))
    np.testing.assert_allclose([values(of["data"][0]["y"]).sum() for of in (one, other)], 1)
    assert one["layout"]["yaxis"]["range"][1] > values(one["data"][0]["y"]).max() > 0.5


def test_bars_beside_each_other_have_one_height_and_charts_of_one_run_their_own():
    strong = np.array([True, False])
    panels = [Panel("", charts=[bars("spread", np.array([1.0, top]), strong, "", "", "#112233")]) for top in (2, 5)]
    share_ranges(panels[:1])
    assert "range" not in json.loads(panels[0].charts[0].json)["layout"]["yaxis"]
    share_ranges(panels)
    one, other = (json.loads(panel.charts[0].json)["layout"] for panel in panels)
    assert one["yaxis"]["range"] == other["yaxis"]["range"] and one["yaxis"]["range"][0] == 0
    assert one["yaxis"]["range"][1] > 5 and "range" not in one["xaxis"]


def test_charts_of_one_title_whose_axes_have_other_meanings_keep_their_own_ranges():
    looks = [beside(RNG.random((30, size)) + size) for size in (2, 2, 5)]
    panels = [Panel("", charts=[vectors.compared("Samples and held-out data", look)]) for look in looks]
    share_ranges(panels)
    plane, other, longer = (json.loads(panel.charts[0].json)["layout"] for panel in panels)
    for axis in ("xaxis", "yaxis"):
        assert plane[axis]["range"] == other[axis]["range"] and "range" not in longer[axis]
    assert plane["xaxis"]["range"][0] > 1.9 and plane["yaxis"]["range"][1] < 3.1


def beside(rows):
    """A look at a run whose samples are the held-out vectors."""
    model, run = SimpleNamespace(data_shape=rows.shape[1:]), SimpleNamespace(colour="#112233")
    return SimpleNamespace(model=model, run=run, samples=rows, rows=(rows, None))


def test_warnings_are_counted_over_all_beginnings(tmp_path):
    warning = {"text": "careful", "category": "UserWarning", "times": 2}
    run = Run("name", RunDirectory(tmp_path), RECIPE, journal=[entry(warnings=[warning]), entry(warnings=[warning])])
    assert facts.warned(run) == ["UserWarning: careful (4 times)"]


def test_text_in_a_chart_is_no_markup_and_marks_are_as_they_were():
    drawn = chart("t", [line("<b>x</b></script> \"q\" 'q'", np.arange(3), np.arange(3), "red")], "<i>", "y")
    name = json.loads(drawn.json)["data"][0]["name"]
    assert "<" not in drawn.json and name == "&lt;b&gt;x&lt;/b&gt;&lt;/script&gt; \"q\" 'q'"  # Plotly knows no &quot;


def test_a_commit_that_is_not_known_has_no_row(tmp_path):
    run = Run("one", RunDirectory(tmp_path), RECIPE, versions={"keras": "3"})
    assert "commit" not in facts.facts(run)
    run.versions["commit"] = "abc"
    assert facts.facts(run)["commit"] == "abc" and "abc" not in facts.facts(run)["versions"]


def test_names_break_between_their_words():
    found = writing._breakable("gen/absolute_error[a-b]<i>")
    assert found == "gen/<wbr>absolute_<wbr>error<wbr>[a-b]&lt;i&gt;"


def test_the_error_without_noise_is_said_beside_that_of_drawn_codes(tmp_path):
    look = looked_at(tmp_path, system="vae")
    look.rows = RNG.random((30, 8, 8, 1), "float32"), None
    mean = look.model.reconstruction_error(look.rows[0]).mean()
    text = sections.reconstructions(look).text
    assert "drawn with seed 0" in text
    assert f"as `squared_error_sum` of validation and of `evaluate` has it, the mean is {mean:.4g}." in text
    look = looked_at(tmp_path, system="ae")
    look.rows = RNG.random((30, 8, 8, 1), "float32"), None
    text = sections.reconstructions(look).text
    assert "drawn" not in text and "Without noise" not in text


@pytest.fixture
def of_codes(monkeypatch):
    """What the section of codes shows of a run: title -> traces."""
    monkeypatch.setattr(codes, "embedded", lambda both: both[:, :2])  # t-SNE takes its time
    return lambda run: {chart.title: json.loads(chart.json)["data"] for chart in codes.codes(Look(run)).charts}


def values(array):
    """Of an array in a figure's JSON."""
    return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])


def test_codes_of_the_prior_look_like_those_of_no_class(run, of_codes):
    prior, *classes = of_codes(read_run(run.path, "run"))["Codes by t-SNE"]
    assert (prior["name"], [trace["name"] for trace in classes]) == ("prior", [str(label) for label in range(10)])
    for look in ("color", "symbol"):
        assert prior["marker"][look] not in {trace["marker"][look] for trace in classes}
    assert len({trace["marker"]["color"] for trace in classes}) == 10


def test_the_mask_is_drawn_where_a_run_has_one_and_a_damaged_one_is_noted(run, of_codes, tmp_path):
    found = read_run(run.path, "run")
    assert codes._mask(found) == []
    found.directory = RunDirectory(tmp_path)
    np.savez(
        found.directory.mask, steps=[0, 5, 9], alphas=np.array([[0.5, 0.6, 0.7], [0.7, 0.3, 0.2], [0.9, 0.8, 0.0]])
    )
    drawn = of_codes(found)["Mask over training"]
    assert [trace["name"] for trace in drawn] == ["2 that stay", "1 that close"] and len(found.notes) == 0
    np.testing.assert_array_equal(values(drawn[1]["y"])[:3], [0.7, 0.2, 0.0])
    found.directory.mask.write_bytes(b"no archive")
    assert codes._mask(found) == [] and "mask.npz" in found.notes[0]


def test_two_directories_of_one_name_are_told_apart_by_their_paths(tmp_path):
    paths = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "other"]
    assert names_of(paths) == [str(paths[0]), str(paths[1]), "other"]


def test_damaged_pieces_are_noted_and_the_rest_is_read(run, tmp_path):
    damaged = made(tmp_path / "run", RECIPE, (8, 8, 1))
    for name in ("history.csv", "journal.json", "scores.json", "model.keras"):
        (damaged.path / name).write_text("{,")
    (damaged.path / "evaluation.json").write_text("[]")
    (damaged.path / "metrics.json").write_text('{"a": {}}')
    found = read_run(damaged.path, "run")
    assert scores.groups([found]) == [] and found.model is None and found.versions
    for name in ("history.csv", "journal.json", "scores.json", "model.keras", "metrics", "evaluation.json"):
        assert any(name in note for note in found.notes), (name, found.notes)


def test_measures_of_the_demo_are_told_as_in_the_terminal_with_their_aims(tmp_path):
    done = made(tmp_path / "run", RECIPE, (8, 8, 1))
    measured = {"samples": 500, "sure_share": 0.8181, "copies_share": 0.052, "nearest_train_test": 1.5}
    write_json(done.path / "metrics.json", measured | {"class_shares": [0.25, 0.75]})
    found = read_run(done.path, "run")
    (group,) = scores.groups([found])
    assert {what: (cells["run"].value, cells["run"].protocol) for what, cells in group.rows.items()} == {
        "samples": ("500", ""),
        "judge: at least 0.8 sure of samples": ("81.8%", "aim: >= 80 %"),
        "to the nearest training image, held-out": ("1.50", ""),
        "samples nearer than 99 % of held-out are": ("5.2%", "aim: few"),
    }
    assert group.notes == {"run": "samples of 0 to 9, in %: 25 75"}


@pytest.mark.parametrize("history", [f"epoch,loss\n{10**400},1\n", f"epoch,loss\n1,{'1' * 200_000}\n"])
def test_histories_with_impossible_values_and_versions_of_other_types_are_noted(run, tmp_path, history):
    damaged = made(tmp_path / "run", RECIPE, (8, 8, 1))
    config = json.loads(damaged.config.read_text())
    damaged.config.write_text(json.dumps(config | {"versions": None}))
    damaged.history.write_text(history)
    found = read_run(damaged.path, "run")
    assert found.curves == {} and found.versions == {}
    assert [any(what in note for note in found.notes) for what in ("history.csv", "no versions")] == [True, True]


def test_a_run_that_is_not_done_is_shown_by_its_newest_backup(run, tmp_path):
    half = RunDirectory(tmp_path / "run")
    half.path.mkdir()
    half.write_recipe(RECIPE, versions())
    for file in (run.backup).iterdir():
        half.backup.mkdir(exist_ok=True)
        (half.backup / file.name).write_bytes(file.read_bytes())
    found = read_run(half.path, "run")
    assert found.weights == f"the newest backup, after {Backup(run.backup).epochs} epochs"
    np.testing.assert_array_equal(found.model.sample(2), ki.load_model(run.path).sample(2))
    assert facts.state(found)[0] == facts.OPEN
    assert (found.is_done, read_run(run.path, "run").is_done) == (False, True)


def looked_at(tmp_path, is_done=False, **how):
    model = ki.create(data_shape=(8, 8, 1), latent_dim=2, networks="mlp", width=4, **how)
    return Look(Run("run", RunDirectory(tmp_path), RECIPE, model=model, is_done=is_done))


@pytest.mark.parametrize("system", ["ae_gmm", "rae_gmm", "two_stage_vae"])
def test_a_prior_that_is_fitted_at_the_end_is_said_not_to_be_before(system, tmp_path):
    before, done = (sections.samples(looked_at(tmp_path, is_done, system=system)).text for is_done in (False, True))
    assert "fitted to codes when training is done, and not yet." in before and "not yet" not in done


def test_a_prior_that_is_learned_in_training_is_never_said_to_be_fitted_later(tmp_path):
    text = sections.samples(looked_at(tmp_path, system="flow_vae")).text
    assert text.endswith("their codes are from RealNVP.")


def test_labels_that_have_no_row_are_said(tmp_path):
    many = sections.samples(looked_at(tmp_path, system="vae", classes=25))
    assert len(many.tiles) == 20 and "A row for each of the first 20 of 25 labels;" in many.text
    all_of_them = sections.samples(looked_at(tmp_path, system="vae", classes=20))
    assert len(all_of_them.tiles) == 20 and "A row for each label;" in all_of_them.text


@pytest.mark.slow
def test_a_model_whose_weights_are_not_finite_is_told_and_not_drawn(tmp_path):
    run = made(tmp_path / "run", RECIPE, (8, 8, 1))
    model = ki.load_model(run.path)
    model.decoder.weights[-1].assign(np.full(model.decoder.weights[-1].shape, np.nan))
    model.save(run.model)
    write_report(run.path, tmp_path / "report.html")
    text = without_plotly(tmp_path / "report.html")
    assert "samples are not finite" in text and "reconstructions are not finite" in text
    assert "Done, but not finite: the weights of decoder." in text
    assert "dimensions are active" in text  # its encoder is as it was


@pytest.mark.slow
def test_a_run_without_its_data_shows_what_the_model_alone_gives(tmp_path):
    run = made(tmp_path / "run", RECIPE.but(dataset=f"npz:{tmp_path / 'gone.npz'}"), (8, 8, 1))
    write_report(run.path, tmp_path / "report.html")
    text = without_plotly(tmp_path / "report.html")
    assert text.count('alt="sample"') == 60 and "gone.npz" in text and 'alt="held-out image"' not in text


@pytest.mark.slow
@pytest.mark.parametrize("features", [1, 2, 5])
@pytest.mark.parametrize("system", ["ae", "gan"])
def test_vectors_are_drawn_as_charts(tmp_path, features, system):
    rows = np.random.default_rng(0).normal(size=(200, features)).astype("float32")
    np.savez(tmp_path / "rows.npz", x=rows)
    recipe = RECIPE.but(system=system, dataset=f"npz:{tmp_path / 'rows.npz'}", latent_dim=2)
    run = made(tmp_path / "run", recipe, (features,))
    write_report(run.path, tmp_path / "report.html")
    text = without_plotly(tmp_path / "report.html")
    assert "<img" not in text and "Samples and held-out data" in text and "Distance to the nearest" in text
    assert text.count("This system has no encoder.") == (2 if system == "gan" else 0)
    assert text.count('class="absent"') == (4 if system == "gan" else 2)  # scores and history, and what needs codes


# Bad input --------------------------------------------------------------------------------------------------


def test_what_is_no_run_and_what_cannot_be_written_are_errors_and_leave_nothing(run, tmp_path, capsys):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "report.html"
    wrong = [
        ([tmp_path / "missing"], out, "not a run directory"),
        ([run.path, tmp_path / "foreign"], out, "not a run directory"),
        ([run.path, run.path], out, "each once"),
        ([run.path], tmp_path / "foreign.txt", "ends in .html"),
        ([run.path], tmp_path / "file" / "report.html", "Option --out must be in a directory that can be written to"),
    ]
    for runs, path, words in wrong:
        with pytest.raises(SystemExit) as exit:
            main(["report", *map(str, runs), "--out", str(path)])
        assert exit.value.code == 2 and words in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "foreign"]
    assert (tmp_path / "file").read_text() == "mine" and not list((tmp_path / "foreign").iterdir())


def test_more_runs_than_colours_are_refused(tmp_path):
    with pytest.raises(ValueError, match="1 to 10 run directories"):
        write_report([tmp_path / str(index) for index in range(11)], tmp_path / "report.html")
    with pytest.raises(ValueError, match="Received: none"):
        write_report([], tmp_path / "report.html")


# In a browser -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 360])
def test_the_page_fits_shows_its_pictures_and_fetches_nothing(chromium, page, width, scheme):  # noqa: F811
    chromium.open(page, width, scheme=scheme)
    chromium.wait("document.querySelectorAll('.plot .main-svg').length > 10")
    assert chromium.complaints() == []
    assert set(chromium.requests()) <= {page.as_uri(), "data:"}
    assert chromium.undecoded() == [] and chromium.run("return document.images.length") > 60
    assert not chromium.is_too_wide()
    chromium.emulate("print", scheme)
    assert chromium.run("return getComputedStyle(document.body).backgroundColor") == "rgb(252, 252, 251)"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1300, 1000, 390])
def test_rows_of_pictures_are_whole(chromium, page, width):  # noqa: F811
    chromium.open(page, width)
    tops = "[...document.querySelectorAll('#samples .single figure')].map(f => f.getBoundingClientRect().top)"
    _, counts = np.unique(chromium.run(f"return {tops}"), return_counts=True)
    assert counts.sum() == 60 and len(set(counts)) == 1 and counts[0] >= 5


def opened(chromium, tmp_path, recipe, shape):  # noqa: F811
    write_report(made(tmp_path / "run", recipe, shape).path, tmp_path / "report.html")
    chromium.open(tmp_path / "report.html")
    assert chromium.undecoded() == []


@pytest.mark.slow
def test_rows_of_labels_are_in_line(chromium, tmp_path):  # noqa: F811
    opened(chromium, tmp_path, RECIPE.but(classes=12), (8, 8, 1))
    place = "i => [i.getBoundingClientRect().x, i.getBoundingClientRect().width]"
    of = "[...document.querySelectorAll('#samples figure')].map(f => [...f.querySelectorAll('img')]"
    rows = chromium.run(f"return {of}.map({place}))")
    assert np.shape(rows) == (12, 10, 2)
    np.testing.assert_allclose(rows, [rows[0]] * 12, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(300, 2, 1), (2, 300, 1)])
def test_images_of_extreme_shape_are_seen_and_do_not_make_the_page_endless(chromium, tmp_path, shape):  # noqa: F811
    np.savez(tmp_path / "x.npz", x_train=RNG.random((40, *shape)), x_test=RNG.random((40, *shape)))
    opened(chromium, tmp_path, RECIPE.but(dataset=f"npz:{tmp_path / 'x.npz'}", networks="mlp"), shape)
    sizes = chromium.run("return [...document.images].map(i => [i.width, i.height])")
    assert len(sizes) > 100 and np.min(sizes) > 8 and np.max(np.max(sizes, 1) / np.min(sizes, 1)) < 5
    assert chromium.run("return document.body.scrollHeight") < 20_000


@pytest.mark.slow
def test_curves_react_to_the_mouse(chromium, page):  # noqa: F811
    chromium.open(page)
    chromium.wait("document.querySelectorAll('#curves .plot .main-svg').length")
    plot = chromium.driver.find_element("css selector", "#curves .plot")
    chromium.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", plot)
    layer = plot.find_element("css selector", ".nsewdrag")
    before = chromium.run("return arguments[0].layout.xaxis.range", plot)
    chromium.hover(layer)
    assert "training" in chromium.wait(
        "[...document.querySelectorAll('#curves .hoverlayer text')].map(t => t.textContent).join(' ')"
    )
    chromium.drag(layer, (80, 60))
    chromium.wait("document.querySelector('#curves .plot').layout.xaxis.autorange === false")
    zoomed = chromium.run("return arguments[0].layout.xaxis.range", plot)
    assert zoomed[1] - zoomed[0] < 0.9 * (before[1] - before[0])
    assert chromium.complaints() == []
