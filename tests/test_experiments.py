"""The experiments run end to end, continue where they stopped, and make figures from their CSV file alone."""

import csv
import dataclasses
import functools
import importlib
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import sklearn.manifold
import threadpoolctl
from PIL import Image

import keras_ijae as ki
from keras_ijae.datasets.from_gmm5 import MEANS, STDDEV
from keras_ijae.figures import new_figure
from keras_ijae.metrics.features.classifier import Classifier, build_classifier
from keras_ijae.training import save_grid

EXPERIMENTS = Path(__file__).parent.parent / "experiments"


@pytest.fixture
def script(monkeypatch):
    """Imports a script of experiments/ by its name."""
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    return importlib.import_module


@pytest.fixture
def eagerly(monkeypatch):
    """Models train without a trace, which takes longer than so few steps."""
    plain, how = ki.models.Game.compile, {"jit_compile": False, "run_eagerly": True}
    monkeypatch.setattr(ki.models.Game, "compile", lambda model, *given, **more: plain(model, *given, **more | how))


@pytest.fixture
def quick_tsne(monkeypatch):
    """t-SNE stops early and on one thread: how well the points are arranged is not tested."""
    monkeypatch.setattr(sklearn.manifold, "TSNE", functools.partial(sklearn.manifold.TSNE, max_iter=250))
    with threadpoolctl.threadpool_limits(1):
        yield


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def keeping(made, function):
    """The function, whose results are kept in the list `made`."""
    return lambda *arguments: made.append(function(*arguments)) or made[-1]


def is_png(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 5000


# The file ------------------------------------------------------------------------------------------------------------


def test_rows_are_appended_below_one_header_and_found_again(script, tmp_path):
    experiment, path = script("experiment"), tmp_path / "deep" / "runs.csv"
    assert experiment.finished(path, ["a", "b"]) == set()
    experiment.append(path, {"a": 0.001, "b": "x, y"}, ["a", "b", "c"])
    experiment.append(path, {"a": 10.0, "b": 3, "c": 1 / 3}, ["a", "b", "c"])
    assert path.read_text() == 'a,b,c\n0.001,"x, y",\n10,3,0.33333\n'
    assert experiment.finished(path, ["a", "b"]) == {("0.001", "x, y"), ("10", "3")}


def test_a_file_with_other_columns_is_left_as_it_is(script, tmp_path):
    experiment, path = script("experiment"), tmp_path / "runs.csv"
    experiment.append(path, {"a": 1}, ["a"])
    with pytest.raises(ValueError, match="must have the columns a, b. Received: a"):
        experiment.append(path, {"a": 1}, ["a", "b"])
    assert path.read_text() == "a\n1\n"


def test_rows_of_several_writers_stand_whole_below_one_header(script, tmp_path):
    experiment, path = script("experiment"), tmp_path / "runs.csv"
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda index: experiment.append(path, {"a": index, "b": "x" * 9000}, ["a", "b"]), range(40)))
    found = rows(path)
    assert sorted(int(row["a"]) for row in found) == list(range(40)) and {len(row["b"]) for row in found} == {9000}
    assert path.read_text().count("a,b") == 1


# MNIST ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_mnist_trains_judges_draws_and_lists(script, eagerly, tmp_path, monkeypatch, capsys):
    mnist = script("mnist")
    small = {
        "DATASET": "digits",
        "NETWORKS": "mlp",
        "SAMPLES": 200,
        "TRAIN": "train[:200]",
        "VALIDATION": "train[-150:]",
    }
    for name, value in small.items():
        monkeypatch.setattr(mnist, name, value)
    build_classifier((8, 8, 1), 10).save(tmp_path / "c.keras")
    files = ["--out", str(tmp_path), "--models", str(tmp_path / "models")]
    with pytest.raises(SystemExit, match="no finished runs in .*mnist_validation.csv"):
        mnist.main(["--table", "--split", "validation", *files])
    run = ["ae", "--cpu-minutes", "0.0005", "--latent-dim", "4", "--classifier", str(tmp_path / "c.keras")]
    mnist.main([*run, "--seed", "3", "--split", "validation", "--set", "ema=None", *files])
    (row,) = rows(tmp_path / "mnist_validation.csv")
    assert (row["system"], row["arguments"], row["seed"], row["split"]) == ("ae", "ema=None", "3", "validation")
    assert int(row["steps"]) >= 3 and all(float(row[name]) > 0 for name in ("squared_error", "frechet_samples"))
    made = [tmp_path / "pictures" / f"ae-ema=None-3-{kind}.png" for kind in ("samples", "reconstructions")]
    assert all(path.exists() for path in made) and ki.load_model(tmp_path / "models" / "ae-ema=None-3.keras")
    capsys.readouterr()
    mnist.main(["--table", "--split", "validation", *files])
    assert "| ae | ema=None | 3 | validation |" in capsys.readouterr().out


# Defaults ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_candidates_are_trained_judged_and_listed_and_not_trained_again(script, eagerly, tmp_path, monkeypatch):
    defaults = script("defaults")
    small = {"DATASET": "digits", "NETWORKS": "mlp", "TRAIN": "train[:200]", "VALIDATION": "train[-200:]"}
    for name, value in small.items():
        monkeypatch.setattr(defaults, name, value)
    Classifier(build_classifier((8, 8, 1), 10), "digits", 0.1).save(tmp_path / "c.keras", "test", 0, 0)
    command = ["--smoke", "--seed", "1", "--out", str(tmp_path), "--classifier", str(tmp_path / "c.keras")]
    command += ["--systems", "wgan_gp", "alpha_gan", "--settings", "Adam(1e-4, 0.5, 0.9)", "Adam(2e-3, 0.5, 0.9)"]
    defaults.main(command)
    wgan_gp, alpha_gan = rows(tmp_path / "defaults_smoke.csv")
    assert (wgan_gp["system"], wgan_gp["setting"], wgan_gp["steps"]) == ("wgan_gp", "Adam(1e-4, 0.5, 0.9)", "3")
    assert float(wgan_gp["samples"]) > 0 and wgan_gp["squared_error"] == ""
    assert (alpha_gan["setting"], alpha_gan["seed"]) == ("Adam(2e-3, 0.5, 0.9)", "1")
    assert all(float(alpha_gan[name]) > 0 for name in ("samples", "reconstructions", "squared_error"))
    monkeypatch.setattr(defaults, "build", None)  # nothing is trained again
    defaults.main(command)
    (page := tmp_path / "defaults_smoke.md").write_text(f"Found\n\n{defaults.TABLES}\n\nold\n")
    defaults.main([*command, "--page"])
    assert page.read_text().startswith("Found\n\n## All runs\n\nwgan_gp, 0 minutes a run:\n\n| system | setting |")
    assert page.read_text().count("| alpha_gan |") == 1 and "old" not in page.read_text()
    with pytest.raises(SystemExit, match="--settings must be candidates of svae_r. Received: fast"):
        defaults.main([*command[:-5], "svae_r", "--settings", "fast"])


