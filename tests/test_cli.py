"""The command `keras-ijae`, on small networks and the embedded digits."""

import csv
import dataclasses
import inspect
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import types
from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf
from command import run
from systems import create

import keras_ijae as ki
from keras_ijae.evaluation.digits import WORDS
from keras_ijae.game.arguments import arguments_of
from keras_ijae.game.docstrings import arguments_in, joined, sections
from keras_ijae.training import info
from keras_ijae.training.data import in_order
from keras_ijae.training.measured import read_losses
from keras_ijae.training.progress import Progress
from keras_ijae.training.recipes import RECIPES, Recipe
from keras_ijae.training.runs import RunDirectory
from keras_ijae.training.trainer import build
from keras_ijae_cli import demo, settings, train
from keras_ijae_cli.own_modules import import_own
from keras_ijae_cli.systems import fitted
from keras_ijae_cli.use import recipe_of

COMMANDS = [
    "train",
    "recipes",
    "systems",
    "datasets",
    "evaluate",
    "metrics",
    "compare",
    "train-classifier",
    "fit-prior",
    "sample",
    "reconstruct",
]
COMMANDS += ["interpolate", "export", "info", "figure", "film", "report", "explore", "lab", "demo"]
SMALL = ["--dataset", "digits", "--networks", "mlp", "--width", "8", "--batch-size", "500", "--latent-dim", "2"]


