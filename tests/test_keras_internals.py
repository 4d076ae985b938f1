"""What is private in Keras and used all the same: each is still there, and nothing else is used."""

import ast
import contextlib
from pathlib import Path

import keras
import pytest
from keras.src.saving import saving_lib

from keras_ijae import keras_internals

FILE = Path(keras_internals.__file__)
ADVICE = f"Keras {keras.__version__} has no `{{}}` any more: {FILE.name} says what it is for and what is public instead"


def functional():
    x = keras.Input((1,))
    return keras.Model(x, keras.layers.Dense(1)(x))


def adam():
    made = keras.optimizers.Adam()
    made.build([keras.Variable([0.0])])
    return made


def sequential():
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made(keras.ops.ones((1, 1)))
    return made


def excluding():
    made = keras.optimizers.Adam()
    made.exclude_from_weight_decay(var_names=["bias"])
    return made


def interrupted():
    """A model whose `fit` was interrupted after a validation."""
    made, one = sequential(), keras.ops.ones((1, 1))
    made.compile(loss="mse", run_eagerly=True)

    def interrupt(epoch, logs):
        raise KeyboardInterrupt

    ending = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        made.fit(one, one, validation_data=(one, one), verbose=0, callbacks=[ending])
    return made


HOLDERS = {
    "_maybe_symbolic_build": lambda: keras.Model,
    "_assert_compile_called": lambda: keras.Model,
    "_initial_epoch": functional,
    "_eval_epoch_iterator": interrupted,
    "_flatten_layers": lambda: keras.layers.Layer,
    "_trainable_variables": keras.layers.Layer,
    "_loss_ids": keras.layers.Layer,
    "_functional": sequential,
    "_nodes_by_depth": functional,
    "_save_state": lambda: saving_lib,
    "_clip_gradients": lambda: keras.optimizers.Optimizer,
    "_get_variable_index": lambda: keras.optimizers.Optimizer,
    "_momentums": adam,
    "_velocities": adam,
    "_exclude_from_weight_decay_pattern": excluding,
}
"""Attribute -> what must have it."""
ARGUMENTS = {"_use_cached_eval_dataset"}
"""What `fit` hands to `evaluate`."""


def used():
    """The private names of others in the file: attributes, methods that override, and texts."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    methods = [node for kind in tree.body if isinstance(kind, ast.ClassDef) for node in kind.body]
    found |= {node.name for node in methods if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("_") and not name.startswith("__") and name.isidentifier()}


def test_every_private_name_is_known_to_this_test():
    assert used() == {*HOLDERS, *ARGUMENTS}


@pytest.mark.parametrize("name", HOLDERS)
def test_keras_has_what_is_private_and_used(name):
    assert hasattr(HOLDERS[name](), name), ADVICE.format(name)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_fit_still_says_to_evaluate_that_it_is_validation(name):
    seen = []

    class Model(keras.Sequential):
        def evaluate(self, *arguments, **given):
            seen.append(given)
            return super().evaluate(*arguments, **given)

    model = Model([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    ones = keras.ops.ones((1, 1))
    model.fit(ones, ones, validation_data=(ones, ones), verbose=0)
    assert seen[0].get(name), ADVICE.format(name)


def test_a_file_of_weights_is_made_of_what_keras_still_has():
    store = saving_lib.H5IOStore
    assert callable(store), ADVICE.format("H5IOStore")
    assert keras_internals.weights_file(functional()).getbuffer()[:4] == b"\x89HDF"
