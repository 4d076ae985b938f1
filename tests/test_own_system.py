"""A system of a user's own is one class and one entry: everything that works with ours works with it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Unpack

import keras
import numpy as np
import pytest
from systems import BATCH, dataset, images, same, train, weights

import keras_ijae as ki
from keras_ijae.game import ENTRIES, Preset, Role
from keras_ijae.game.arguments import check_types
from keras_ijae_cli import main

EXAMPLES = Path(__file__).parents[1] / "examples"


def loaded(example):
    """The module of an example."""
    spec = importlib.util.spec_from_file_location(example, EXAMPLES / f"{example}.py")
    sys.modules[example] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def own():
    """The example's module; its entry goes when the tests are done."""
    yield loaded("own_system")
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
        (("class", "SparseAE"), "`name` must be an identifier, .* and no word of Python's. Received: name='class'"),
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
    with pytest.raises(ValueError, match=r"Unknown arguments \['sparse'\] of SparseAE. Did you mean 'sparsity'"):
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


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"latent_dim": 3}, "`latent_dim` must be given for each model, .* Received: latent_dim=3"),
        ({"data_shape": (8, 8, 1)}, "`data_shape` must be given for each model"),
        ({"preset": "paper"}, "`preset` must be given for each model"),
        ({"decoder": keras.Sequential()}, "`decoder` must be given for each model"),
        ({"beta": "large"}, "`beta` must be of type float. Received: beta='large'"),
        ({"beta": True}, "`beta` must be of type float. Received: beta=True"),
        ({"free_bits": "none"}, "`free_bits` must be of type float or None. Received: free_bits='none'"),
        ({"warm_up_steps": 1.5}, "`warm_up_steps` must be of type int. Received: warm_up_steps=1.5"),
        ({"help": 3}, "`help` must be one line of text. Received: help=3"),
        ({"help": "two\nlines"}, "`help` must be one line of text"),
        ({"presets": {3: None}}, "`presets` must map names to a `Preset` or None"),
    ],
)
def test_what_a_name_cannot_fix_is_refused_when_it_is_registered(fixed, message):
    with pytest.raises(ValueError, match=message):
        ki.register("my_vae", ki.models.VAE, **{"help": "mine", **fixed})
    assert "my_vae" not in ENTRIES


def test_an_error_about_what_a_name_fixes_says_that_it_does():
    ki.register("my_vae", ki.models.VAE, help="mine", beta=-1, free_bits=None)
    try:
        with pytest.raises(ValueError, match="`beta` must be .* >= 0. Received: beta=-1. The name 'my_vae' fixes beta"):
            ki.create("my_vae", **SIZES)
        with pytest.raises(ValueError, match="Received: beta=-2$"):
            ki.create("my_vae", **SIZES, beta=-2)
        assert float(ki.create("my_vae", **SIZES, beta=2).beta) == 2
    finally:
        ENTRIES.pop("my_vae")


def test_a_class_whose_files_keras_could_not_load_is_refused():
    class Unregistered(ki.models.VAE):
        pass

    for refused in (lambda: ki.register("my_vae", Unregistered, help="mine"), lambda: ki.create(Unregistered, **SIZES)):
        with pytest.raises(ValueError, match="`system` must be registered with Keras.*@keras.saving.register_keras"):
            refused()
    with keras.saving.custom_object_scope({"Unregistered": Unregistered}):
        assert type(ki.create(Unregistered, **SIZES)) is Unregistered


