"""What `info` reads of runs, `.keras` files and exports, and what it says of damaged, hostile and foreign ones."""

import csv
import dataclasses
import json
import re
import zipfile
from pathlib import Path

import command
import keras
import pytest
import tensorflow as tf
from systems import VARIANTS, create

import keras_ijae as ki
from keras_ijae.game import metadata
from keras_ijae.game.config import ORIGIN
from keras_ijae.game.versions import version
from keras_ijae.report import facts
from keras_ijae.training import Recipe, RunDirectory, info, progress
from keras_ijae.training.trainer import train
from keras_ijae_cli import tables, use


def shown(*arguments):
    return command.run("info", *arguments)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory as one that has trained three of five epochs, and the same model exported from it."""
    path = tmp_path_factory.mktemp("info") / "run"
    recipe = Recipe(system="ae_gmm", dataset="digits", latent_dim=2, epochs=5, arguments={"ema": 0.9})
    RunDirectory(path).write_recipe(recipe, {"keras": "3.15.1"})
    (path / "history.csv").write_text("epoch,loss\n1,3\n2,2\n3,1\n")
    model = create("gmm_vae")
    model.steps.assign(7)
    model.save(path / "model.keras")
    model.export_encoder(path.parent / "encoder", about={"dataset": "digits"})
    return path


def test_a_run_says_what_was_trained_and_how_far_it_is(run):
    found = info(run)
    assert found["kind"] == "run" and found["epochs"] == [3, 5] and found["dataset"] == "digits"
    assert (found["system"], found["arguments"], found["versions"]) == ("ae_gmm", {"ema": 0.9}, {"keras": "3.15.1"})
    assert found["data_shape"] == [8, 8, 1] and found["prior"] == "LearnedMixture"
    model = ki.load_model(run)
    assert found["steps"] == 7 and found["parameters"] == metadata.parameters(model)
    assert found["parameters"] == sum(part.count_params() for part in (*model.networks.values(), model.prior))


def test_a_run_without_a_model_says_what_is_known(run, tmp_path):
    RunDirectory(tmp_path).write_recipe(RunDirectory(run).read_recipe(), {})
    assert info(tmp_path) | {"versions": 0} == info(run) | {
        "epochs": [0, 5],
        **dict.fromkeys(("data_shape", "prior", "parameters", "steps")),
        "versions": 0,
    }


def test_a_run_with_damaged_files_says_the_rest_and_which_they_are(run, tmp_path, capsys):
    RunDirectory(tmp_path).write_recipe(RunDirectory(run).read_recipe(), {"keras": "3.15.1"})
    (tmp_path / "model.keras").write_text("{,")
    (tmp_path / "history.csv").write_text("epoch,loss\nten,3\n")
    found = info(tmp_path)
    of_model, of_history = found["damaged"]
    assert "model.keras" in of_model and "history.csv is not the history of a run" in of_history
    assert (found["system"], found["latent_dim"], found["steps"], found["epochs"]) == ("ae_gmm", 2, None, [None, 5])
    assert shown(tmp_path, "--csv") == 0 and "model.keras" in capsys.readouterr().out
    assert "damaged" not in info(run)


def test_a_keras_file_says_what_it_is_and_in_its_run_what_it_was_trained_on(run, tmp_path):
    (tmp_path / "alone.keras").write_bytes((run / "model.keras").read_bytes())
    alone, inside = info(tmp_path / "alone.keras"), info(run / "model.keras")
    versions = {"keras_ijae": version(), "keras": keras.__version__}
    assert alone["kind"] == "keras" and alone["latent_dim"] == 2 and alone["versions"] == versions
    assert (alone["system"], alone["dataset"]) == ("gmm_vae", None)
    assert (inside["system"], inside["dataset"]) == ("ae_gmm", "digits")


@pytest.fixture(scope="module")
def digits():
    """A model that `fit` has trained on a data set with a name."""
    model = create("flow_vae")
    model.compile(run_eagerly=True)
    model.fit(ki.datasets.load("digits", batch_size=750), steps_per_epoch=1, verbose=0)
    return model


def test_a_model_keeps_its_name_its_data_and_the_version_through_files_and_exports(digits, tmp_path):
    digits.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert (loaded.created_as, loaded.trained_on) == ("flow_vae", "digits")
    loaded.save(tmp_path / "again.keras")
    loaded.export(tmp_path / "served")
    for path in ("m.keras", "again.keras", "served"):
        found = info(tmp_path / path)
        assert (found["system"], found["dataset"]) == ("flow_vae", "digits")
        assert found["versions"]["keras_ijae"] == version() and found["data_shape"] == [8, 8, 1]


def test_files_of_a_model_name_its_data_without_directories_and_its_run_with_them(run, tmp_path):
    name = "folder:/home/someone/private"
    recipe = dataclasses.replace(RunDirectory(run).read_recipe(), dataset=name)
    RunDirectory(tmp_path / "run").write_recipe(recipe, {})
    model = create("gmm_vae")
    model.trained_on = name
    model.save(tmp_path / "run" / "model.keras")
    model.export_encoder(tmp_path / "exported")
    use.export(tmp_path / "run", tmp_path / "by_command", "savedmodel", encoder=True, overwrite=False)
    with zipfile.ZipFile(tmp_path / "run" / "model.keras") as archive:
        assert json.loads(archive.read("config.json"))["config"][ORIGIN]["dataset"] == "folder:private"
    for exported in ("exported", "by_command"):
        assert info(tmp_path / exported)["dataset"] == "folder:private"
    files = [path for path in tmp_path.rglob("*") if path.is_file() and b"someone" in path.read_bytes()]
    assert files == [RunDirectory(tmp_path / "run").config]
    for path in ("run", "run/model.keras"):
        assert info(tmp_path / path)["dataset"] == RunDirectory(tmp_path / "run").read_recipe().dataset == name


def test_data_without_a_name_are_unknown_and_a_class_is_told_where_there_was_no_name(digits, tmp_path, capsys):
    twin = type(digits)(**{role: getattr(digits, role) for role in digits.networks}, prior="normal")
    twin.compile(run_eagerly=True)
    twin.fit(ki.datasets.load("digits", batch_size=750).map(lambda x: x), steps_per_epoch=1, verbose=0)
    twin.save(tmp_path / "m.keras")
    found = info(tmp_path / "m.keras")
    assert (found["system"], found["dataset"]) == ("VAE", None)
    assert shown(tmp_path / "m.keras", "--csv") == 0
    assert "dataset,unknown" in capsys.readouterr().out


def without_origin(path, origin=None):
    """A copy of a .keras file as they were before, or with another origin."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    config["config"][ORIGIN] = origin
    if origin is None:
        del config["config"][ORIGIN]
    other = path.with_name("other.keras")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in {**files, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    return other


@pytest.mark.parametrize("origin", [None, 7, {"system": ["x"], "dataset": 3, "keras_ijae": None}])
def test_files_without_an_origin_or_with_a_damaged_one_load_and_are_told_by_their_class(digits, tmp_path, origin):
    digits.save(tmp_path / "m.keras")
    other = without_origin(tmp_path / "m.keras", origin)
    found, loaded = info(other), ki.load_model(other)
    assert (found["system"], found["dataset"], found["versions"]["keras_ijae"]) == ("VAE", None, None)
    assert (loaded.created_as, loaded.trained_on) == (None, None)


@pytest.mark.slow
def test_a_run_that_is_not_done_says_its_sizes(tmp_path):
    recipe = Recipe(system="flow_vae", dataset="digits", latent_dim=2, width=4, batch_size=450, epochs=1)
    train(recipe, RunDirectory(tmp_path / "run"))
    done = info(tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    assert info(tmp_path / "run") == {**done, "steps": None}
    assert done["data_shape"] == [8, 8, 1] and done["prior"] == "RealNVP" and done["parameters"]


def test_an_export_says_what_it_was_told(run):
    found = info(run.parent / "encoder")
    assert found["kind"] == "savedmodel" and found["dataset"] == "digits" and found["functions"] == ["encoder"]
    assert found["parameters"] == info(run)["parameters"] and found["steps"] == 7
    assert found["versions"]["tensorflow"] == tf.__version__


def test_the_command_prints_a_table_or_json_or_csv(run, capsys):
    assert shown(run) == 0
    assert "ae_gmm" in capsys.readouterr().out
    assert shown(run, "--json") == 0
    assert json.loads(capsys.readouterr().out) == info(run)
    assert shown(run, "--csv") == 0
    found = {row["what"]: row["value"] for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert list(found) == list(info(run)) and (found["system"], found["epochs"]) == ("ae_gmm", "3 done of 5")
    assert shown(run, "--csv", "--json") == 2


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.json", content)
    return path


def foreign(folder):
    """name -> a path that is none of ours."""
    model = {"class_name": "Sequential", "config": {"layers": []}}
    text, saved, twice = folder / "text.keras", folder / "saved", folder / "twice"
    text.write_text("not a model")
    tf.saved_model.save(tf.train.Checkpoint(), saved)
    twice.mkdir()
    (twice / "keras_ijae.json").write_text("[1, 2]")
    deep = folder / "deep"
    deep.mkdir()
    (deep / "keras_ijae.json").write_text("[" * 100_000)
    return {
        "which does not exist": folder / "nothing",
        "which is neither": folder,
        "not a zip file": text,
        "a SavedModel of another program": saved,
        "description is no dictionary": twice,
        "which fails with": deep,
        "a model of the class 'Sequential'": zipped(folder / "s.keras", config=json.dumps(model), metadata="{}"),
        "no item named": zipped(folder / "empty.keras"),
        "or too large": zipped(folder / "bomb.keras", config="[" + " " * (2**24 + 1), metadata="{}"),
    }


def test_what_is_foreign_hostile_or_damaged_is_named(tmp_path):
    for message, path in foreign(tmp_path).items():
        with pytest.raises(ValueError, match=f"`path` must be a run directory.*{path.name}.*{message}"):
            info(path)


def test_nothing_in_a_description_steers_the_terminal_or_the_markup(tmp_path, capsys):
    told = {"format": "onnx", "system": "\x1b[2J\x9b2J[bold red]evil[/]", "notes": {"[red]": ["\x07", None]}}
    (tmp_path / "keras_ijae.json").write_text(json.dumps(told))
    assert shown(tmp_path) == 0
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out and "\x07" not in out and "[bold red]evil[/]" in out
    for form in ("--json", "--csv"):
        assert shown(tmp_path, form) == 0
        assert not re.search("[\x1b\x07\x9b]", capsys.readouterr().out)


def test_nothing_in_a_table_steers_the_terminal(capsys):
    tables.show([{"\x1b[2Jname": "\x1b[31mvalue", "what": "two\nlines"}], title="\x07t", notes="\x1b]0;n")
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out and "\\x1b[31mvalue" in out and "\\x1b[2Jname" in out


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ijae", {"ema": 0.9, "classes": 3}),
        ("mask_aae", {}),
        ("hierarchical_vae", {}),
        ("vae", {"likelihood": "learned_gaussian"}),
        ("flow_vae", VARIANTS["flow_vae"][2]),
    ],
)
def test_parameters_are_counted_without_optimizers_and_averages(tmp_path, name, arguments):
    model = create(name, **arguments)
    model.compile()
    model.save(tmp_path / "m.keras")
    assert info(tmp_path / "m.keras")["parameters"] == metadata.parameters(model)


@pytest.mark.parametrize(("name", "arguments"), [("flow_vae", {}), ("vae", {"likelihood": "learned_gaussian"})])
def test_the_header_of_training_and_the_report_count_the_same_parameters(name, arguments):
    model = create(name, **arguments)
    total = metadata.parameters(model)
    assert total > sum(network.count_params() for network in model.networks.values())
    header, fact = progress._parameters(model), facts._parameters(model)
    assert header.startswith(f"{total:,} parameters (encoder ") and fact.startswith(f"{total:,}: encoder ")
    for told in (header, fact):
        _, *parts = re.findall(r"[\d,]*\d", told)
        assert len(parts) == 3 and sum(int(part.replace(",", "")) for part in parts) == total


def test_of_weights_that_are_damaged_or_packed_nothing_is_counted(run, tmp_path):
    with zipfile.ZipFile(run / "model.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for weights, packing in ((b"no HDF5", zipfile.ZIP_STORED), (files["model.weights.h5"], zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(tmp_path / "m.keras", "w", packing) as archive:
            for name, content in {**files, "model.weights.h5": weights}.items():
                archive.writestr(name, content)
        found = info(tmp_path / "m.keras")
        assert (found["parameters"], found["steps"], found["latent_dim"]) == (None, None, 2)
    content = bytearray((run / "model.keras").read_bytes())
    content[content.index(b"\x89HDF") + 5000] ^= 1  # in the weights, whose checksum is wrong then
    (tmp_path / "m.keras").write_bytes(content)
    assert info(tmp_path / "m.keras")["parameters"] is None


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_computed():
    with pytest.raises(ValueError, match="Option --out must be in a directory that can be written to"):
        use.ends_in(".png")(Path("/dev/null/f.png"))


def test_a_model_beside_a_foreign_configuration_is_a_model(run, tmp_path):
    (tmp_path / "model.keras").write_bytes((run / "model.keras").read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    found = info(tmp_path / "model.keras")
    assert (found["kind"], found["dataset"]) == ("keras", None)


def test_a_model_whose_history_is_damaged_is_exported(run, tmp_path):
    for name in ("model.keras", "config.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / "history.csv").write_text("epoch,loss\nten,3\n")
    use.export(tmp_path, tmp_path / "encoder", "savedmodel", encoder=True, overwrite=False)
    assert info(tmp_path / "encoder")["dataset"] == "digits"