def adams(model):
    """move -> (rate, beta_1, beta_2)."""
    by_move = model.optimizer.by_move.items()
    return {move: (float(adam.learning_rate), adam.beta_1, adam.beta_2) for move, adam in by_move}


@pytest.mark.parametrize("system", ["alpha_gan", "flex_ae", "svae_r", "wgan_gp"])
@pytest.mark.slow
def test_the_defaults_are_one_of_their_candidates(script, system, monkeypatch):
    defaults, found = script("defaults"), []
    monkeypatch.setattr(defaults, "DATASET", "digits")
    monkeypatch.setattr(defaults, "NETWORKS", {"family": "mlp", "width": 8})
    own = ki.create(system, (8, 8, 1), 2, networks="mlp", width=8)
    own.compile()
    for setting, (_, arguments) in defaults.CANDIDATES[system].items():
        same = adams(defaults.build(defaults.Run(system, setting, 0, "1 minutes"))) == adams(own)
        found.append(same and all(float(getattr(own, name)) == value for name, value in arguments.items()))
    assert found.count(True) == 1


# Studies -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def judged(tmp_path):
    """Options of a study: where its files are, and a judge."""
    Classifier(build_classifier((8, 8, 1), 10), "digits", 0.1).save(tmp_path / "c.keras", "test", 0, 0)
    return ["--out", str(tmp_path), "--models", str(tmp_path / "models"), "--classifier", str(tmp_path / "c.keras")]


@pytest.fixture
def land(script, eagerly, judged, tmp_path):
    """A function that runs the landscape for three steps and gives the file's rows."""
    landscape, command = script("landscape"), script("study_command")

    def run(*arguments):
        command.main(landscape.STUDY, "about", ["--smoke", *judged, *arguments])
        return rows(tmp_path / "landscape_smoke.csv")

    return run


@pytest.mark.slow
def test_systems_are_trained_judged_listed_and_drawn_and_not_trained_again(script, land, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="needs trained models: run without it first. .* lacks .*-vae_"):
        land("--systems", "vae", "--fit-priors", "normal")
    gan, mixture = land("--systems", "gan,ae_gmm", "--seeds", "1", "--settings", "{}")
    gan, mixture = sorted((gan, mixture), key=lambda row: row["system"], reverse=True)
    assert (gan["system"], gan["seed"], gan["steps"], gan["outcome"]) == ("gan", "1", "3", "ended")
    assert float(gan["samples"]) > 0 and int(gan["judge_parameters"]) > 0 and gan["coverage"] and gan["prd_recall"]
    assert (
        gan["reconstructions"] == gan["squared_error"] == gan["elbo_nats"] == gan["fit_seconds"] == gan["lpips"] == ""
    )
    assert all(float(mixture[name]) > 0 for name in ("samples", "reconstructions", "squared_error", "fit_seconds"))
    assert mixture["judge_parameters"] == "0" and int(mixture["prior_weights"]) == 10 * (1 + 16 + 256)
    wide = land("--systems", "vae", "--settings", '{"beta": 2.0}', "--seeds", "1")[-1]
    assert float(wide["elbo_nats"]) < 0 and json.loads(wide["settings"]) == {"beta": 2.0}
    fitted = land("--systems", "ae_gmm", "--fit-priors", "normal,gmm", "--seeds", "1")[-2:]
    assert [row["prior"] for row in fitted] == ["normal", "gmm"] and fitted[1]["samples"] == mixture["samples"]
    assert fitted[0]["samples"] != mixture["samples"] and fitted[0]["squared_error"] == mixture["squared_error"]
    bound = land("--systems", "vae", "--settings", '{"beta": 2.0}', "--seeds", "1", "--fit-priors", "normal")[-1]
    assert bound["prior"] == "normal" and bound["elbo_nats"] == ""  # it would be of the model's own prior
    monkeypatch.setattr(script("study"), "outcome", None)  # nothing is trained again
    assert len(land("--systems", "gan,ae_gmm", "--seeds", "1", "--settings", "{}")) == 6
    (page := tmp_path / "landscape_smoke.md").write_text("Found\n\n## All runs\n\nold\n")
    land("--page")
    assert page.read_text().startswith(
        "Found\n\n## All runs\n\nSystems, digits, 0 minutes a run:\n\n| system | codes |"
    )
    assert page.read_text().count("| ae_gmm |") == 3 and "old" not in page.read_text()
    assert "Others, digits, 0 minutes a run:" in page.read_text() and page.read_text().count("beta") == 2
    assert all(is_png(tmp_path / "pictures" / f"smoke/landscape-digits{part}.png") for part in ("", "-samples"))


@pytest.mark.slow
def test_runs_that_fail_are_rows_that_say_so(land, tmp_path, monkeypatch):
    bad = ki.models.TrainingError("The loss is\nnot finite at step 2. Lower the rate")
    monkeypatch.setattr(ki.models.VAE, "train_step", lambda model, data: (_ for _ in ()).throw(bad))
    (vae,) = land("--systems", "vae", "--settings", "{}")
    assert (vae["outcome"], vae["steps"], vae["samples"]) == ("The loss is not finite at step 2", "0", "")
    monkeypatch.setattr(ki.models.AE, "encode", lambda model, x, *more: np.full((len(x), 16), np.nan))
    assert land("--systems", "ae_gmm")[-1]["outcome"] == "The codes of `data` must be finite: training has diverged"
    land("--page")
    assert (tmp_path / "landscape_smoke.md").read_text().count("not finite at step 2 |") == 1


def test_a_run_that_another_process_makes_or_has_made_is_not_made_twice(script, land, tmp_path, monkeypatch):
    study, made = script("study"), []
    monkeypatch.setattr(study, "outcome", lambda _, run, *more: made.append(run.system) or {"outcome": "ended"})
    lock = tmp_path / "models" / "digits-gan-16-0-0_minutes.lock"
    with script("experiment").alone(lock) as first, script("experiment").alone(lock) as second:
        assert (first, second) == (True, False)
        land("--systems", "gan,vae,ae", "--settings", "{}")
    assert sorted(made) == ["ae", "vae"]

    def by_another(results, runs):  # all are to do; by the time each is begun, another process has made vae
        return [run for run in runs if len(runs) > 1 or run.system != "vae"]

    monkeypatch.setattr(study, "unfinished", by_another)
    land("--systems", "gan,vae,ae", "--settings", "{}")
    assert sorted(made) == ["ae", "ae", "gan", "vae"]


