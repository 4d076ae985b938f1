"""The short scripts of examples/, and the Python of README.md, run as they stand and leave what they promise."""

import ast
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_ijae as ki

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a script by its name, in an empty directory; returns its variables."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    return run


def pngs(directory):
    """Names of the pictures there, all of them whole."""
    paths = list(Path(directory).glob("*.png"))
    assert all(tf.io.decode_png(path.read_bytes()).shape[0] > 50 for path in paths)
    return sorted(path.stem for path in paths)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_is_short_and_listed(path):
    assert len(path.read_text().splitlines()) < 60
    assert f"]({path.name})" in (EXAMPLES / "README.md").read_text()
    assert f"python examples/{path.name}" in ast.get_docstring(ast.parse(path.read_text()))
    named = rf'"{path.stem}"|{path.name}'
    assert re.search(named, Path(__file__).read_text()), "each example is run by a test"


@pytest.mark.slow
def test_digits_are_trained_on_and_drawn(run):
    run("digits", "--epochs", 1)
    out = Path("runs/examples/digits")
    assert pngs(out) == ["interpolations", "reconstructions", "samples", "samples-0001"]
    assert keras.models.load_model(out / "model.keras").sample(2).shape == (2, 8, 8, 1)


@pytest.mark.slow
def test_any_system_trains_on_the_digits(run):
    run("digits", "--epochs", 1, "--system", "gan", "--out", "here")
    assert pngs("here") == ["samples", "samples-0001"]  # no encoder, so nothing to reconstruct


@pytest.mark.slow
def test_labels_are_learnt_and_drawn(run, capsys):
    found = run("conditional", "--epochs", 1)
    out = Path("runs/examples/conditional")
    assert pngs(out) == ["samples", "samples-0001"] and (out / "served" / "saved_model.pb").is_file()
    assert found["model"].classes == 10 and found["threes"].shape == (64, 8, 8, 1)
    assert "for the digit that was asked for" in capsys.readouterr().out


@pytest.mark.slow
def test_the_label_of_an_image_is_exchanged(run):
    run("conditional", "--epochs", 1, "--system", "vae")
    assert pngs("runs/examples/conditional") == ["samples", "samples-0001", "styles"]


@pytest.mark.slow
def test_own_networks_are_trained_and_saved(run):
    found = run("own_networks", "--epochs", 1)
    out = Path("runs/examples/own_networks")
    model = ki.load_model(out / "model.keras")
    assert pngs(out) == ["samples"] and found["model"].encoder is found["encoder"]
    assert [type(layer).__name__ for layer in model.encoder.layers].count("Conv2D") == 2
    assert float(found["model"].optimizer.by_move["discriminator"].learning_rate) == pytest.approx(2e-4)


@pytest.mark.slow
def test_own_images_are_trained_on(run, tmp_path):
    (tmp_path / "mine" / "some").mkdir(parents=True)
    for number, image in enumerate(np.random.default_rng(0).integers(0, 256, (20, 9, 12, 3), dtype=np.uint8)):
        (tmp_path / "mine" / "some" / f"{number}.png").write_bytes(tf.io.encode_png(image).numpy())
    found = run("own_images", tmp_path / "mine", "--size", 8, "--batch-size", 6, "--epochs", 1)
    assert found["model"].data_shape == (8, 8, 3) and int(found["model"].steps) == 3  # 18 images of 20
    assert pngs("runs/examples/own_images") == ["reconstructions", "samples", "samples-0001"]


@pytest.mark.slow
def test_models_are_scored_by_a_classifier(run):
    run("scores", "--epochs", 1, "--classifier-epochs", 1)
    found = [json.loads(Path(f"runs/examples/scores/{system}.json").read_text()) for system in ("vae", "wae_mmd")]
    for side in ("gen", "rec"):
        first, second = (scores[f"{side}/frechet_distance[digits-classifier]"] for scores in found)
        assert first["weights"] == second["weights"] and first["value"] != second["value"]


