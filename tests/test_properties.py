"""Whatever an argument is given, the outcome is a model, a data set, a number, or an error that names the argument."""

import json
import tempfile
import warnings
from pathlib import Path

import keras
import pytest
from anything import ANYTHING, FEW, NUMBERS, WORDS
from hypothesis import given
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