def test_rows_of_another_judge_or_with_other_columns_are_found_before_a_run(script, land, tmp_path, monkeypatch):
    monkeypatch.setattr(script("study"), "outcome", lambda *_: {"outcome": "ended"})
    land("--systems", "gan", "--settings", "{}")
    path = tmp_path / "landscape_smoke.csv"
    judge, text = rows(path)[0]["judge"], path.read_text()
    path.write_text(text.replace(judge, "01234567"))
    with pytest.raises(SystemExit, match=f"has rows of another judge, 01234567, not {judge}: give another --out"):
        land("--systems", "vae", "--settings", "{}")
    path.write_text(text.replace("steps,", "stride,", 1))
    with pytest.raises(ValueError, match="must have the columns .* Received: system.*stride"):
        land("--systems", "vae", "--settings", "{}")


STUDIES = {"ijae_ablations": 21, "latent_size": 19, "cycles": 14, "color_mnist": 7}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_plans_each_model_once_with_arguments_that_its_system_takes(script, name, judged, capsys):
    study, command = script(name).STUDY, script("study_command")
    assert all((command.JUDGES / f"{dataset}.keras").is_file() for dataset in (study.dataset, command.SMOKE))
    command.main(study, "about", [*judged, "--list"])
    planned = capsys.readouterr().out.splitlines()
    assert len(set(planned)) == len(planned) == STUDIES[name]
    for plans in study.experiments.values():
        for plan in plans:
            known = ki.game.arguments_of(ki.game.ENTRIES[plan.system].system).keys()
            assert plan.settings.keys() <= known | {"preset", "networks", "width", "spectral", "learning_rate"}, plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "systems", "picture"),
    [
        ("ijae_ablations", "vae", "ijae_ablations.png"),
        ("latent_size", "mask_aae", "latent_size.png"),
        ("cycles", "svae_r", "cycles.png"),
        ("color_mnist", "age", "color_mnist-samples.png"),
    ],
)
def test_a_study_is_trained_listed_and_drawn(script, name, systems, picture, judged, eagerly, tmp_path):
    study, main = script(name).STUDY, script("study_command").main
    some = {title: [plan for plan in plans if plan.system == systems][:2] for title, plans in study.experiments.items()}
    study = study._replace(experiments=some)
    main(study, "about", ["--smoke", *judged])
    found = rows(tmp_path / f"{name}_smoke.csv")
    assert 1 <= len(found) <= 2 and {row["outcome"] for row in found} == {"ended"}
    assert all(row[column] for row in found for column in (*study.further, "processor", "judge"))
    main(study, "about", ["--smoke", "--page", *judged])
    assert is_png(tmp_path / "pictures" / "smoke" / picture)
    assert f"| {systems} |" in (tmp_path / f"{name}_smoke.md").read_text()


def test_a_learning_rate_among_the_settings_is_that_of_all_moves(script):
    study, cycles = script("study"), script("cycles")
    plan = cycles.EXPERIMENTS["ALICE"][0]
    alice = study.build(study.Run("alice", json.dumps(plan.settings), "", "digits", 4, 0, "0 minutes"))
    svae = study.build(study.Run("svae_r", "{}", "", "digits", 4, 0, "0 minutes"))
    rates = lambda model: {float(optimizer.learning_rate.numpy()) for optimizer in model.optimizer.by_move.values()}  # noqa: E731
    assert rates(alice) == rates(svae) == {np.float32(2e-3)}
    alike = [(type(model.posterior), model.decoder_noise_dim, model.cycle) for model in (alice, svae)]
    assert alike[0] == alike[1]


def test_the_committed_judges_are_classifiers_of_their_data_sets(script):
    judges = script("study_command").JUDGES
    for path in (found := sorted(judges.glob("*.keras"))):
        judge = script("study_judge").Judge.load(path)
        assert judge.classifier.dataset == path.stem
    assert "mnist" in {path.stem for path in found}


def test_lines_go_through_the_means_of_runs_at_one_place_and_dots_show_each(script):
    axis = new_figure(3, 3).subplots()
    found = [{"at": at, "y": y} for at, y in ((2, "5"), (1, "1"), (1, "3"), (3, ""))]
    script("study_figures").draw_lines([axis], [("y", "title")], {"A": found, "B": []}, lambda row: row["at"])
    dots, line = axis.get_lines()
    assert dots.get_xydata().tolist() == [[1, 1], [1, 3], [2, 5]] and line.get_xydata().tolist() == [[1, 2], [2, 5]]
    assert line.get_label() == "A" and dots.get_color() == line.get_color()


def test_runs_whose_pictures_are_missing_are_named_and_the_sheet_has_the_others(script, tmp_path, capsys):
    save_grid(tmp_path / "vae.png", np.zeros((4, 8, 8, 1)), 2, scale=1)
    pictures = {name: tmp_path / f"{name}.png" for name in ("vae", "gan", "aae")}
    script("study_figures").draw_sheet(pictures, tmp_path / "sheet.png")
    assert capsys.readouterr().out == "Not on the sheet, for lack of their pictures: aae, gan\n"
    assert np.count_nonzero(np.asarray(Image.open(tmp_path / "sheet.png")) == 0) >= 16 * 16  # the black samples


def test_runs_are_named_in_words_also_by_a_likelihood_with_arguments(script):
    study, ablations = script("study"), script("ijae_ablations")
    row = {"system": "ijae", "settings": json.dumps({"likelihood": ablations.shifts(3)}), "prior": "gmm"}
    assert study.label(row) == "ijae likelihood=CyclicShift(max_shift=3, decay=0.5) + gmm"


def test_a_command_is_kept_without_the_directories_of_the_machine(script, monkeypatch):
    given = [
        "--lpips",
        "/a/b/squeeze.pth",
        "runs/s.npz",
        "--out=/x/docs",
        "folder:/home/me/cats",
        "--set",
        "a/b",
        "/c,/d/e",
    ]
    monkeypatch.setattr("sys.argv", ["landscape.py", *given])
    command = script("experiment").origin("landscape.py")["command"]
    told = "--lpips squeeze.pth runs/s.npz --out=docs folder:cats --set a/b c,e"
    assert command == f"python experiments/landscape.py {told}"


def test_orders_that_agree_have_rank_correlation_one_and_chance_of_one_in_all_orders(script, monkeypatch):
    agreement = script("landscape_ranks").agreement
    monkeypatch.setattr(script("landscape_ranks"), "RESAMPLES", 999)
    alike = agreement([1.0, 2.0, 3.0, 9.0], [10.0, 11.0, 30.0, 31.0])
    assert alike.rho == pytest.approx(1) and alike.chance == pytest.approx(1 / 24) and alike.low == pytest.approx(1)
    turned = agreement([1.0, 2.0, 3.0, 9.0], [4.0, 3.0, 2.0, 1.0])
    assert turned.rho == pytest.approx(-1) and turned.chance == 1
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]
    mixed = agreement(x, y)
    assert mixed.rho == pytest.approx(1 - 6 * 4 / (5 * 24)) and mixed.low < 0.8 <= mixed.high == pytest.approx(1)
    assert mixed.chance == pytest.approx(np.mean([np.dot(x, order) >= np.dot(x, y) for order in permutations(y)]))