def weights_of(directory):
    """Everything in the newest backup of a run, by name."""
    import h5py

    found = {}
    with h5py.File(max((directory / "backup").glob("*.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    """A run directory with a VAE after two epochs of three steps; no test changes what training left there."""
    directory = tmp_path_factory.mktemp("runs") / "vae"

    def keep(self, epoch, logs=None):
        if epoch == 0:
            shutil.copytree(directory, directory.with_name("killed"))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Progress, "on_epoch_end", keep)
        assert run("train", "vae", *SMALL, "--epochs", 2, "--out", directory) == 0
    return directory


@pytest.fixture
def killed(vae, tmp_path):
    """The same run as it stood after its first epoch."""
    return shutil.copytree(vae.with_name("killed"), tmp_path / "killed")


@pytest.fixture(scope="module")
def gan(vae, tmp_path_factory):
    """A run directory of a system without an encoder, trained over another run."""
    directory = tmp_path_factory.mktemp("runs") / "gan"
    shutil.copytree(vae, directory)
    (directory / "old").touch()
    own = ["--set", "ema=0.5", "--set", "prior=uniform"]
    assert run("train", "gan", *SMALL, "--epochs", 1, *own, "--out", directory, "--overwrite") == 0
    return directory


@pytest.fixture
def finished(vae, tmp_path):
    """A copy of the run directory with a VAE."""
    return shutil.copytree(vae, tmp_path / "finished")


# Help -----------------------------------------------------------------------------------------------------


def test_help_teaches_by_examples_without_importing_the_package():
    program = (
        "import sys\n"
        "from keras_ijae_cli import main\n"
        f"for command in [[], *[[name] for name in {COMMANDS}]]:\n"
        "    try:\n"
        "        main([*command, '--help'])\n"
        "    except SystemExit as exit:\n"
        "        assert not exit.code, command\n"
        "assert not {'tensorflow', 'keras', 'keras_ijae', 'numpy', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = done.stdout.split("Usage:")[1:]
    assert len(pages) == 1 + len(COMMANDS)
    for page in pages:
        assert "keras-ijae " in page.split("Options")[0], page


def test_help_breaks_no_line_inside_a_sentence(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run("train", "--help") == 0
    assert "to resume from and, when done, model.keras. An existing run" in capsys.readouterr().out


def test_help_of_train_shows_the_defaults_of_a_recipe(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert run("train", "--help") == 0
    shown = dict(re.findall(r"--([\w-]+) [^\n]*\[default: \((.*?)\)\]", capsys.readouterr().out))
    told = {"width": "that of the networks", "learning_rate": "the system's", "split": "train"}
    fields = {f.name: f.default for f in dataclasses.fields(Recipe) if f.name not in ("summary", "steps_per_execution")}
    defaults = {name: told.get(name, value) for name, value in fields.items() if name in told or value is not None}
    known = {name: str(value) for name, value in defaults.items() if value is not dataclasses.MISSING}
    assert {name.replace("-", "_"): value for name, value in shown.items()} == known


def test_systems_recipes_and_datasets_are_listed(capsys):
    assert run("systems") == 0
    assert run("recipes") == 0
    assert run("datasets") == 0
    shown = capsys.readouterr().out
    for name in ("gmm5", "folder:DIR", "gan", "vae", "alpha_gan", "ijae", "ijae_digits", "ijae_mnist", "vae_mnist"):
        assert name in shown


def test_a_system_is_explained_from_its_class(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    assert run("systems", "vamp_vae") == 0
    printed = capsys.readouterr().out
    assert "L = E_x [ -E_{q(z|x)} log p(x|z) + beta KL(q(z|x) || p(z)) ]" in printed and "Tomczak & Welling" in printed
    assert re.search(r"encoder +x -> codes z", printed) and re.search(r"prior +vamp", printed)
    assert "--classes K is not taken: its prior, VampPrior, is one density for the codes of all labels" in printed
    assert run("systems", "vae") == 0
    printed = capsys.readouterr().out
    assert (
        re.search(r"encoder +x \(labels\) -> codes z", printed) and "--classes K makes a conditional model" in printed
    )
    assert run("systems", "age") == 0
    assert "--classes K is not taken: it compares the codes of all labels at once" in capsys.readouterr().out
    assert run("systems", "vampvae") == 2
    assert "Did you mean 'vamp_vae' or" in capsys.readouterr().err


def test_what_a_system_always_refuses_and_networks_are_not_among_its_settings(tmp_path, capsys):
    shown = {}
    for name in ("wgan_gp", "vae", "age"):
        assert run("systems", name, "--json") == 0
        shown[name] = json.loads(capsys.readouterr().out)
    settings = {name: {row["argument"] for row in found["arguments"]} for name, found in shown.items()}
    assert [name for name, own in settings.items() if "sampling_prior" in own] == ["vae", "age"]
    gives = {row["network"]: row["from -> gives"] for row in shown["wgan_gp"]["networks"]}
    assert gives == {"decoder": "codes z (labels) -> x", "critic": "x (labels) -> a number"}
    assert run("train", "wgan_gp", "--dataset", "digits", "--out", tmp_path / "run", "--set", "sampling=1") == 2
    (line,) = capsys.readouterr().err.splitlines()
    known = line.partition("Known: ")[2].split(", ")
    assert {*settings["wgan_gp"], "norm", "spectral", "preset"} == {*known} - {"name"}


@pytest.mark.parametrize("name", ki.list_models())
def test_every_network_and_argument_of_a_system_is_explained(name):
    system = ki.game.ENTRIES[name].system
    meanings = arguments_in(sections(inspect.getdoc(ki.game.Game))) | arguments_in(sections(inspect.getdoc(system)))
    names = set(arguments_of(system)) | {role.name for role in system.ROLES}
    assert not {name for name in names if not meanings.get(name)}


@pytest.mark.parametrize("name", ki.list_models())
def test_equations_fit_80_columns_stay_indented_and_lose_nothing(name):
    text = joined(sections(inspect.getdoc(ki.game.ENTRIES[name].system))[""])
    lines = fitted(text, 80).split("\n")
    assert "\n".join(lines).split() == text.split()
    assert [line for line in lines if line.startswith(" ") and len(line) > 80] == []


def test_an_equation_goes_on_below_its_right_hand_side_before_a_sign_outside_of_brackets():
    right = "E H(z^) - E (H(n^) + 1) + gradient_penalty E (||grad H(u n^ + (1 - u) z^)|| - 1)^2"
    assert fitted(f"    L_H        = {right}   remark", 80).split("\n") == [
        "    L_H        = E H(z^) - E (H(n^) + 1)",
        "                 + gradient_penalty E (||grad H(u n^ + (1 - u) z^)|| - 1)^2",
        "                 remark",
    ]


@pytest.mark.parametrize("name", ["sample", "reconstruct", "interpolate", "figure", "film", "report", "lab"])
def test_a_command_whose_file_replaces_another_says_so(name, capsys):
    assert run(name, "--help") == 0
    assert "stands there is replaced" in re.sub(r"[\s│]+", " ", capsys.readouterr().out)


def importing(tmp_path, backend):
    """Imports the package where Keras' own file names jax, and the environment names `backend`."""
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax", "floatx": "float32"}))
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", "import keras_ijae; print('imported')"]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("backend", "received"), [("torch", "KERAS_BACKEND = torch"), ("", "the file .*keras.json with the backend jax")]
)
def test_another_backend_is_refused_plainly_wherever_it_is_named(tmp_path, backend, received):
    done = importing(tmp_path, backend)
    said = done.stderr.splitlines()[-1]
    assert done.returncode and re.search(f"runs on Keras' TensorFlow backend. Received: {received}. Change it", said), (
        said
    )


@pytest.mark.slow
def test_the_environment_comes_before_the_file_of_keras(tmp_path):
    assert importing(tmp_path, "tensorflow").stdout == "imported\n"


def test_a_module_that_is_run_with_another_backend_says_so_in_one_line_as_the_command_does():
    command = [sys.executable, "-m", "keras_ijae", "info", "x"]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    (said,) = done.stderr.splitlines()
    assert done.returncode == 2 and said.startswith("error: keras_ijae runs on Keras' TensorFlow backend")


def test_what_libraries_write_past_python_is_dropped_and_what_python_writes_is_not():
    script = "import os, sys; from keras_ijae_cli.quiet import only_ours\nwith only_ours():\n"
    script += "    os.write(2, b'noise'); print('ours', file=sys.stderr)\nprint('then', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.split() == ["ours", "then"]


def test_a_refused_export_says_one_line_and_nothing_of_the_converter(tmp_path, capfd):
    create("stick_vae").save(tmp_path / "m.keras")
    capfd.readouterr()
    assert run("export", tmp_path / "m.keras", "--out", tmp_path / "out", "--format", "tflite") == 2
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith("error: Option --format='tflite' cannot hold this model")


def test_the_package_run_as_a_module_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["keras_ijae", "recipes"])
    with pytest.raises(SystemExit) as exit:
        runpy.run_module("keras_ijae", run_name="__main__")
    assert not exit.value.code and "ijae_digits" in capsys.readouterr().out


# Training -------------------------------------------------------------------------------------------------


def test_a_run_leaves_what_is_needed_to_watch_continue_and_use_it(vae):
    names = {str(path.relative_to(vae)) for path in vae.rglob("*") if path.is_file()}
    expected = {"config.json", "history.csv", "journal.json", "model.keras"}
    expected |= {"grids/samples-0001.png", "grids/reconstructions-0002.png"}
    assert expected <= names
    assert any(name.startswith("logs/train/events") for name in names)
    assert sum(name.startswith(("backup/epoch-0001-step-00000000-", "backup/epoch-0002-step")) for name in names) == 2
    recipe = json.loads((vae / "config.json").read_text())["recipe"]
    assert (recipe["system"], recipe["dataset"], recipe["width"]) == ("vae", "digits", 8)
    with (vae / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    assert any(name.startswith("val_") for name in rows[0])


@pytest.mark.slow
def test_a_run_killed_and_resumed_ends_as_one_never_stopped(vae, killed, capsys):
    """Weights, optimizers, noise, the order of the data and the history."""
    assert run("sample", killed) == 2
    assert f"`keras-ijae train --resume --out {killed}` goes on" in capsys.readouterr().err
    assert run("train", "--resume", "--epochs", 2, "--out", killed) == 0
    assert (killed / "model.keras").is_file()
    whole, parts = weights_of(vae), weights_of(killed)
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)
    assert (killed / "history.csv").read_text() == (vae / "history.csv").read_text()


def test_ctrl_c_leaves_a_run_that_can_be_resumed_and_says_how(tmp_path, capsys, monkeypatch):
    def interrupt(self, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "on_train_begin", interrupt)
    assert run("train", "vae", *SMALL, "--out", tmp_path / "run") == 130
    assert f"keras-ijae train --resume --out {tmp_path / 'run'}" in capsys.readouterr().err
    assert not (tmp_path / "run/model.keras").exists()
    assert run("train", "--resume", "--out", tmp_path / "run") == 130


@pytest.mark.slow
def test_overwrite_replaces_a_run(gan):
    recipe = json.loads((gan / "config.json").read_text())["recipe"]
    assert (recipe["system"], recipe["arguments"]) == ("gan", {"ema": 0.5, "prior": "uniform"})
    assert (gan / "model.keras").is_file() and not (gan / "old").exists()
    assert not list((gan / "grids").glob("reconstructions*"))


def test_no_run_is_overwritten_before_the_new_one_is_known_to_be_good(vae, capsys):
    before = {path: path.read_bytes() for path in vae.rglob("*") if path.is_file()}
    assert run("train", "vae", *SMALL, "--out", vae) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run("train", "vae", *SMALL, "--out", vae, "--overwrite", "--set", "bata=2") == 2
    assert "bata" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in vae.rglob("*") if path.is_file()}


