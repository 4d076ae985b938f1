"""The experiments on colour images train on made images, go on where they were killed, and draw their page."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_experiments import eagerly, is_png, rows, script  # noqa: F401

import keras_ijae as ki
from keras_ijae.metrics.features.classifier import Classifier, build_classifier
from keras_ijae.training import RunDirectory
from keras_ijae.training.journal import read_journal

SIDE, COUNT, BATCH = 8, 100, 45  # two steps a pass: a tenth is held out

pytestmark = pytest.mark.filterwarnings("ignore:.* biased upwards")  # distances of so few images
SCORES = ("samples", "inception_score", "reconstructions", "held_out_samples", "held_out_reconstructions")


@pytest.fixture
def made(tmp_path):
    """A file of made images of four shades, and the classifier that judges."""
    label = np.arange(COUNT) % 4
    noise = np.random.default_rng(0).integers(0, 60, (COUNT, SIDE, SIDE, 3))
    image = (noise + 60 * label[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "made.npz", image=image, label=label)
    Classifier(build_classifier((SIDE, SIDE, 3), 4), "made", 0.1).save(tmp_path / "c.keras", "test", 0, 0)
    return tmp_path / "made.npz"


@pytest.fixture
def run(script, eagerly, made, tmp_path, monkeypatch):  # noqa: F811
    """Runs cifar10.py on tiny networks in a directory, and gives the rows of its file."""
    main, runs = script("cifar10").main, script("colour_runs")
    for name in ("SMOKE", "SMALL"):
        monkeypatch.setattr(runs, name, runs.Networks("mlp", 8))

    def run(*arguments, into="one"):
        out = tmp_path / into
        files = ["--out", str(out), "--models", str(out), "--features", str(tmp_path / "c.keras")]
        main(["--smoke", "--batch-size", str(BATCH), *files, *arguments])
        return rows(out / "cifar10_smoke.csv")

    return run


def failing(error):
    def fail(*arguments, **named):
        raise error

    return fail


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(script, run, made, tmp_path, monkeypatch):  # noqa: F811
    command = ["--systems", "vae", "--steps", "3", "--data", f"npz:{made}"]
    (whole,) = run(*command, into="whole")
    assert (whole["steps"], whole["outcome"], whole["budget"], whole["dataset"]) == ("4", "ended", "3 steps", "made")
    assert all(float(whole[name]) > 0 for name in (*SCORES, "squared_error", "images_per_second", "wall_minutes"))
    assert (whole["networks"], whole["judged_samples"], whole["replicas"]) == ("mlp 8", "200", "1")
    assert whole["date"] and whole["commit"] and whole["command"].startswith("python experiments/cifar10.py")
    kills = ((script("colour_training").Speed, "on_epoch_end"), (script("colour"), "scores"))
    for place, name in kills:  # after the first pass, and while it is judged
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(place, name, failing(KeyboardInterrupt))
            run(*command)
    monkeypatch.setattr(ki.training, "train", failing(AssertionError("it is trained again")))
    (row,) = run(*command)
    assert {name: row[name] for name in (*SCORES, "squared_error", "steps")}.items() <= whole.items()
    one, other = (RunDirectory(next((tmp_path / part).glob("vae-*"))) for part in ("one", "whole"))
    tries = [(entry["outcome"], entry["epochs"]) for entry in read_journal(one.journal)]
    assert tries == [("interrupted", 1), ("done", 2)] and one.read_history() == other.read_history()
    monkeypatch.setattr(script("colour"), "outcome", failing(AssertionError("it is run again")))
    assert run(*command) == [row]


@pytest.mark.slow
def test_the_small_table_is_run_and_drawn(script, run, made, tmp_path, monkeypatch):  # noqa: F811
    class Fake:
        name, checksum = "lpips-fake", "0"

        def __init__(self, *given):
            assert given == ("alex", "heads.pth", "network.npz")

        def __call__(self, first, second):
            return np.abs(first - second).mean((1, 2, 3))

    monkeypatch.setattr(ki.metrics, "LPIPS", Fake)
    small = ["--small", str(made), "--precision", "mixed_bfloat16"]
    run("--systems", "gan", "--settings", "{}", '{"objective": "log_ratio"}', *small)
    gan, plain, vae = run("--systems", "vae", "--lpips", "alex", "heads.pth", "network.npz", *small)
    assert (gan["system"], gan["networks"], gan["budget"], gan["steps"]) == ("gan", "mlp 8", "0 minutes", "3")
    assert (
        plain["settings"] == '{"objective": "log_ratio"}'
        and gan["reconstructions"] == gan["squared_error"] == gan["lpips"] == ""
    )
    assert all(float(vae[name]) > 0 for name in (*SCORES, "lpips", "lpips_std", "cpu_minutes"))
    assert vae["extractor"].startswith("made-classifier ") and vae["precision"] == "mixed_bfloat16"
    (directory,) = (tmp_path / "one").glob("vae-*")
    assert ki.load_model(directory / "model.keras").decoder.layers[1].compute_dtype == "bfloat16"
    page = tmp_path / "one" / "cifar10_smoke.md"
    page.write_text("Found\n\n## All runs\n\nNo run yet.\n")
    run("--page")
    text, name = page.read_text(), "pictures/cifar10_smoke-made-0-minutes"
    assert text.startswith("Found\n\n## All runs\n\nmade, 0 minutes a run:\n\n| system | settings | samples |")
    assert '| gan | "objective": "log_ratio" |' in text and "No run yet" not in text
    for part in (".png", "-samples.png"):
        assert f"({name}{part})" in text and is_png(page.parent / f"{name}{part}")


@pytest.mark.slow
def test_a_run_that_goes_bad_is_a_row_that_says_so(run, made, tmp_path, monkeypatch):
    bad = ki.models.TrainingError("Training went bad at\nstep 2. Lower the rate")
    monkeypatch.setattr(ki.models.VAE, "train_step", failing(bad))
    (row,) = run("--systems", "vae", "--data", f"npz:{made}")
    assert (row["outcome"], row["samples"], row["steps"]) == ("Training went bad at step 2", "", "")
    run("--page")
    assert "| Training went bad at step 2 |" in (tmp_path / "one" / "cifar10_smoke.md").read_text()


def test_a_page_without_runs_says_so(script, tmp_path):  # noqa: F811
    for name in ("cifar10", "tiny_imagenet", "celeb_a"):
        script(name).main(["--page", "--out", str(tmp_path)])
        assert (tmp_path / f"{name}.md").read_text() == "## All runs\n\nNo run yet.\n"


def test_published_runs_have_spectral_residual_networks_and_fifty_thousand_steps(script, made):  # noqa: F811
    runs, setup = script("colour_runs"), script("cifar10").SETUP
    options = ["--data", f"npz:{made}", "--batch-size", str(BATCH)]
    given = script("colour").options(setup, "").parse_args([*options, "--strategy", "mirrored"])
    planned = {run.system: run for run in runs.planned(setup, given)}
    recipe = runs.recipe_of(planned["ijae"], setup, given)
    assert (recipe.networks, recipe.width, recipe.strategy, recipe.latent_dim) == ("resnet", 64, "mirrored", 128)
    assert recipe.epochs == 25_000 and planned["ijae"].budget == "50000 steps"
    half = script("colour").options(setup, "").parse_args([*options, "--precision", "mixed_float16"])
    assert {run.name for run in planned.values()}.isdisjoint(run.name for run in runs.planned(setup, half))
    for name in ("cifar10", "tiny_imagenet", "celeb_a"):
        assert {*script(name).SETUP.systems, *script(name).SETUP.small} <= set(ki.list_models())


def test_speed_is_of_whole_passes_without_the_first(script, monkeypatch):  # noqa: F811
    training = script("colour_training")
    clock = iter([0.0, 50.0, 100.0, 101.0, 102.0])  # a slow first pass, a pause, then two steps of a second
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    speed = training.Speed()
    for steps in (1, 2):
        speed.on_epoch_begin(0)
        for step in range(steps):
            speed.on_train_batch_end(step)
        speed.on_epoch_end(0)
        assert speed.images_per_second(10) == ("" if steps == 1 else 10.0)


def test_scores_by_the_published_network_are_found_by_their_own_names(script):  # noqa: F811
    judge, names = script("colour_judge"), {"frechet_distance": "fid", "inception_score": "is"}
    extractor = SimpleNamespace(metric_name=lambda metric: names.get(metric, f"{metric}[inception]"))
    scores = {"gen/fid": (29.5, None), "rec/fid": (9.5, None), "gen/is": (7.0, 0.1), "rec/lpips": (0.07, 0.03)}
    found = ki.evaluation.Evaluation({name: SimpleNamespace(value=v, std=s) for name, (v, s) in scores.items()})
    columns = {"samples": 29.5, "inception_score": 7.0, "inception_score_std": 0.1, "reconstructions": 9.5}
    assert judge._columns(found, judge.TRAINING, extractor) == columns
    assert judge._columns(found, {"lpips": judge.HELD_OUT["lpips"]}, extractor) == {"lpips": 0.07, "lpips_std": 0.03}