def test_a_paper_s_ranks_stand_beside_those_here_and_name_what_was_not_run(script, monkeypatch):
    ranks = script("landscape_ranks")
    monkeypatch.setattr(ranks, "RESAMPLES", 999)
    row = lambda system, samples, prior="": {"system": system, "settings": "{}", "prior": prior, "samples": samples}  # noqa: E731
    runs = [row("vae", "45"), row("ae", "44"), row("ae", "1", "gmm"), row("gan", "2")]
    table = ranks.Table("A paper", "samples", {"vae": 9.0, "ae": 8.0, "ae + gmm": 7.0, "wgan": 6.0})
    page = ranks.section(runs, [table])
    assert "A paper. Rank correlation 1.00, 95 %" in page and "Not run here: wgan." in page
    assert page.endswith("| ae + gmm | 7 | 1 | 1 | 1 |\n| ae | 8 | 2 | 44 | 2 |\n| vae | 9 | 3 | 45 | 3 |\n")
    assert ranks.section(runs[:2], [table]) == "" and ranks.in_words(0.0002) == "fewer than 0.1%"
    turned = ranks.section(runs, [table._replace(greatest=True)])
    assert "Rank correlation 1.00" in turned and "| vae | 9 | 1 | 45 | 1 |\n| ae | 8 | 2 | 44 | 2 |\n" in turned


@pytest.fixture
def again():
    """Rows of three systems with two seeds and on other data, of one that lacks the second, of other settings."""
    found = {"ae": ("5", "6", "20"), "gan": ("7", "4", "90"), "vae": ("45", "40", "30"), "wgan": ("1", "", "2")}
    times = [("mnist", "0", "A"), ("mnist", "1", "B"), ("fashion_mnist", "0", "B")]
    plain = {"settings": "{}", "prior": "", "codes": "16", "budget": "5 minutes", "steps": "99", "reconstructions": "2"}
    rows = [
        {"system": system, "samples": distance, "dataset": dataset, "seed": seed, "processor": processor} | plain
        for system, distances in found.items()
        for distance, (dataset, seed, processor) in zip(distances, times, strict=True)
        if distance
    ]
    return [*rows, rows[0] | {"settings": '{"width": 8}', "samples": "0"}]


def test_systems_that_ran_again_stand_side_by_side_with_their_ranks_and_how_alike_the_orders_are(script, again):
    page = script("landscape_again").section(again)
    for first, second, rho in (
        ("", "MNIST, seed 1", "0.50"),
        ("", "Fashion-MNIST", "0.50"),
        (", seed 1", "Fashion-MNIST", "-0.50"),
    ):
        assert f"MNIST{first} and {second}, 3 systems: rank correlation {rho}, 95 % of" in page
    assert page.endswith(
        "| system | MNIST, A (rank; steps) | MNIST, seed 1, B (rank; steps) | Fashion-MNIST, B (rank; steps) |\n"
        "|---|---|---|---|\n"
        "| ae | 5 (1; 99) | 6 (2; 99) | 20 (1; 99) |\n| gan | 7 (2; 99) | 4 (1; 99) | 90 (3; 99) |\n"
        "| vae | 45 (3; 99) | 40 (3; 99) | 30 (2; 99) |\n"
    )
    assert script("landscape_again").section(again[:6]) == ""


def test_the_papers_orders_are_of_the_seed_that_all_systems_have(script, again):
    rows = script("landscape").first(again, "mnist")
    assert {row["seed"] for row in rows} == {"0"} and [row["samples"] for row in rows] == ["5", "7", "45", "1", "0"]
    assert "wgan" not in script("landscape_again").section(again)


def test_rows_of_other_processors_have_tables_of_their_own(script, again):
    titled, study = script("study").titled, script("landscape").STUDY
    titles = {(row["experiment"], row["seed"]) for row in titled(study, again)}
    assert titles == {
        ("Systems, mnist, A", "0"),
        ("Systems, mnist, B", "1"),
        ("Systems, fashion_mnist, B", "0"),
        ("Others, mnist, A", "0"),
    }
    assert {row["experiment"] for row in titled(study, again[:1])} == {"Systems, mnist"}


def test_ranks_over_times_are_drawn(script, again, tmp_path):
    script("landscape_again").draw(again, tmp_path / "again.png")
    assert is_png(tmp_path / "again.png")


def test_the_readme_shows_the_committed_runs(script):
    readme = (EXPERIMENTS.parent / "README.md").read_text(encoding="utf-8")
    written = script("readme").written
    assert written(readme) == readme, "python experiments/readme.py writes its tables anew"
    assert written(readme.replace("| `vae` |", "| `ae` |")) == readme
    with pytest.raises(ValueError, match="landscape: experiments/readme.py --> and its <!-- end --> once. Received: 0"):
        written(readme.replace("<!-- landscape:", "<!-- else:"))


def test_the_readme_shows_seeds_side_by_side_and_the_nearest_systems_with_the_vae(script):
    readme = script("readme")
    seed = {"system": "ijae", "frechet_samples": "7.8989", "squared_error": "", "sure": "0.8392"}
    table = readme.seeds([seed | {"seed": "1", "frechet_samples": "6.98"}, seed | {"seed": "0"}])
    assert "| λ-IJAE | 7.9, 7.0 | – | 84 %, 84 % |\n" in table
    run = dict.fromkeys(readme.SCORES, "9.5") | {"settings": "{}", "prior": "", "dataset": "mnist", "outcome": "ended"}
    runs = [run | {"system": f"s{place:02}", "samples": str(place), "seed": "0"} for place in range(1, 20)]
    others = [
        {"settings": "not the defaults"},
        {"prior": "gmm"},
        {"seed": "1"},
        {"dataset": "else"},
        {"outcome": "bad"},
    ]
    runs += [runs[0] | {"system": "other"} | other for other in others]
    shown = [
        line.split("`")[1]
        for line in readme.nearest([*runs, runs[0] | {"system": "vae", "samples": "90"}]).splitlines()[2:]
    ]
    assert shown == [*(f"s{place:02}" for place in range(1, 13)), "vae"]


