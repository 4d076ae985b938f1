"""A system of a user's own is one class and one entry: everything that works with ours works with it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from systems import BATCH, dataset, images, same, train, weights

import keras_ijae as ki
from keras_ijae.game import ENTRIES, Preset
from keras_ijae_cli import main

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def own():
    """The example's module; its entry goes when the tests are done."""
    spec = importlib.util.spec_from_file_location("own_system", EXAMPLES / "own_system.py")
    sys.modules["own_system"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    ENTRIES.pop("sparse_ae"), sys.modules.pop("own_system")


SIZES = {"data_shape": (8, 8, 1), "latent_dim": 3, "networks": "mlp", "width": 8}


def test_it_is_listed_and_made_by_name_and_by_class(own):
    assert ki.list_models()["sparse_ae"] == "an auto-encoder with sparse codes"
    for system in ("sparse_ae", own.SparseAE):
        model = ki.create(system, **SIZES, sparsity=0.5, seed=3)
        assert type(model) is own.SparseAE and set(model.networks) == {"encoder", "decoder"}
        assert (float(model.sparsity), model.seed, model.ema) == (0.5, 3, None)
    with pytest.raises(ValueError, match=r"Unknown arguments \['sparsty'\] of SparseAE. Did you mean 'sparsity'"):
        ki.create("sparse_ae", **SIZES, sparsty=0.5)
    with pytest.raises(ValueError, match="`sparsity` must be a finite number >= 0. Received: sparsity=-1"):
        ki.create("sparse_ae", **SIZES, sparsity=-1)


def test_it_trains_logs_validates_saves_loads_and_continues(own, tmp_path):
    model = ki.create("sparse_ae", **SIZES)
    model.compile(run_eagerly=True)
    history = train(model, dataset(images(2 * BATCH)), validation_data=dataset(images(BATCH))).history
    assert {"auto_encoder_loss", "code_l1_sum", "val_loss", "val_squared_error_sum"} <= set(history)
    model.save(tmp_path / "own.keras")
    again = ki.load_model(tmp_path / "own.keras")
    same(weights(model), weights(again))
    train(model, dataset(images(BATCH))), train(again, dataset(images(BATCH)))
    same(weights(model), weights(again))
    np.testing.assert_array_equal(model.sample(3), again.sample(3))
    model.export(tmp_path / "served")


@pytest.mark.slow
def test_the_command_finds_it_through_import_and_says_so_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    run, options = str(tmp_path / "run"), ["--networks", "mlp", "--width", "8", "--epochs", "1"]
    own = [sys.executable, "-m", "keras_ijae", "train", "sparse_ae", "--import", "own_system", "--dataset", "digits"]
    done = subprocess.run([*own, "--out", run, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    of_tensorflow = re.compile(r"^[EWI]\d{4} |remapper|oneDNN|cuda", re.MULTILINE | re.IGNORECASE)
    assert not of_tensorflow.search(done.stdout + done.stderr), done.stderr
    picture = str(tmp_path / "samples.png")
    without = subprocess.run(
        [sys.executable, "-m", "keras_ijae", "sample", run, "--out", picture], capture_output=True, text=True
    )
    assert without.returncode == 2 and "--import" in without.stderr and not Path(picture).exists()


def test_the_command_samples_from_it(own, tmp_path, monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    ki.create("sparse_ae", **SIZES).save(tmp_path / "own.keras")
    with pytest.raises(SystemExit) as end:
        main(["sample", str(tmp_path / "own.keras"), "--import", "own_system", "--out", str(tmp_path / "samples.png")])
    assert end.value.code in (0, None) and (tmp_path / "samples.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gan", "SparseAE"), "`name` must be new. Received: 'gan', which is GAN"),
        (("no name", "SparseAE"), "`name` must be an identifier"),
        (("other", int), "`system` must be a subclass of Game that declares ROLES. Received: <class 'int'>"),
        (("other", ki.models.Game), "`system` must be a subclass of Game that declares ROLES"),
    ],
)
def test_an_entry_that_is_none_is_refused(own, arguments, message):
    name, system = arguments
    with pytest.raises(ValueError, match=message):
        ki.register(name, own.SparseAE if system == "SparseAE" else system, help="mine")
    assert ki.list_models().keys() == ENTRIES.keys() and ENTRIES["gan"].system is ki.models.GAN


def test_an_entry_fixes_arguments_that_its_system_takes_before_networks_are_chosen(own):
    with pytest.raises(ValueError, match=r"SparseAE does not take the arguments \['sparse'\]"):
        ki.register("sparser_ae", own.SparseAE, help="mine", sparse=2.0)
    ki.register("laplace_vae", ki.models.VAE, help="mine", likelihood="laplace", posterior="full")
    try:
        model = ki.create("laplace_vae", **SIZES)
    finally:
        ENTRIES.pop("laplace_vae")
    assert model.encoder.output_shape == (None, 9)  # 3 means and the 6 values of a triangle
    assert model.sample(2).min() >= 0 and model.decoder.layers[-1].get_config()["target_shape"] == (8, 8, 1)


def test_a_name_has_presets_of_its_own_before_those_of_its_class_and_before_what_it_fixes(tmp_path):
    mine = Preset(lambda model: {"auto_encoder": keras.optimizers.SGD(0.25)}, arguments={"beta": 2.0})
    presets = {"paper": mine, "resnet": None}
    ki.register("laplace_vae", ki.models.VAE, "mine", presets, likelihood="laplace", beta=3.0)
    try:
        made = ki.create("laplace_vae", **SIZES, preset="paper")
        assert (float(made.beta), type(made.likelihood).__name__) == (2.0, "Laplace")
        assert float(ki.create("laplace_vae", **SIZES, preset="paper", beta=4.0).beta) == 4
        made.save(tmp_path / "model.keras")
        loaded = ki.load_model(tmp_path / "model.keras")
        loaded.compile()
        assert type(loaded.optimizer.optimizers[0]) is keras.optimizers.SGD
        with pytest.raises(ValueError, match="`preset` must be one of 'paper'. Received: preset='resnet'"):
            ki.create("laplace_vae", **SIZES, preset="resnet")
    finally:
        ENTRIES.pop("laplace_vae")
    for wrong in (3, {"paper": "paper"}):
        with pytest.raises(ValueError, match="`presets` must map names to a `Preset` or None. Received: presets="):
            ki.register("laplace_vae", ki.models.VAE, "mine", wrong)


def test_an_untyped_rest_of_arguments_is_refused():
    class Untyped(ki.models.GAN):
        def __init__(self, **rest):
            super().__init__(**rest)

    with pytest.raises(TypeError, match=r"Untyped.__init__ must type \*\*rest"):
        ki.game.arguments_of(Untyped)