# Using a model --------------------------------------------------------------------------------------------


def test_evaluate_prints_and_keeps_its_scores(vae, capsys):
    assert run("evaluate", vae) == 0
    scores = json.loads((vae / "evaluation.json").read_text())
    assert scores["dataset"] == "digits" and scores["split"] == "test"
    captured = capsys.readouterr()
    assert scores["scores"] and all(name in captured.out for name in scores["scores"])
    assert "Errors are of reconstructions without the encoder's noise" in captured.err


def test_evaluate_scores_samples_and_reconstructions_and_keeps_what_they_depend_on(vae, capsys):
    assert run("evaluate", vae, "--metrics", "fid, mse,nearest", "--features", "data", "--samples", 100) == 0
    kept = json.loads((vae / "scores.json").read_text())
    names = ["gen/frechet_distance[data]", "rec/frechet_distance[data]", "rec/mean_squared_error"]
    assert {(score["dataset"], score["split"]) for score in kept["scores"].values()} == {("digits", "test")}
    assert list(kept["scores"])[:3] == names and "gen/nearest_train_of_samples" in kept["scores"]
    assert (kept["scores"][names[0]]["n_real"], kept["scores"][names[0]]["n_fake"]) == (297, 100)
    captured = capsys.readouterr()
    assert "extractor data" in captured.out and "seed 0" in captured.out
    assert "codes of reconstructions (rec) are drawn" in captured.err


def test_a_second_evaluation_joins_the_first_and_says_what_it_replaces(vae, capsys):
    (vae / "scores.json").unlink(missing_ok=True)
    assert run("evaluate", vae, "--metrics", "mse") == run("evaluate", vae, "--metrics", "elbo") == 0
    assert "note:" not in capsys.readouterr().err
    assert run("evaluate", vae, "--metrics", "elbo", "--split", "test[:50]") == 0
    note = " ".join(capsys.readouterr().err.split())
    assert "note: elbo_nats of n_real 50, split test[:50] stands in the place of that of n_real 297, split test" in note
    kept = json.loads((vae / "scores.json").read_text())
    assert set(kept["scores"]) == {"rec/mean_squared_error", "elbo_nats"}
    assert [score["n_real"] for score in (kept["scores"]["elbo_nats"], *kept["replaced"])] == [50, 297]


def test_damaged_scores_are_said_before_anything_is_measured_and_stay(vae, monkeypatch, capsys):
    (vae / "scores.json").write_text("{,")
    monkeypatch.setattr("keras_ijae_cli.evaluate._scores", pytest.fail)
    assert run("evaluate", vae, "--metrics", "mse") == 2
    assert "scores.json does not hold scores" in capsys.readouterr().err
    assert (vae / "scores.json").read_text() == "{,"
    (vae / "scores.json").unlink()


def test_scores_of_a_run_that_cannot_be_written_into_are_printed(vae, monkeypatch, capsys):
    monkeypatch.setattr("keras_ijae.files._hindrance", lambda path: "not here")
    assert run("evaluate", vae, "--metrics", "mse", "--split", "test[:50]") == 0
    printed = capsys.readouterr()
    assert "printed, and not kept" in printed.err and "rec/mean_squared_error" in printed.out
    assert not (vae / "scores.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "fidd"], "Option --metrics must"),
        (["--metrics", "fid"], "Option --features is needed for 'fid': 'inception', the file of a classifier"),
        (["--metrics", "fid", "--features", "nothing.keras"], "no stored classifier at nothing.keras"),
        (["--metrics", "fid", "--features", "nothing.pth"], "no weights at nothing.pth"),
    ],
)
def test_evaluate_says_which_score_or_extractor_is_wrong(vae, capsys, arguments, message):
    assert run("evaluate", vae, *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--features", "nothing.keras"),
        ("--resize", "clean"),
        ("--lpips-net", "vgg"),
        ("--lpips-heads", "nothing.pth"),
        ("--lpips-backbone", "nothing.pth"),
        ("--samples", 100),
        ("--cache", "cache"),
        ("--seed", 0),
    ],
)
def test_an_option_of_metrics_is_refused_without_them_before_anything_is_loaded(tmp_path, capsys, option, value):
    assert run("evaluate", tmp_path, option, value) == 2
    said = capsys.readouterr().err
    assert f"Option {option} goes with --metrics" in said and "Give --metrics fid" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("mse,is", "--lpips-net", "vgg"),
            "Option --lpips-net goes with --metrics that use it: lpips. Received: mse,is",
        ),
        (("mse", "--lpips-heads", "nothing.pth"), "Option --lpips-heads goes with --metrics that use it: lpips. "),
        (
            ("mse", "--lpips-backbone", "nothing.pth"),
            "Option --lpips-backbone goes with --metrics that use it: lpips. ",
        ),
        (("mse,lpips", "--resize", "clean"), "Option --resize goes with --metrics that use it: fid, kid, "),
        (("mse,nearest", "--features", "data"), "Option --features goes with --metrics that use it: fid, kid, "),
        (("mse", "--cache", "cache"), "Option --cache goes with --metrics that use it: fid, kid, "),
        (
            ("fid", "--features", "nothing.keras", "--resize", "clean"),
            "Option --resize goes with --features inception, or a file of its weights (.pth, .pb, .tgz), "
            "which alone use it. Received: nothing.keras",
        ),
    ],
)
def test_an_option_that_no_metric_uses_is_refused_before_anything_is_loaded(tmp_path, capsys, arguments, message):
    assert run("evaluate", tmp_path, "--metrics", *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fid", "--features", "nothing.pth", "--resize", "clean"), "no weights at nothing.pth"),
        (("fid", "--resize", "clean"), "Option --features is needed for 'fid'"),
        (("lpips", "--lpips-heads", "nothing.pth"), "nothing.pth"),
        (("fidd", "--lpips-net", "vgg"), "'fidd'"),
    ],
)
def test_an_option_is_taken_with_metrics_that_use_it(vae, capsys, arguments, message):
    assert run("evaluate", vae, "--metrics", *arguments) == 2
    said = capsys.readouterr().err
    assert message in said and "goes with" not in said