@pytest.mark.slow
def test_nats_stand_between_bounds_and_are_not_scored_twice(script, eagerly, tmp_path, monkeypatch):
    nats = script("nats")
    command = ["--smoke", "--systems", "vae,svae", "--out", str(tmp_path), "--models", str(tmp_path / "models")]
    nats.main(command)
    vae, svae = rows(tmp_path / "nats_smoke.csv")
    assert float(vae["elbo"]) < float(vae["iw_bound"]) < 0 and svae["elbo"] == ""
    assert all(float(row["bdmc_lower"]) < float(row["bdmc_upper"]) and float(row["ais"]) < 0 for row in (vae, svae))
    assert (vae["flips"], float(svae["flips"]) in nats.FLIPS) == ("", True)
    images = [np.array(row["ais_images"].split(), float) for row in (vae, svae)]
    assert [np.mean(found) for found in images] == pytest.approx([float(row["ais"]) for row in (vae, svae)], abs=0.1)
    monkeypatch.setattr(nats, "outcome", None)  # nothing is trained again
    nats.main(command)
    nats.main([*command, "--page"])
    line = next(
        line for line in (tmp_path / "nats_smoke.md").read_text().splitlines() if line.startswith("| svae | 0 |")
    )
    above = images[1] - images[0]
    assert line.endswith(f"| {above.mean():.1f} ± {above.std() / 8**0.5:.1f} |")


def test_nats_of_an_adversarial_decoder_allow_for_flipped_pixels_as_many_as_suit_the_data(script, monkeypatch):
    nats = script("nats")
    image, x = np.array([[0.0, 1.0, 1.0, 0.25]], "float32"), np.array([[0.0, 0.0, 1.0, 1.0]], "float32")
    flipped = nats.Flipped(0.1)
    chances = 0.1 + 0.8 * image
    expected = np.log(np.where(x == 1, chances, 1 - chances)).sum()
    assert float(flipped.log_prob(flipped.params_of_mean(image), x)[0]) == pytest.approx(expected, abs=1e-5)

    def ais(model, x, steps, likelihood, seed):  # of 100 pixels of one wrong image, 4 differ
        return SimpleNamespace(mean=4 * np.log(likelihood.chance) + 96 * np.log(1 - likelihood.chance))

    monkeypatch.setattr(nats.ki.evaluation, "ais_log_likelihood", ais)
    run = nats.Run("svae", 0, "5 minutes", 1000, 64)
    assert nats.likelihood_of(None, x, run).chance == 0.03
    assert type(nats.likelihood_of(None, x, dataclasses.replace(run, system="vae"))) is ki.distributions.Bernoulli


def test_where_reconstructions_have_a_likelihood_it_is_bernoulli_s_and_f_sees_probabilities(script):
    nats = script("nats")
    own, bernoulli = nats.Probabilities(), ki.distributions.Bernoulli()
    logits, x = keras.ops.array([[-2.0, 0.5]]), np.array([[0.0, 1.0]], "float32")
    np.testing.assert_allclose(own.draw(logits, x), 1 / (1 + np.exp([[2.0, -0.5]])), rtol=1e-6)
    assert float(own.log_prob(logits, x)[0]) == float(bernoulli.log_prob(logits, x)[0])
    run = nats.Run("svae_r_likelihood", 0, "0 minutes", 5, 8)
    model = nats.build(run, (8, 8, 1))
    assert model.cycle == "likelihood" and float(model.cycle_weight) == 1 and model.has_bounds
    scored = nats.likelihood_of(model, x, run)
    assert type(scored) is type(model.observation_model) and type(model.observation_model) is nats.Probabilities
    np.testing.assert_array_equal(scored.draw(logits, x), bernoulli.draw(logits, x))  # 0s and 1s


def test_nats_are_those_of_a_file_s_validation_images(script, tmp_path, monkeypatch):
    ones = {name: np.full((64 + place, 28, 28), name == "valid") for place, name in enumerate(("train", "valid"))}
    np.savez(tmp_path / "made.npz", test=np.zeros((3, 28, 28), bool), **ones)
    nats, found = script("nats"), {}
    monkeypatch.setattr(nats, "train", lambda *given: ("ended", SimpleNamespace(steps=1, cpu_minutes=0.0)))
    monkeypatch.setattr(nats, "scores", lambda model, x, how, run: found.update(x=x) or {"ais": -1.0})
    nats.main(
        ["--data", str(tmp_path / "made.npz"), "--systems", "vae", "--out", str(tmp_path), "--models", str(tmp_path)]
    )
    assert (
        found["x"].shape == (65, 28, 28, 1) and found["x"].min() == 1 and rows(tmp_path / "nats.csv")[0]["ais"] == "-1"
    )


def test_parameters_of_players_and_judges_are_told_apart(script):
    model = ki.create("gan", (4,), 2, networks="mlp", width=3)
    expected = {"parameters": model.decoder.count_params(), "judge_parameters": 3 * 4 + 3 + 3 * 3 + 3 + 3 + 1}
    assert script("study_judge").sizes(model) == expected
    learned = ki.create("gmm_vae", (4,), 2, networks="mlp", width=3)
    players = [learned.encoder, learned.decoder, learned.prior]
    found = sum(np.size(weight.numpy()) for part in players for weight in part.trainable_variables)
    assert script("study_judge").sizes(learned) == {"parameters": found, "judge_parameters": 0}


# conditional ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_conditional_systems_are_judged_class_by_class_drawn_and_not_run_twice(script, tmp_path, monkeypatch, eagerly):
    conditional = script("conditional")
    classifier = build_classifier((8, 8, 1), 10)
    Classifier(classifier, "digits", 0.1).save(tmp_path / "c.keras", "test", 0, 0)
    command = ["--smoke", "--datasets", "digits", "--systems", "gan", "--out", str(tmp_path)]
    command += ["--classifiers", str(tmp_path / "c.keras")]
    conditional.main(command)
    (row,) = rows(tmp_path / "conditional_smoke.csv")
    assert (row["dataset"], row["system"], row["steps"]) == ("digits", "gan", "3")
    x, y = conditional.stored("digits", "test", labels=True)
    right = classifier.predict(x, verbose=0).argmax(axis=1) == y
    expected = np.mean([right[y == label].mean() for label in range(10)])
    assert float(row["data_agreement"]) == pytest.approx(expected, rel=1e-4)
    assert 0 <= float(row["worst_class"]) <= float(row["agreement"]) <= 1
    assert is_png(tmp_path / "pictures" / "smoke" / "conditional_digits_gan.png")
    monkeypatch.setattr(conditional, "outcome", None)  # nothing is trained again
    conditional.main(command)
    (page := tmp_path / "conditional_smoke.md").write_text(f"Found\n\n{conditional.TABLE}\n\nold\n")
    conditional.main([*command, "--page"])
    assert page.read_text().startswith("Found\n\n## All runs\n\n| dataset | system |")
    assert "old" not in page.read_text()


# gmm5 ----------------------------------------------------------------------------------------------------------------


