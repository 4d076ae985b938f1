"""Whatever an argument is given, the outcome is a model, a data set, a number, or an error that names the argument."""

import inspect
import json
import warnings

import keras
import numpy as np
import pytest
from anything import ANYTHING, FEW
from hypothesis import assume, given
from hypothesis import strategies as st

import keras_ijae as ki
from keras_ijae.checks import LARGEST_SIZE
from keras_ijae.game.arguments import arguments_of
from keras_ijae.training import Recipe

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


def arguments_of_class(made):
    """name -> default of what its constructor takes by name, but for what Keras' layers take."""
    keras_own = inspect.signature(keras.layers.Layer.__init__).parameters
    own = [one for one in inspect.signature(made.__init__).parameters.values() if one.kind != one.VAR_KEYWORD]
    return {one.name: one.default for one in own if one.name not in keras_own}


PUBLIC = [getattr(ki.distributions, name) for name in ki.distributions.__all__]
BASES = (ki.distributions.Prior, ki.distributions.Posterior)
DISTRIBUTIONS = [made for made in PUBLIC if isinstance(made, type) and made not in BASES and arguments_of_class(made)]


def is_costly(value):
    """A size that is taken, and of which layers would fill the memory."""
    return isinstance(value, int | np.integer) and 100 < value <= LARGEST_SIZE


@pytest.mark.slow
@FEW
@given(st.sampled_from(DISTRIBUTIONS), st.data())
def test_a_distribution_is_made_or_names_the_argument(made, data):
    defaults = arguments_of_class(made)
    argument = data.draw(st.sampled_from(sorted(defaults)))
    value = data.draw(ANYTHING)
    assume(not is_costly(value))
    needed = {
        "latent_dim": 2,
        "noise_dim": 2,
        "generator": keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]),
    }
    needed = {name: needed[name] for name, default in defaults.items() if default is inspect.Parameter.empty}
    try:
        distribution = made(**{**needed, argument: value})
    except ValueError as error:
        assert names(argument, error), (made, argument, value)
    else:
        json.dumps(distribution.get_config(), default=keras.saving.serialize_keras_object)
        default = needed.get(argument, defaults[argument])
        assert not is_nonsense(value, default), (made, argument, value)