@pytest.mark.parametrize("command", ["evaluate", "reconstruct", "interpolate"])
def test_data_of_another_shape_than_the_models_are_refused_by_the_options_name(tmp_path, capsys, command):
    ki.create("vae", (4, 4, 1), 2, networks="mlp", width=4).save(tmp_path / "model.keras")
    assert run(command, tmp_path / "model.keras", "--dataset", "digits") == 2
    said = capsys.readouterr().err
    assert (
        "Option --dataset must have examples of the model's shape (4, 4, 1). Received: 'digits' of shape (8, 8, 1)"
        in said
    )


@pytest.fixture
def of_arrays(tmp_path):
    """A run directory, untrained, on an archive of 6x6 images that are named and resized; and a folder of 5x5 ones."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", pictures=rng.integers(0, 256, (30, 6, 6, 1), "uint8"), others=np.zeros((30, 6, 6, 1)))
    directory, data = RunDirectory(tmp_path / "run"), {"keys": {"image": "pictures"}, "size": 4}
    directory.write_recipe(Recipe(system="vae", dataset=f"npz:{tmp_path / 'a.npz'}", data=data), {})
    model = ki.create("vae", (4, 4, 1), 2, networks="mlp", width=4)
    model.compile()
    model.save(directory.model)
    (tmp_path / "images").mkdir()
    for index in range(20):
        pixels = tf.constant(rng.integers(0, 256, (5, 5, 1), "uint8"))
        (tmp_path / f"images/{index}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    return directory, f"folder:{tmp_path / 'images'}"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            [],
            "`keys` has no meaning.*were loaded with keys=.*, size=4: --data KEY=VALUE replaces one",
        ),
        (["keys=none"], None),
        (["keys=none", "size=5"], r"the model's shape \(4, 4, 1\). Received: 'folder:.*' of shape \(5, 5, 1\)$"),
        (["keys=none", "sise=none"], r"`data` must have names of .*Received: \['sise'\]"),
        (["split=test"], "Option --data cannot set 'split'. Use --split instead"),
    ],
)
def test_other_data_are_loaded_as_the_runs_own_were_unless_told_otherwise(of_arrays, told, message):
    directory, folder = of_arrays
    with nullcontext() if message is None else pytest.raises(ValueError, match=message):
        recipe = recipe_of(directory.path, folder, ki.create("vae", (4, 4, 1), 2, networks="mlp", width=4), told)
        assert (recipe.dataset, recipe.data) == (folder, {"size": 4})


@pytest.mark.slow
def test_the_arguments_of_data_are_told_to_every_command_that_looks_at_some(of_arrays, tmp_path, capsys):
    directory, folder = of_arrays
    drawn = ["--out", tmp_path / "a.png", "-n", 4, "--dataset", folder, "--data"]
    assert run("reconstruct", directory.path, *drawn, "keys=none") == 0
    assert run("interpolate", directory.model, *drawn, "size=4") == 0
    assert run("figure", "covariance", directory.model, *drawn, "size=4") == 0
    assert run("reconstruct", directory.path, *drawn, "sise=4") == 2
    assert "Option --data must have names of" in capsys.readouterr().err


def test_any_argument_of_the_runs_data_can_be_removed(tmp_path):
    data = {"size": 8, "standardize": False, "download": False, "shuffle_buffer": 9}
    RunDirectory(tmp_path).write_recipe(Recipe(system="vae", dataset="digits", data=data), {})
    model = ki.create("vae", (8, 8, 1), 2, networks="mlp", width=4)
    for name in data:
        left = {key: value for key, value in data.items() if key != name}
        assert recipe_of(tmp_path, None, model, [f"{name}=none"]).data == left


def test_vectors_of_another_file_are_standardised_where_those_of_the_run_were(tmp_path):
    directory, x = RunDirectory(tmp_path / "run"), np.random.default_rng(0).normal(50.0, 9.0, (40, 3))
    directory.write_recipe(Recipe(system="ae", dataset="npz:gone.npz", data={"standardize": True}), {})
    np.savez(tmp_path / "b.npz", x=x)
    model, name = ki.create("ae", (3,), 2, width=4), f"npz:{tmp_path / 'b.npz'}"
    for place, told, mean in (
        (directory.path, [], 0.0),
        (directory.path, ["standardize=none"], 50.0),
        (tmp_path / "m.keras", [], 50.0),
        (tmp_path / "m.keras", ["standardize=true"], 0.0),
    ):
        found = np.concatenate(list(in_order(recipe_of(place, name, model, told), "train")))
        np.testing.assert_allclose(found.mean(0), mean, atol=5 if mean else 1e-5)


@pytest.mark.slow
def test_losses_on_data_that_were_loaded_otherwise_say_so(of_arrays, capsys):
    directory, _ = of_arrays
    assert run("evaluate", directory.path, "--data", 'keys={"image": "others"}', "--split", "train") == 0
    assert "keys={'image': 'others'}, size=4, train" in " ".join(capsys.readouterr().err.split())
    assert run("evaluate", directory.path, "--split", "train") == 0
    kept, (replaced,) = read_losses(directory.path / "evaluation.json")
    assert "data" not in kept and replaced["data"] == {"keys": {"image": "others"}, "size": 4}
    assert kept["scores"] != replaced["scores"]


@pytest.mark.parametrize("command", ["systems", "recipes", "datasets", "metrics", "figure", "lab"])
def test_what_is_listed_for_people_is_listed_for_programs(command, capsys):
    assert run(command, "--csv") == 0
    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert run(command, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows] == lines
    assert run(command) == 0
    shown = "".join(capsys.readouterr().out.split())
    assert len(rows) > 5 and all("".join(next(iter(row.values())).split()) in shown for row in rows)
    assert run(command, "--csv", "--json") == 2
    assert "Give --csv or --json, not both" in capsys.readouterr().err


def test_metrics_lists_every_score(capsys):
    from keras_ijae.evaluation import MEASURES

    assert run("metrics") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in MEASURES)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        (["sample", "-n", "12", "--columns", "4"], (3 * 58 - 2, 4 * 58 - 2)),
        (["reconstruct", "-n", "16"], (4 * 58 - 2 + 8, 8 * 58 - 2)),
        (["reconstruct", "-n", "10"], (4 * 58 - 2 + 8, 8 * 58 - 2)),
        (["interpolate", "-n", "3", "--steps", "5"], (3 * 58 - 2, 5 * 58 - 2)),
    ],
)
def test_pictures_hold_as_many_images_as_asked_and_a_caption_below(vae, tmp_path, arguments, size):
    assert run(*arguments, vae, "--out", tmp_path / "picture.png") == 0
    picture = tf.io.decode_png((tmp_path / "picture.png").read_bytes()).numpy()
    left = picture.shape[1] - size[1]
    assert picture.shape[0] > size[0] and (left > 0) == (arguments[0] == "reconstruct")
    assert picture[: size[0], left:].std() > 0
    assert picture[size[0] :].min() < 128  # letters


def test_runs_are_compared_side_by_side(vae, killed, capsys):
    config = json.loads((killed / "config.json").read_text())
    config["recipe"]["arguments"] = {"beta": 2.0}
    (killed / "config.json").write_text(json.dumps(config))
    (killed / "scores.json").write_text(json.dumps({"scores": {"gen/fid": {"value": 3.5}}}))
    assert run("compare", vae, killed, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    found = {row["what"]: (row[str(vae)], row[str(killed)]) for row in rows}
    with (vae / "history.csv").open() as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    assert found["system"] == ("vae", "vae") and found["epochs done"][0] == 2
    assert found["--beta"] == (None, 2.0) and "--width" not in found
    assert found["val_loss, last"][0] == losses[-1] and found["val_loss, best"][0] == min(losses)
    assert found["val_loss, best epoch"][0] == 1 + losses.index(min(losses))
    assert found["gen/fid"] == (None, 3.5)
    assert run("compare", vae) == 2
    assert "Argument RUNS must be at least two" in capsys.readouterr().err


def test_what_is_no_run_is_not_compared(vae, tmp_path, capsys):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "config.json").write_text('{"name": "of another program"}')
    for name, message in {
        "missing": "missing is not a run directory: it has no config.json",
        "foreign": "config.json is not the configuration of a run",
    }.items():
        assert run("compare", vae, tmp_path / name) == 2
        found = capsys.readouterr()
        assert message in found.err and not found.out


def test_a_model_file_alone_can_be_used(vae, tmp_path):
    assert run("sample", vae / "model.keras", "--out", tmp_path / "a.png") == 0
    assert run("sample", vae, "--out", tmp_path / "b.png") == 0
    assert run("sample", vae, "--out", tmp_path / "c.png", "--seed", 1) == 0
    pictures = [tf.io.decode_png((tmp_path / f"{name}.png").read_bytes()).numpy() for name in "abc"]
    first, second, other = (picture[: 8 * 58 - 2] for picture in pictures)  # without their captions
    assert np.array_equal(first, second) and not np.array_equal(first, other)


@pytest.mark.slow
def test_a_prior_is_fitted_to_the_codes_of_the_training_data_and_stays_with_the_run(vae, finished, capsys):
    config = (finished / "config.json").read_bytes()
    assert run("fit-prior", finished, "--prior", "normal") == 0
    shown = capsys.readouterr().err
    assert "Fitted a GaussianMixture to the codes of digits, train[:90%]" in shown and "model.keras" in shown
    assert (finished / "config.json").read_bytes() == config
    model, before = ki.load_model(finished), ki.load_model(vae)
    images = np.concatenate(list(in_order(RunDirectory(vae).read_recipe(), "train[:90%]")))
    before.fit_prior(images, "normal")
    np.testing.assert_allclose(model.sampling_prior.means, before.sampling_prior.means, atol=1e-5)
    assert model.prior is not model.sampling_prior
    assert run("train", "--resume", "--epochs", 3, "--out", finished) == 0
    trained = ki.load_model(finished)
    five_errors = 5 / np.sqrt(len(images))  # of a mean of draws, whose deviation is about 1
    np.testing.assert_allclose(trained.sampling_prior.means[0], trained.encode(images).mean(0), atol=five_errors)
    assert np.abs(trained.sampling_prior.means - model.sampling_prior.means).max() > 1e-3  # fitted anew


@pytest.mark.slow
def test_scores_of_a_model_that_is_replaced_are_set_aside(finished, capsys):
    (finished / "evaluation.json").write_text("losses")
    (finished / "scores.json").write_text("scores")
    assert run("fit-prior", finished, "--prior", "normal") == 0
    assert f"it is now {finished / 'scores.old.json'}" in capsys.readouterr().err
    assert (finished / "evaluation.json").read_text() == "losses"  # which do not depend on the samples
    assert run("train", "--resume", "--epochs", 3, "--out", finished) == 0
    old = {path.name: path.read_text() for path in finished.glob("*.old.json")}
    assert old == {"scores.old.json": "scores", "evaluation.old.json": "losses"}
    assert not list(finished.glob("scores.json")) + list(finished.glob("evaluation.json"))


@pytest.mark.slow
def test_vectors_have_no_pictures_and_that_is_said(tmp_path, capsys):
    flat = ["--dataset", "gmm5", "--width", "8", "--batch-size", "1024", "--latent-dim", "2", "--epochs", "1"]
    assert run("train", "ae", *flat, "--out", tmp_path / "run") == 0
    assert f"Next: keras-ijae evaluate {tmp_path / 'run'}" in capsys.readouterr().err
    for command in ("sample", "reconstruct", "interpolate"):
        assert run(command, tmp_path / "run", "--out", tmp_path / "a.png") == 2
        assert "makes vectors of shape (2,), of which there are no pictures" in capsys.readouterr().err


@pytest.mark.parametrize(("system", "offered"), [("gan", False), ("ae", True)])
def test_what_makes_vectors_is_told_of_the_methods_that_it_has(system, offered, tmp_path, capsys):
    ki.create(system, (3,), 2, width=4).save(tmp_path / "model.keras")
    assert run("interpolate", tmp_path / "model.keras", "--out", tmp_path / "a.png") == 2
    said = capsys.readouterr().err
    assert "`keras-ijae sample` writes arrays of samples, .npz and .csv" in said
    assert ("has reconstruct and interpolate" in said) == offered
    assert run("sample", tmp_path / "model.keras", "--out", tmp_path / "a.png") == 2
    assert "no pictures: Option --out must end in .npz or .csv. Received: " in capsys.readouterr().err


@pytest.mark.parametrize(("classes", "header"), [(None, "x0,x1,x2"), (2, "x0,x1,x2,label")])
def test_samples_of_vectors_are_written_as_arrays_with_their_labels(classes, header, tmp_path):
    path, options = tmp_path / "model.keras", ["-n", 5, "--seed", 4]
    model = ki.create("gan", (3,), 2, width=4, classes=classes)
    model.save(path)
    for name in ("a.npz", "a.csv"):
        assert run("sample", path, "--out", tmp_path / name, *options) == 0
    archive = np.load(tmp_path / "a.npz")
    np.testing.assert_allclose(archive["samples"], model.sample(5, seed=4), rtol=1e-5)
    first, *lines = (tmp_path / "a.csv").read_text().splitlines()
    table = np.array([line.split(",") for line in lines], "float32")
    np.testing.assert_array_equal(table[:, :3], archive["samples"])
    assert first == header and archive.files == ["samples", "labels"][: 1 + (classes is not None)]
    if classes:
        np.testing.assert_array_equal(archive["labels"], model.sample_labels(5, seed=4))
        np.testing.assert_array_equal(table[:, 3], archive["labels"])
    assert {file.name for file in tmp_path.iterdir()} == {"model.keras", "a.npz", "a.csv"}


@pytest.mark.parametrize("classes", [None, 2])
def test_what_is_drawn_beyond_0_and_1_is_clipped_in_a_picture_and_kept_in_an_array(classes, tmp_path):
    path, out, draw = tmp_path / "model.keras", tmp_path / "a.png", ["-n", 4, "--observation", "draw"]
    likelihood = ki.distributions.likelihoods.Gaussian(1.0)
    ki.create("vae", (8, 8, 1), 2, networks="mlp", width=4, classes=classes, likelihood=likelihood).save(path)
    for more in ([], ["--label", 1]) if classes else ([],):
        assert run("sample", path, "--out", out, *draw, *more) == 0
        pixels = tf.io.decode_png(out.read_bytes()).numpy()[:57, -57:]
        assert pixels.min() == 0 and pixels.max() == 255 and len(np.unique(pixels)) > 10
    assert run("sample", path, "--out", tmp_path / "a.npz", *draw) == 0
    samples = np.load(tmp_path / "a.npz")["samples"]
    assert samples.min() < -0.5 and samples.max() > 1.5


@pytest.mark.slow
def test_a_prior_that_cannot_be_fitted_leaves_the_run_as_it_is(finished, killed, gan, capsys):
    before = (finished / "model.keras").read_bytes()
    for arguments, message in (
        ([finished], "Option --prior must be one of .*'gmm', 'normal'.* StandardNormal, cannot"),
        ([finished, "--prior", "gnm"], "Option --prior must be one of .*'gmm', 'normal'.* Did you mean 'gmm'"),
        ([finished / "model.keras"], "Argument RUN must be a run directory"),
        ([killed], "There is no model at .* Training is not done"),
        ([gan, "--prior", "gmm"], "GAN has no encoder, so it cannot fit a prior"),
    ):
        assert run("fit-prior", *arguments) == 2
        assert re.search(message, capsys.readouterr().err), message
    assert (finished / "model.keras").read_bytes() == before
    assert {path.name for path in finished.glob(".*")} <= {".writer.lock", ".writer.json"}  # nothing half written


def test_exports_serve_and_are_not_overwritten(vae, tmp_path, capsys):
    assert run("export", vae, "--out", tmp_path / "served") == 0
    serve = tf.saved_model.load(tmp_path / "served").signatures["serving_default"]
    (images,) = serve(n=tf.constant(3), seed=tf.constant(0)).values()
    assert images.shape == (3, 8, 8, 1)
    assert run("export", vae, "--out", tmp_path / "encoder", "--encoder") == 0
    assert (tmp_path / "encoder/saved_model.pb").is_file()
    assert run("export", vae, "--out", tmp_path / "served") == 2
    assert "not overwritten" in capsys.readouterr().err
    about = info(tmp_path / "served")
    assert (about["system"], about["dataset"], info(tmp_path / "encoder")["dataset"]) == ("vae", "digits", "digits")


def test_an_export_replaces_another_one_when_asked_and_nothing_else(vae, tmp_path, capsys):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "work.txt").write_text("kept")
    assert run("export", vae, "--out", tmp_path / "own", "--overwrite") == 2
    assert run("export", vae, "--out", vae, "--overwrite") == 2
    assert capsys.readouterr().err.count("is something else") == 2
    assert (tmp_path / "own" / "work.txt").read_text() == "kept" and info(vae)["kind"] == "run"
    assert run("export", vae, "--out", tmp_path / "e", "--encoder") == 0
    assert run("export", vae, "--out", tmp_path / "e", "--format", "tflite", "--overwrite") == 0
    assert {path.name for path in (tmp_path / "e").iterdir()} == {"model.tflite", "keras_ijae.json"}


def test_wrong_formats_are_refused_by_the_options_name(vae, tmp_path, capsys):
    assert run("export", vae, "--out", tmp_path / "e", "--format", "torch") == 2
    assert "Option --format must be one of 'savedmodel', 'onnx', 'tflite'" in capsys.readouterr().err
    assert run("export", vae, "--out", tmp_path / "e", "--format", "onnx", "--encoder") == 2
    assert "Option --encoder goes with --format savedmodel" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert run("export", vae, "--out", tmp_path / "file" / "e") == 2
    assert "file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "vea", "--dataset", "digits", "--out", "OUT"], "'vae'"),
        (["train", "vae", "--dataset", "digitz", "--out", "OUT"], "Option --dataset"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--set", "beta"], "KEY=VALUE"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--set", "epochs=3"], "Use --epochs"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--networks", "dcgam"], "dcgan"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--split", "trian"], "Option --split must be one of"),
        (["train", "vae", "--out", "OUT"], "--dataset"),
        (["train", "--recipe", "ijea_mnist", "--out", "OUT"], "ijae_mnist"),
        (["train", "--resume", "--out", "OUT"], "no config.json"),
        (["train", "vae", "--dataset", "digits", "--out", "FILE"], "is a file"),
        (["train", "vae", "--dataset", "digits", "--out", "/proc/x"], "Option --out must be a directory that can be"),
        (["export", "GAN", "--out", "/proc/x"], "Option --out must be a directory that can be written to"),
        (["sample", "GAN", "--out", "/proc/x.png"], "Option --out must be in a directory that can be written to"),
        (["report", "GAN", "--out", "/proc/x.html"], "Option --out must be in a directory that can be written to"),
        (["train-classifier", "--dataset", "digits", "--out", "/proc/x.keras"], "Option --out must be in a directory"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--set", "latentdim=4"], "Did you mean --latent-dim?"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--set", "beta=abc"], "Option --set beta must be"),
        (
            ["train", "vae", "--dataset", "digits", "--out", "OUT", "--set", 'prior={"class_name": "X", "config": {}}'],
            "Option --set prior must be a `Prior`",
        ),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--learning-rate", "-1"], "Option --learning-rate"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--seed", "-1"], "Option --seed must be an integer"),
        (["train", "vae", "--dataset", "digitz", "--out", "OUT"], "Received: 'digitz'. Did you mean 'digits'?"),
        (["sample", "GAN", "--out", "FILE"], "Option --out must name a file that ends in .png or .npz or .csv"),
        (["sample", "GAN", "--out", "OUT/x.csv"], "makes images of shape (8, 8, 1), and a .csv has vectors"),
        (["sample", "GAN", "--out", "OUT/x.npz", "--columns", "2"], "Option --columns is of pictures"),
        (["reconstruct", "GAN", "--out", "FILE"], "Option --out must name a file that ends in .png. Received"),
        (["train", "--resume", "--overwrite", "--out", "OUT"], "--resume goes with neither --overwrite"),
        (["train", "vae", "--dataset", "digits", "--out", "OUT", "--import", "nowhere"], "--import must name a module"),
        (["evaluate", "OUT"], "Nothing exists at"),
        (["sample", "OUT"], "Nothing exists at"),
        (["sample", "FILE"], "Argument MODEL must be a .keras file"),
        (["reconstruct", "GAN", "--split", "tset"], "Option --split"),
        (["interpolate", "GAN", "--out", "OUT/x.png"], "encoder"),
        (["interpolate", "GAN", "--split", "test[:1]", "--out", "OUT/x.png"], "Option --split must hold at least two"),
        (["train-classifier", "--dataset", "digits", "--out", "FILE"], "Option --overwrite allows to replace it"),
        (
            ["train-classifier", "--dataset", "digits", "--data", "split=test", "--out", "FILE", "--overwrite"],
            "Option --data must have names of",
        ),
    ],
)
def test_errors_are_one_clear_line_and_exit_code_2(arguments, message, tmp_path, capsys, gan):
    (tmp_path / "file.keras").write_text("no model")
    capsys.readouterr()
    places = {"OUT": tmp_path / "out", "FILE": tmp_path / "file.keras", "GAN": gan}
    assert run(*(places.get(argument, argument) for argument in arguments)) == 2
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert shown[0].startswith("error: ") and message in shown[0]


def test_an_error_leaves_no_run_behind(tmp_path):
    assert run("train", "vae", "--dataset", "digitz", "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out/config.json").exists()


def test_settings_are_read_as_json_words_or_text():
    given = ["lam=0.3", "steps=2", "on=True", "off=false", "none=None", "shape=[2, 3]", "prior=uniform", "text=a=b"]
    assert settings.parse("--set", ["a=.5", "b=1.", "c=+1", "d=1e-3"]) == {"a": 0.5, "b": 1.0, "c": 1, "d": 1e-3}
    assert settings.parse("--set", given) == {
        "lam": 0.3,
        "steps": 2,
        "on": True,
        "off": False,
        "none": None,
        "shape": [2, 3],
        "prior": "uniform",
        "text": "a=b",
    }


def test_only_the_epochs_of_a_run_may_change():
    recorded = Recipe(system="vae", dataset="digits", epochs=3, arguments={"beta": 2})
    assert settings.resumed_recipe(recorded, epochs=5, arguments={}) == dataclasses.replace(recorded, epochs=5)
    with pytest.raises(ValueError, match="--set is .*'beta': 2.* there, received: .*'beta': 3"):
        settings.resumed_recipe(recorded, arguments={"beta": 3})
    with pytest.raises(ValueError, match="--split is None there, received: 'train\\[:9\\]'"):
        settings.resumed_recipe(recorded, split="train[:9]")


# Modules of one's own -------------------------------------------------------------------------------------


OWN = """
import keras
import keras_ijae as ki