def test_toy_scores_are_those_of_the_known_mixture(script):
    judge = script("gmm5").judge_samples
    data = np.concatenate(list(ki.datasets.load("gmm5", "test", 512).as_numpy_iterator()))
    found = judge(data)
    assert found["modes"] == 5 and 4.95 < found["score"] <= 5
    assert abs(found["near"] - (1 - np.exp(-4.5))) < 0.01  # within three deviations in the plane
    one = judge(data[np.linalg.norm(data, axis=1) < 1])
    assert one["modes"] == 1 and abs(one["score"] - 1) < 1e-6
    far = judge(MEANS[1:3].repeat(50, 0) + [0, 4 * STDDEV])
    assert far["modes"] == 0 and far["near"] == 0 and abs(far["score"] - 2) < 1e-6
    between = judge(np.array([[-2.0, 0.0]] * 3))  # at equal distances from three modes: p = (1/3, 1/3, 1/3)
    assert abs(between["score"] - 1) < 1e-6


@pytest.fixture
def small_gmm5(script, monkeypatch):
    gmm5 = script("gmm5")
    monkeypatch.setattr(gmm5, "ARCHITECTURES", ((1, 4, 3),))
    monkeypatch.setattr(gmm5, "SAMPLES", 200)
    return gmm5


@pytest.mark.slow
def test_runs_of_one_trace_are_those_of_fresh_models_and_are_not_repeated(script, small_gmm5, tmp_path, monkeypatch):
    gmm5, text, traces = small_gmm5, script("experiment").text, []
    run = gmm5.Run("svae_r", 1.0, 1, 4, 3, 128, 1, 1e-3, 1, 4)  # the last of those below
    model = gmm5.build(run)
    gmm5.train(model, run)
    scores = {name: text(value) for name, value in gmm5.judge(model, 1).items()}
    fresh = [variable.numpy() for variable in model.variables]
    step = ki.models.SVAE.train_step
    monkeypatch.setattr(ki.models.SVAE, "train_step", lambda model, data: traces.append(1) or step(model, data))
    monkeypatch.setattr(gmm5, "build", keeping(built := [], gmm5.build))
    command = ["--out", str(tmp_path), "--steps", "4", "--systems", "svae_r", "--cycle-weights", "0", "1", "--seeds"]
    gmm5.main([*command, "2"])
    path = tmp_path / "gmm5.csv"
    found, first = rows(path), path.read_text()
    assert [(row["seed"], row["cycle_weight"]) for row in found] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    assert 1 <= len(traces) <= 2 and len({row["mse"] for row in found}) == 4  # Keras may trace twice, for all runs
    assert {name: found[-1][name] for name in gmm5.SCORES} == scores
    for variable, value in zip(built[0].variables, fresh, strict=True):  # the model that made all four runs
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)
    monkeypatch.setattr(gmm5, "build", None)  # nothing is trained again
    gmm5.main([*command, "2"])
    assert path.read_text() == first


def test_gmm5_is_drawn_and_listed_from_its_file_alone(small_gmm5, tmp_path, monkeypatch, capsys):
    gmm5, path = small_gmm5, tmp_path / "gmm5.csv"
    monkeypatch.setattr(gmm5, "build", None)
    runs = [
        gmm5.Run(s, w, *setting, 9) for s in gmm5.SYSTEMS for w in (0.0, 1.0) for setting in gmm5.settings(False, 3)
    ]
    for index, run in enumerate(runs):
        scores = {"outcome": "ended", "mse": 0.1 * (index + 1), "score": 4.0, "modes": 5 - index % 2, "near": 0.5}
        bad = {"outcome": "Training went bad at step 3: 'x'"}
        gmm5.append(path, dataclasses.asdict(run) | (scores if index else bad), gmm5.COLUMNS)
    (page := tmp_path / "gmm5.md").write_text(f"Found\n\n{gmm5.HEADINGS['gmm5']}\n\nold\n")
    gmm5.main(["--page", "--out", str(tmp_path)])
    lines = page.read_text().splitlines()
    assert lines[:3] == ["Found", "", gmm5.HEADINGS["gmm5"]] and len(lines) == 10 and "old" not in lines
    assert lines[6] == "| 0 | sVAE-r | 3 | 1 | 0.25 (0.225 to 0.275) | 4 (4 to 4) | 0.5 (0.5 to 0.5) | 1 of 2 |"
    assert is_png(tmp_path / "pictures" / "gmm5.png") and not capsys.readouterr().out
    path.rename(tmp_path / "gmm5_full.csv")
    gmm5.main(["--page", "--full", "--out", str(tmp_path)])
    assert page.read_text().count(lines[6]) == 2 and is_png(tmp_path / "pictures" / "gmm5_full.png")
    with pytest.raises(SystemExit, match="There are no finished runs in .*gmm5_smoke.csv"):
        gmm5.main(["--page", "--smoke", "--out", str(tmp_path)])


def test_a_smoke_run_of_gmm5_is_of_one_setting_and_has_a_file_of_its_own(script, tmp_path, monkeypatch):
    gmm5 = script("gmm5")
    monkeypatch.setattr(gmm5, "train", lambda model, run: None)
    monkeypatch.setattr(gmm5, "judge", lambda model, seed: {})
    for grid in ([], ["--full"]):
        gmm5.main(["--smoke", *grid, "--systems", "alice", "--cycle-weights", "0.1", "--out", str(tmp_path)])
    found = [rows(tmp_path / f"gmm5{part}_smoke.csv") for part in ("", "_full")]
    assert [[(row["system"], row["steps"]) for row in some] for some in found] == [[("alice", "3")]] * 2
    assert len(list(tmp_path.iterdir())) == 2


def test_the_full_grid_has_the_papers_number_of_settings(script):
    gmm5 = script("gmm5")
    assert len(set(gmm5.settings(True, 5))) == 576
    drawn = gmm5.settings(True, 5, 48)
    assert len(set(drawn)) == 48 and set(drawn) < set(gmm5.settings(True, 5)) and drawn == gmm5.settings(True, 1, 48)
    default = list(gmm5.settings(False, 5))
    assert len(set(default)) == len(default) >= 20
    assert {len(setting) for setting in (*default, *gmm5.settings(True, 5))} == {7}