@pytest.mark.slow
def test_training_continues_where_it_stopped(run, capsys):
    run("resume", "--epochs", 1)
    run("resume", "--epochs", 3)
    assert "1 epochs are done, 2 are to come" in capsys.readouterr().out
    out = Path("runs/examples/resume")
    never_stopped = run("resume", "--epochs", 3, "--out", "other")["model"]
    for weight, other in zip(ki.load_model(out / "model.keras").weights, never_stopped.weights, strict=True):
        np.testing.assert_array_equal(weight, other, err_msg=weight.path)
    assert (out / "history.csv").read_text() == Path("other/history.csv").read_text()


@pytest.mark.slow
def test_an_exported_model_is_called_without_the_package(run, capsys):
    model = run("export", "--epochs", 1)["model"]
    found = run("call_exported")
    np.testing.assert_allclose(found["images"], model.sample(16, seed=7), atol=1e-5)
    np.testing.assert_allclose(found["codes"], model.encode(found["images"].numpy()), atol=1e-5)
    tree = ast.parse((EXAMPLES / "call_exported.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"argparse", "tensorflow"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
    assert "(16, 8, 8, 1)" in capsys.readouterr().out


@pytest.mark.slow
def test_an_encoder_is_reused_frozen_and_tuned(run, capsys):
    found = run("reuse_encoder", "--epochs", 1, "--classifier-epochs", 1)
    frozen, tuned = (found[name].module.variables for name in ("frozen", "tuned"))
    exported = tf.saved_model.load("runs/examples/reuse_encoder/encoder").variables
    assert all(np.array_equal(a, b) for a, b in zip(frozen, exported, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(tuned, exported, strict=True))
    assert re.findall(r"  (.*): \d+\.\d%", capsys.readouterr().out) == ["pixels", "codes", "codes, fine-tuned"]


@pytest.mark.slow
def test_two_replicas_train(tmp_path):
    """In a process of its own: a second strategy over the devices of another mixes up their messages."""
    script = [sys.executable, str(EXAMPLES / "two_replicas.py"), "--epochs", "1"]
    done = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 replicas" in done.stdout and pngs(tmp_path / "runs/examples/two_replicas") == ["samples"]


def test_a_system_of_ones_own_trains_and_is_saved(run):
    run("own_system", "--epochs", 1)
    ki.game.ENTRIES.pop("sparse_ae")
    assert Path("runs/examples/own_system/model.keras").is_file()


@pytest.mark.slow
def test_a_system_with_one_argument_more_trains_and_is_saved(run):
    model = run("own_argument", "--epochs", 1)["model"]
    ki.game.ENTRIES.pop("short_vae")
    assert Path("runs/examples/own_argument/model.keras").is_file() and float(model.shortness) == 0.5


@pytest.mark.slow
def test_distributions_of_ones_own_are_trained_saved_and_served(run):
    model = run("own_distributions", "--epochs", 1)["model"]
    assert model.moves[0].networks == ("encoder", "decoder", "posterior_family", "prior")
    assert all(np.abs(weight).max() > 0 for weight in (model.prior.log_scale.numpy(), model.posterior_family.shear))
    out = Path("runs/examples/own_distributions")
    loaded, x = keras.models.load_model(out / "model.keras"), np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    served = tf.saved_model.load(str(out / "served")).signatures
    codes = served["sample_codes"](n=tf.constant(20), seed=tf.constant(7))["codes"]
    np.testing.assert_array_equal(loaded.endpoints.codes_of_samples(20, 7), codes)
    np.testing.assert_array_equal(model.prior.sample(20, 7), codes)
    np.testing.assert_allclose(served["encode"](x=x)["codes"], model.encode(x), atol=1e-5)
    np.testing.assert_allclose(loaded.elbo(x), model.elbo(x), rtol=1e-5)
    assert (model.importance_weighted_bound(x) > model.elbo(x)).all() and loaded.sample(2, observation="draw").shape


@pytest.mark.slow
def test_the_python_of_the_readme_runs(run, tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for old, new in {'"mnist"': '"digits"', "(28, 28, 1), l": "(8, 8, 1), l", "epochs=10": "epochs=1"}.items():
        assert old in block
        block = block.replace(old, new)
    found: dict = {}
    exec(block, found)
    assert found["images"].shape == found["again"].shape == (64, 8, 8, 1) and found["codes"].shape == (64, 16)
    assert pngs("grids") == ["samples-0001"] and (tmp_path / "served" / "1" / "saved_model.pb").is_file()
    assert keras.models.load_model("model.keras").name == "ijae"