@keras.saving.register_keras_serializable("NAME")
class OwnVAE(ki.models.VAE):
    pass
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The name of a module in the current directory; it registers a class and has not been imported."""
    name = f"own_{tmp_path.name}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    (tmp_path / f"{name}.py").write_text(OWN.replace("NAME", name))
    yield name
    sys.modules.pop(name, None)


def test_a_model_of_ones_own_class_is_loaded_with_its_module(own, tmp_path, capsys):
    made = ki.create("vae", data_shape=(8, 8, 1), latent_dim=2, width=4)
    path = tmp_path / "own.keras"
    import_own([own])
    sys.modules.pop(own).OwnVAE(**made.networks).save(path)
    sys.path.remove(str(tmp_path))
    keras.saving.get_custom_objects().pop(f"{own}>OwnVAE")
    assert run("sample", path) == 2
    assert "a class OwnVAE: name the module that defines it by --import" in capsys.readouterr().err
    assert run("sample", path, "--import", own, "-n", 2, "--out", "own.png") == 0
    assert (tmp_path / "own.png").is_file()


IMPORTING = ["train", "systems", "evaluate", "sample", "reconstruct", "interpolate", "export", "fit-prior", "report"]


@pytest.mark.parametrize("command", IMPORTING)
def test_modules_are_imported_before_anything_else(command, own, capsys):
    assert run(command, "--import", own, *(["nothing"] if command not in ("train", "systems") else [])) in (0, 2)
    assert own in sys.modules


def test_a_module_that_fails_is_an_error_of_one_line(own, tmp_path, capsys):
    (tmp_path / f"{own}.py").write_text("import not_installed_anywhere")
    assert run("systems", "--import", own) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: Option --import {own} fails. ModuleNotFoundError: ") and "not_installed" in line


@pytest.mark.parametrize("name", ["../examples/own_system.py", "./own.py", "own_system.py", ".", "", "nowhere"])
def test_a_name_that_is_no_modules_is_refused_in_words(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("systems", "--import", name) == 2
    (line,) = capsys.readouterr().err.splitlines()
    wanted = "must name a module in the current directory or on Python's path, without .py."
    assert line == f"error: Option --import {wanted} Received: {name}".rstrip()


def test_modules_are_not_part_of_a_run_but_of_the_command_that_goes_on(own, tmp_path, monkeypatch):
    seen = []

    def run_training(recipe, run, again, overwrite):
        seen.append((recipe, again))
        return types.SimpleNamespace(data_shape=(8, 8, 1), awaits_fit=False)

    monkeypatch.setattr(train, "run_training", run_training)
    assert run("train", "vae", "--dataset", "digits", "--out", tmp_path / "run", "--import", own) == 0
    ((recipe, again),) = seen
    assert own not in str(dataclasses.asdict(recipe))
    assert again == f"keras-ijae train --resume --out {tmp_path / 'run'} --import {own}"


# Demo -----------------------------------------------------------------------------------------------------


def test_the_recipe_of_the_demo_makes_its_model():
    assert build(RECIPES["ijae_digits"], (8, 8, 1)).latent_dim == RECIPES["ijae_digits"].latent_dim


@pytest.mark.slow
def test_the_demo_measures_draws_and_exports(vae, tmp_path, capsys, monkeypatch):
    def trained(recipe, run, again):
        return ki.load_model(shutil.copytree(vae, run.path, dirs_exist_ok=True) / "model.keras")

    monkeypatch.setattr(demo, "run_training", trained)
    assert run("demo", "--out", tmp_path / "demo") == 0
    files = {path.name for path in (tmp_path / "demo").iterdir()}
    assert files >= {"config.json", "model.keras", "saved_model", "samples.png", "reconstructions.png"}
    assert files >= {"interpolations.png", "history.csv", "logs", "metrics.json", "report.html"}
    metrics = json.loads((tmp_path / "demo/metrics.json").read_text())
    assert metrics["judge_accuracy"] >= 0.97
    assert sum(metrics["class_shares"]) == pytest.approx(1)
    shown = capsys.readouterr().out
    assert "right on held-out" in shown and "saved_model" in shown
    assert shown.rstrip().endswith(f"All of it on one page: {tmp_path / 'demo/report.html'}")
    page = (tmp_path / "demo/report.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert "judge: right on held-out digits" in page and "judge_accuracy" not in page


def test_an_interrupted_demo_goes_on_and_a_complete_one_stays(tmp_path, monkeypatch, capsys):
    metrics = dict.fromkeys(WORDS, 0.5) | {"samples": 1, "class_shares": [1.0]}
    trained = []
    monkeypatch.setattr(demo, "run_training", lambda recipe, run, again: trained.append(run.path.name))
    monkeypatch.setattr(demo, "finish", lambda model, recipe, run: metrics)
    for name, complete in {"interrupted": False, "complete": True}.items():
        RunDirectory(tmp_path / name).write_recipe(RECIPES["ijae_digits"], {})
        if complete:
            (tmp_path / name / "report.html").touch()
        assert run("demo", "--out", tmp_path / name) == 0
    assert trained == ["interrupted", "complete-2"]
    assert "Resuming" in capsys.readouterr().out