def test_the_guide_lists_every_public_role_with_what_it_takes_and_gives():
    guide = (EXAMPLES.parent / "docs" / "guides" / "system.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line.split("|")[2:5] for line in guide.splitlines() if line.startswith("| `")}
    public = {name: getattr(ki.game.roles, name) for name in ki.game.roles.__all__ if name.isupper()}
    assert rows.keys() == public.keys() == {name for name, role in vars(ki.game.roles).items() if type(role) is Role}
    for name, role in public.items():
        named, takes, gives = rows[name]
        assert named.strip() == f"`{role.name}`" and re.findall(r"\b[xz]\b", takes) == list(role.sees)
        assert gives.strip().startswith({"z": "z", "x": "x", "logit": "a "}[role.gives])


# An existing system with one argument more --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short():
    """The module of the example; its entry goes when the tests are done."""
    yield loaded("own_argument")
    ENTRIES.pop("short_vae"), sys.modules.pop("own_argument")


def test_an_untyped_rest_is_all_that_the_class_above_takes():
    class Positional(ki.models.GAN):
        def __init__(self, *args, own=2, objective="other", **rest):
            super().__init__(*args, objective=objective, **rest)

    own, above = ki.game.arguments_of(Positional), ki.game.arguments_of(ki.models.GAN)
    assert own == {**above, "own": 2, "objective": "other"} and "args" not in own


def test_a_system_with_one_argument_more_takes_those_of_the_class_above_too(short):
    model = ki.create("short_vae", **SIZES, beta=2.0, posterior="full")
    assert (float(model.shortness), float(model.beta)) == (0.5, 2)
    assert float(ki.create(short.ShortVAE, **SIZES, shortness=3).shortness) == 3
    with pytest.raises(ValueError, match="`shortness` must be a finite number >= 0. Received: shortness=-1"):
        ki.create("short_vae", **SIZES, shortness=-1)


def test_its_argument_weighs_its_term_and_is_kept_by_files_from_which_it_goes_on(short, tmp_path):
    model = ki.create("short_vae", **SIZES)
    model.compile(run_eagerly=True)
    logs = train(model, dataset(images(BATCH))).history
    own = logs["auto_encoder_loss"][0] + logs["elbo_nats_sum"][0]
    assert own == pytest.approx(0.5 * logs["code_l1_sum"][0], rel=1e-3) and own > 0
    model.shortness.assign(0.25)
    model.save(tmp_path / "own.keras")
    again = ki.load_model(tmp_path / "own.keras")
    assert float(again.shortness) == again.get_config()["shortness"] == 0.25
    train(model, dataset(images(BATCH))), train(again, dataset(images(BATCH)))
    same(weights(model), weights(again))


def test_an_argument_that_is_not_kept_is_said_before_training():
    @keras.saving.register_keras_serializable("test_own_system")
    class Forgetful(ki.models.VAE):
        def __init__(self, *, extra=1.0, **vae):
            super().__init__(**vae)

    with pytest.raises(ValueError, match="Forgetful must keep its argument `extra`.* set `self.extra`"):
        ki.create(Forgetful, **SIZES).compile()


def test_a_class_that_does_not_hand_on_its_networks_is_refused_with_the_remedy():
    @keras.saving.register_keras_serializable("test_own_system")
    class Narrow(ki.models.VAE):
        def __init__(self, *, extra=1.0, **rest: Unpack[ki.models.Common]):
            self.extra = extra
            super().__init__(**rest)

    with pytest.raises(ValueError, match=r"take its networks \['encoder', 'decoder'\].*`\*\*rest` without a type"):
        ki.create(Narrow, **SIZES)


def test_what_a_class_does_not_take_of_the_one_above_has_the_default_of_that_one():
    @keras.saving.register_keras_serializable("test_own_system")
    class Fixed(ki.models.VAE):
        def __init__(self, *, encoder, decoder, **rest: Unpack[ki.models.Common]):
            super().__init__(encoder=encoder, decoder=decoder, **rest)

    assert ki.create(Fixed, **SIZES).encoder.output_shape == (None, 6)  # a mean and a deviation for each of 3


def test_an_argument_called_origin_is_saved_as_any_other(tmp_path):
    @keras.saving.register_keras_serializable("test_own_system")
    class Placed(ki.models.VAE):
        def __init__(self, *, origin=3, **vae):
            self.origin = origin
            super().__init__(**vae)

    ki.create(Placed, **SIZES, origin=7).save(tmp_path / "placed.keras")
    assert ki.load_model(tmp_path / "placed.keras").origin == 7


def test_annotations_that_type_checkers_alone_can_resolve_pass_and_the_others_are_checked():
    @keras.saving.register_keras_serializable("test_own_system")
    class Hinted(ki.models.VAE):
        def __init__(self, *, where: "PathLike | None" = None, times: "int" = 1, **vae):  # noqa: F821
            self.where, self.times = where, times
            super().__init__(**vae)

    assert ki.create(Hinted, **SIZES, where="here").where == "here"
    with pytest.raises(ValueError, match="`times` must be of type int. Received: times='x'"):
        check_types(Hinted, {"where": "anything", "times": "x"})
