"""Whatever an argument is given, the outcome is a model, a data set, a number, or an error that names the argument."""

import contextlib
import io
import json
import tempfile
import warnings
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from anything import ANYTHING, CASES, FEW, NUMBERS, WORDS
from command import run
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_ijae as ki
from keras_ijae.game.arguments import arguments_of
from keras_ijae.training import Recipe
from keras_ijae_cli import main

GAME = {"data_shape": (8, 8, 1), "latent_dim": 2, "networks": "mlp", "width": 4}
CREATED = [*GAME, "norm", "spectral", "preset"]
# Errors of two arguments that do not fit each other name the one that another is in the way of.
RELATED = {"posterior": ["prior", "likelihood", "encoder"], "prior": ["posterior", "classes"], "latent_dim": ["prior"]}


def arguments_taken(name):
    system = ki.game.ENTRIES[name].system
    networks = {role.name for role in system.ROLES if role.kind is not None}
    return sorted({*CREATED, *arguments_of(system)} - networks)


OF_CREATE = {"latent_dim": 2, "width": 4, "spectral": True}
"""What stands for the kind of an argument that has no default of that kind."""


def is_nonsense(value, default):
    """A set, a flag for a number, or a number for a flag: nothing that anybody means."""
    flag, number = isinstance(default, bool), isinstance(default, int | float)
    if isinstance(value, bool):
        return number and not flag
    return isinstance(value, set) or (flag and isinstance(value, int | float))


def names(argument, error):
    return any(word in str(error) for word in [argument, *RELATED.get(argument, [])])


@pytest.mark.slow
@FEW
@given(st.sampled_from(sorted(ki.list_models())), st.data())
def test_create_makes_a_model_or_names_the_argument(name, data):
    argument = data.draw(st.sampled_from(arguments_taken(name)))
    value = data.draw(ANYTHING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that are allowed and seldom meant, as lam=0
            model = ki.create(name, **{**GAME, argument: value})
    except ValueError as error:
        assert names(argument, error), (name, argument, value)
    else:
        json.dumps(model.get_config(), default=keras.saving.serialize_keras_object)
        default = (arguments_of(ki.game.ENTRIES[name].system) | OF_CREATE).get(argument)
        assert not is_nonsense(value, default), (name, argument, value)


@pytest.mark.slow
@FEW
@given(st.sampled_from(list(Recipe.__dataclass_fields__)), ANYTHING)
def test_a_recipe_is_made_or_names_the_field(field, value):
    try:
        recipe = Recipe(**{"system": "vae", "dataset": "digits", field: value})
    except ValueError as error:
        assert field in str(error)
    else:
        assert isinstance(recipe.epochs, int) and recipe.epochs < 2**31


@pytest.mark.slow
@FEW
@given(st.sampled_from(["name", "split", "batch_size", "size", "crop", "seed", "epoch", "labels", "shuffle"]), ANYTHING)
def test_a_data_set_is_loaded_or_the_argument_is_named(argument, value):
    given_ = {"name": "digits", "split": "train[:8]", "batch_size": 4, argument: value}
    try:
        dataset = ki.datasets.load(**given_)
    except ValueError as error:
        assert names(argument, error) or argument == "name", (argument, value)
    except (FileNotFoundError, IsADirectoryError) as error:
        assert argument == "name" and str(value) in str(error)
    else:
        next(iter(dataset), None)


@pytest.mark.slow
@FEW
@given(
    st.sampled_from(
        ["epochs", "batch-size", "latent-dim", "width", "classes", "learning-rate", "every", "seed", "set"]
    ),
    st.one_of(NUMBERS, WORDS).map(str),
)
def test_the_command_ends_with_an_error_of_its_own_and_leaves_nothing(option, value):
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        with pytest.raises(SystemExit) as ended:
            main(["train", "vae", "--dataset", "no_such_set", "--out", str(run), f"--{option}", value])
        assert ended.value.code == 2
        assert not run.exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run directory of a VAE after an epoch of three steps."""
    directory = tmp_path_factory.mktemp("runs") / "vae"
    small = ["--networks", "mlp", "--width", 8, "--batch-size", 500, "--latent-dim", 2, "--epochs", 1]
    assert run("train", "vae", "--dataset", "digits", *small, "--out", directory) == 0
    return directory


COUNTS = st.one_of(st.integers(-2, 40), WORDS, st.floats(), st.just(2**70))  # others are made, however many
SHOWN = {"count": COUNTS, "seed": st.one_of(NUMBERS, WORDS)}
SPLITS = st.sampled_from(["test", "test[:9]", "validation", "test[:0]", "tset"])
HELD_OUT = {"dataset": st.sampled_from(["digits", "gmm5", "digitz"]), "split": SPLITS}
PICTURES = ["a.png", "new/a.png", "a.txt", ""]
USES = {
    "sample": {**SHOWN, "columns": COUNTS, "label": COUNTS, "observation": st.sampled_from(["mean", "draw", "medan"])},
    "reconstruct": {**SHOWN, **HELD_OUT, "columns": COUNTS},
    "figure": {**SHOWN, **HELD_OUT, "rows": COUNTS, "features": st.sampled_from(["data", "inceptoin"])},
    "export": {"format": st.sampled_from(["savedmodel", "torch"])},
    "evaluate": {**HELD_OUT, "metrics": st.sampled_from(["psnr", "psnr,mse", "prs", ""]), "batch-size": COUNTS},
}
FIGURES = st.sampled_from(["interpolations", "covariance", "latent-traversals", "mask", "distances", "masks"])


def is_whole(command, out, directory):
    """Whether a command has left what it should."""
    if command == "evaluate":
        written = [path for path in directory.glob("*.json") if path.name in ("evaluation.json", "scores.json")]
        return written and all(json.loads(path.read_text())["scores"] for path in written)
    if command == "export":
        return {"saved_model.pb", "variables"} <= {path.name for path in out.iterdir()}
    return min(tf.io.decode_png(out.read_bytes()).shape) >= 1


@pytest.mark.slow
@settings(FEW, max_examples=max(1, CASES // 20))  # of what takes a second
@given(st.sampled_from(sorted(USES)), st.data())
def test_commands_that_use_a_run_leave_a_whole_file_or_one_line(trained, command, data):
    chosen = data.draw(st.lists(st.sampled_from(sorted(USES[command])), unique=True, max_size=3))
    options = [f"--{name}={data.draw(USES[command][name])}" for name in chosen]
    subject = [data.draw(FIGURES), trained] if command == "figure" else [trained]
    for path in trained.glob("*.json"):
        path.unlink() if path.name in ("evaluation.json", "scores.json") else None
    heard = io.StringIO()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stderr(heard):
        out = Path(directory) / data.draw(
            st.sampled_from(["served", "new/served"] if command == "export" else PICTURES)
        )
        place = [] if command == "evaluate" else ["--out", out]
        with contextlib.redirect_stdout(io.StringIO()):
            status = run(command, *subject, *options, *place)
        if status == 0:
            assert is_whole(command, out, trained), options
        else:
            said = heard.getvalue()
            errors = [line for line in said.splitlines() if line.startswith("error: ")]
            assert status == 2 and "Traceback" not in said and (len(errors) == 1 or "Usage: " in said), options
            assert not [path for path in Path(directory).rglob("*") if path.is_file()], options