# FlexAE --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_flex(script, eagerly, quick_tsne, monkeypatch, tmp_path):
    """The script with small networks on digits, and a function that runs a command of it."""
    flex = script("flex_ae_mnist")
    for name, value in {"LATENT": 4, "NETWORKS": "mlp", "WIDTH": 8, "GENERATORS": ((0, 0),)}.items():
        monkeypatch.setattr(flex, name, value)
    settings = {
        "ae_gmm": {"own": {}},
        "wae_gan": {"a": {}, "b": {"penalty_weight": 1.0}},
        "flex_ae": {"own": {"critic_steps": 1}},
    }
    monkeypatch.setattr(flex, "SETTINGS", settings)
    monkeypatch.setattr(script("flex_ae_figures"), "POINTS", 40)
    files = ["--smoke", "--out", str(tmp_path), "--models", str(tmp_path / "models")]

    def run(experiment, *arguments):
        flex.main([experiment, *files, *arguments])
        return rows(tmp_path / "flex_ae_smoke.csv")

    return flex, run


@pytest.mark.slow
def test_flex_ae_selects_compares_varies_and_draws(small_flex, tmp_path, monkeypatch):
    flex, run = small_flex
    short, small, plain = ["--systems", "wae_gan"], ["--seeds", "0"], ["--systems", "ae_gmm", "--seeds", "1"]
    with pytest.raises(SystemExit, match="Run `select` first: .* lacks wae_gan with a, b"):
        run("compare", *short)
    selection = run("select", *short)
    assert [(row["setting"], row["test_gen"]) for row in selection] == [("a", ""), ("b", "")]  # not judged by the test
    better = min(selection, key=lambda row: float(row["validation_gen"]))["setting"]
    assert flex.selected(tmp_path / "flex_ae_smoke.csv", "wae_gan") == better
    ae, mixture = run("compare", *plain)[2:]
    assert (ae["system"], mixture["system"]) == ("ae", "ae_gmm")
    assert ae["test_rec"] == mixture["test_rec"] and ae["test_gen"] != mixture["test_gen"]
    varied = run("capacity", *small)[-1]
    assert (varied["generator"], varied["budget"], varied["steps"]) == ("0x0", "3 steps", "3")
    before = (tmp_path / "flex_ae_smoke.csv").read_bytes()
    monkeypatch.setattr(flex, "build", None)  # nothing is trained again
    for again in (("select", *short), ("compare", *plain), ("capacity", *small)):
        run(*again)
    assert (tmp_path / "flex_ae_smoke.csv").read_bytes() == before
    (page := tmp_path / "flex_ae_smoke.md").write_text("Found\n\n## All runs\n\nold\n")
    run("page")
    assert page.read_text().startswith("Found\n\n## All runs\n\nselect, 0 minutes a run:\n\n| system | setting |")
    assert page.read_text().count("| wae_gan |") == 2 and "old" not in page.read_text()
    run("codes", "--seed", "1")
    assert all(is_png(tmp_path / "pictures" / "smoke" / f"flex_ae{part}.png") for part in ("", "-codes"))
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["smoke"]  # those of real runs stay


def test_the_systems_of_the_comparison_have_one_encoder_and_decoder_and_start_from_the_same_weights(script):
    flex, seen = script("flex_ae_mnist"), []
    for system, settings in flex.SETTINGS.items():
        model = flex.build(flex.Run("compare", "digits", "train", system, next(iter(settings)), "", 3, "1 steps"))
        seen.append([weight.numpy() for network in (model.encoder, model.decoder) for weight in network.weights])
    for other in seen[1:]:
        for left, right in zip(seen[0], other, strict=True):
            np.testing.assert_array_equal(left, right)


def test_the_figure_has_generators_of_the_largest_budget_alone_and_says_which(script, monkeypatch):
    figures, drawn = script("flex_ae_figures"), []
    monkeypatch.setattr(figures, "save_figure", lambda figure, *_, **how: drawn.append(figure))
    runs = [
        ("1500 steps", "0x0", "90"),
        *(("5000 steps", *run) for run in (("0x0", "20"), ("0x0", "40"), ("1x64", "10"))),
    ]
    names = ("budget", "generator", "test_gen")
    about = {"experiment": "capacity", "outcome": "ended", "test_rec": "1", "setting": "own"}
    found = [about | dict(zip(names, run, strict=True)) for run in runs]
    figures.draw_runs([*found, found[-1] | {"setting": "own, falling", "test_gen": "5"}], "flex_ae.png")
    (axis,) = drawn[0].axes
    samples = [line.get_ydata().tolist() for line in axis.lines if line.get_color() == "C0"]
    assert samples == [[20, 40], [10], [30, 10], [], [5], [5]]  # runs and their means, then those with falling rates
    assert "5,000 steps" in axis.get_title() and [line.get_linestyle() for line in axis.lines][-1] == "--"


def test_each_budget_of_an_experiment_has_its_own_table_beside_the_others(script, capsys):
    runs = [("capacity", "1500 steps", "a"), ("compare", "10 minutes", "b"), ("capacity", "5000 steps", "c")]
    found = [dict(zip(("experiment", "budget", "seed"), run, strict=True)) for run in runs]
    script("experiment").print_experiments(found, ["seed"])
    printed = [line.strip("| ") for line in capsys.readouterr().out.splitlines() if line.endswith((":", "|"))]
    table = ["seed", "---"]
    assert printed == [
        *("capacity, 1500 steps a run:", *table, "a"),
        *("capacity, 5000 steps a run:", *table, "c"),
        *("compare, 10 minutes a run:", *table, "b"),
    ]
    script("experiment").print_experiments([{"experiment": "select", "seed": "d"}], ["seed"])
    assert capsys.readouterr().out.startswith("\nselect:\n")  # of a file without budgets


@pytest.mark.slow
def test_clusters_and_their_codes_are_drawn(script, eagerly, quick_tsne, tmp_path, monkeypatch, capsys):
    synthetic = script("flex_ae_synthetic")
    x, labels = synthetic.clusters("test")
    assert x.shape == (1024, 128) and np.bincount(labels).min() > 100
    monkeypatch.setattr(synthetic, "SYSTEMS", ("ae", "flex_ae"))
    monkeypatch.setattr(synthetic, "clusters", lambda split: (x[:60], labels[:60]))
    command = ["--out", str(tmp_path), "--models", str(tmp_path / "models")]
    path, picture = tmp_path / "flex_ae_synthetic.csv", tmp_path / "pictures" / "flex_ae-synthetic.png"
    synthetic.main([*command, "--steps", "2"])
    assert [row["system"] for row in rows(path)] == ["ae", "flex_ae"] and is_png(picture)
    before = path.read_bytes()
    monkeypatch.setattr(synthetic, "train", None)  # nothing is trained again
    capsys.readouterr()
    synthetic.main([*command, "--steps", "2"])
    assert path.read_bytes() == before
    assert capsys.readouterr().out.splitlines()[-1].startswith("| FlexAE | 0 | 2 | ended |")
    (tmp_path / "models" / "ae-0-2.keras").unlink()
    with pytest.raises(SystemExit, match="No figure without .*ae-0-2.keras"):
        synthetic.main([*command, "--steps", "2"])


