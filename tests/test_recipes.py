"""Every recipe makes a model that takes a step on data of its shape; which there are follows from the systems."""

import keras
import numpy as np
import pytest

from keras_ijae import list_models
from keras_ijae.training.recipes import BEST, OWN, RECIPES, SETTINGS
from keras_ijae.training.trainer import build

SHAPES = {
    "digits": (8, 8, 1),
    "mnist": (28, 28, 1),
    "fashion_mnist": (28, 28, 1),
    "cifar10": (32, 32, 3),
    "celeb_a": (64, 64, 3),
}


def test_every_system_has_a_recipe_of_digits_and_of_mnist_and_the_best_of_the_other_sets():
    wanted = {f"{system}_{dataset}" for system in list_models() for dataset in ("digits", "mnist")}
    wanted |= {f"{system}_{dataset}" for system in BEST for dataset in SETTINGS}
    assert wanted <= RECIPES.keys() and SETTINGS.keys() == SHAPES.keys()
    assert all(name.endswith(f"_{recipe.dataset}") and recipe.summary for name, recipe in RECIPES.items())


def test_a_recipe_of_its_own_keeps_what_its_data_set_has():
    own, plain = RECIPES["mask_aae_mnist"], RECIPES["vae_mnist"]
    assert (own.latent_dim, own.arguments) == (64, {"preset": "images"})
    assert (own.networks, own.epochs, own.dataset) == (plain.networks, plain.epochs, "mnist")
    assert RECIPES["iaf_vae_mnist"].system == "vae" and RECIPES["cgan_digits"].classes == 10


def new():
    """The recipes in which a system, a data set or arguments come for the first time; on digits systems are trained
    by the conformance suite."""
    seen, found = {"digits"}, []
    for name, recipe in RECIPES.items():
        news = {recipe.system, recipe.dataset, *recipe.arguments} - seen
        if recipe.dataset != "digits" and news or name in OWN:
            found.append(name)
            seen |= news
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", new())
def test_a_recipe_makes_a_model_that_takes_a_step(name):
    recipe, rows = RECIPES[name].but(width=4), 4
    model = build(recipe, SHAPES[recipe.dataset])
    model.compile(run_eagerly=True)
    x = np.random.default_rng(0).random((rows, *SHAPES[recipe.dataset]), dtype="float32")
    data = (x,) if recipe.classes is None else (x, np.arange(rows))
    model.fit(*data, batch_size=rows, verbose=0, shuffle=False)
    assert int(keras.ops.convert_to_numpy(model.steps)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RECIPES.keys() - set(new())))
def test_a_recipe_makes_a_model(name):
    recipe = RECIPES[name]
    model = build(recipe.but(width=4), SHAPES[recipe.dataset])
    assert (model.data_shape, model.latent_dim) == (SHAPES[recipe.dataset], recipe.latent_dim)