# MaskAAE -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_manifold(script, eagerly, monkeypatch, tmp_path):
    """The script with small networks, and a function that runs a command of it."""
    manifold = script("mask_aae_manifold")
    for name, value in {"CODES": {2: (4,)}, "WIDTH": 8, "TRACED": 2}.items():
        monkeypatch.setattr(manifold, name, value)
    some, asked, load = np.random.default_rng(0).normal(size=(300, 128)).astype("float32"), [], ki.datasets.load
    np.savez(tmp_path / "points.npz", x=some)

    def small(name, split, *how, **more):
        asked.append((name, split))
        return load(f"npz:{tmp_path / 'points.npz'}", "train", *how, **more)

    monkeypatch.setattr(ki.datasets, "load", small)
    monkeypatch.setattr(script("mask_aae_judge"), "SAMPLES", 300)
    for penalty in ("penalty 10", "penalty 0.01", "penalty 0.001"):
        monkeypatch.delitem(manifold.PENALTIES, penalty)
    files = ["--out", str(tmp_path), "--models", str(tmp_path / "models")]

    def run(experiment, *arguments):
        manifold.main([experiment, *files, *arguments])
        return rows(tmp_path / "mask_aae.csv")

    return manifold, run, asked


@pytest.mark.slow
def test_mask_aae_selects_compares_and_draws(small_manifold, tmp_path, monkeypatch):
    manifold, run, asked = small_manifold
    systems = ("mask_aae", "wae_gan", "flex_ae")
    compare = ["--steps", "2", "--seeds", "0", "--dimensions", "2", "--systems", *systems]
    with pytest.raises(SystemExit, match="Run `select` first: .* lacks penalty 0.1, penalty 1"):
        run("compare", *compare)
    selection = run("select", "--steps", "2")
    assert [row["test_gen"] for row in selection] == ["", ""]
    assert {split for _, split in asked} == {"train[:50000]", "train[50000:]"}  # not by the test
    assert {name for name, _ in asked} == {"manifold:8"}
    found = run("compare", *compare)[2:]
    assert [(row["system"], row["codes"]) for row in found] == [(system, "4") for system in systems]
    best = min(selection, key=lambda row: float(row["validation_gen"]))["setting"]
    assert [row["setting"] for row in found] == ["quick", best, "default"]
    assert all(float(row["test_error"]) > 0 and float(row["test_gen"]) > 0 for row in found)
    traced = np.load(tmp_path / "models" / "mask_aae-quick-2-4-0-2.npz")
    assert traced["steps"].tolist() == [1, 2] and traced["alphas"].shape == (2, 4)
    assert traced["covariance"].shape == (4, 4)
    run("compare", "--smoke", "--seeds", "0", "--systems", "mask_aae", "--dimensions", "2")
    (row,) = rows(tmp_path / "mask_aae_smoke.csv")
    assert (row["system"], row["steps"]) == ("mask_aae", "2") and len(list((tmp_path / "models/smoke").iterdir())) == 1
    before = (tmp_path / "mask_aae.csv").read_bytes()
    monkeypatch.setattr(manifold, "build", None)  # nothing is trained again
    run("compare", *compare)
    assert (tmp_path / "mask_aae.csv").read_bytes() == before
    (page := tmp_path / "mask_aae.md").write_text("Found\n\n## All runs on manifolds\n\nformer\n")
    run("page")
    assert (
        page.read_text().startswith("Found\n\n## All runs on manifolds\n\nselect:\n")
        and "former" not in page.read_text()
    )
    assert page.read_text().count("| mask_aae | quick |") == 1
    assert all(is_png(tmp_path / "pictures" / f"mask_aae-quick{part}.png") for part in ("", "-codes"))
    with pytest.raises(SystemExit):
        run("compare", "--steps", "3")


class Linear:
    """Codes are data; a decoder that returns them."""

    def decode(self, codes):
        return codes


def test_deleting_a_dimension_costs_its_variance(script):
    x = np.random.default_rng(0).normal(size=(50, 3))
    judge = script("mask_aae_judge")
    assert judge.deletion(Linear(), x, x, 1) == pytest.approx((x[:, 1] ** 2).mean() / 3)


def test_quick_and_official_maskaae_differ_as_documented(script):
    manifold = script("mask_aae_manifold")
    run = manifold.Run("compare", "mask_aae", "official", 8, 16, 0, 500_000)
    official, quick = manifold.build(run), manifold.build(dataclasses.replace(run, setting="quick", steps=1000))
    weights = ("variance_weight", "mask_reconstruction_weight")
    assert [float(getattr(official, name)) for name in weights] == [100, 1000] and official.period == 75
    assert [float(getattr(quick, name)) for name in weights] == [5, 100_000] and quick.period == 10
    assert official.encoder.count_params() > 10 * quick.encoder.count_params()
    assert float(quick.mask.a.numpy().max()) < 3 and official.mask.high == 5


@pytest.mark.slow
def test_settings_of_mask_aae_are_trained_judged_and_listed_and_not_trained_again(
    script, eagerly, tmp_path, monkeypatch, capsys
):
    mnist = script("mask_aae_mnist")
    small = {"DATASET": "digits", "NETWORKS": "mlp", "TRAIN": "train[:200]", "VALIDATION": "train[-200:]"}
    for name, value in small.items():
        monkeypatch.setattr(mnist, name, value)
    Classifier(build_classifier((8, 8, 1), 10), "digits", 0.1).save(tmp_path / "c.keras", "test", 0, 0)
    files = ["--smoke", "--out", str(tmp_path), "--classifier", str(tmp_path / "c.keras")]
    mnist.main(["screen", "--codes", "4", "--settings", "images, falling", "defaults", *files])
    mnist.main(["compare", "--codes", "3", "--seeds", "1", *files])
    found = rows(tmp_path / "mask_aae_mnist_smoke.csv")
    assert {(row["setting"], row["codes"], row["seed"]) for row in found[:2]} == {
        ("images, falling", "4", "0"),
        ("defaults", "4", "0"),
    }
    assert {(row["system"], row["setting"]) for row in found[2:]} == set(mnist.COMPARED)
    assert all(row["steps"] == "3" and float(row["samples"]) > 0 and float(row["std_least"]) > 0 for row in found)
    assert [bool(row["critic_gap"]) for row in found] == [row["system"] == "mask_aae" for row in found]
    monkeypatch.setattr(mnist, "build", None)  # nothing is trained again
    mnist.main(["compare", "--codes", "3", "--seeds", "1", *files])
    capsys.readouterr()
    mnist.main(["table", *files])
    assert capsys.readouterr().out.count("| mask_aae | images |") == 1
    with pytest.raises(SystemExit, match="--settings must be some of .*. Received: fast"):
        mnist.main(["screen", "--settings", "fast", *files])
