"""Examples in docstrings: those with a prompt give what they say, the others run on stand-ins of what a user has."""

import contextlib
import doctest
import functools
import importlib
import inspect
import pkgutil
import types
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from torch_files import write_torch

import keras_ijae as ki
from keras_ijae.distributions.tfp import tfp
from keras_ijae.evaluation import ais_log_likelihood
from keras_ijae.game import ENTRIES
from keras_ijae.game.docstrings import sections
from keras_ijae.training import Recipe, RunDirectory
from keras_ijae.training.trainer import train

NAMES = {"ki": ki, "np": np, "tf": tf, "keras": keras, "tfd": tfp().distributions}
NOT_RUN = {
    "keras_ijae.metrics.perceptual.LPIPS": "it needs weights that are downloaded",
    "keras_ijae.training.classifier.train_classifier": "it trains for minutes, on MNIST",
}


def modules():
    """Those of the package, but for the one that runs the command."""
    for about in pkgutil.walk_packages(ki.__path__, "keras_ijae."):
        if not about.name.endswith("__main__"):
            yield importlib.import_module(about.name)


def documented(module):
    """name -> docstring of the classes, functions and methods that a module defines."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    found = {name: inspect.getdoc(value) for name, value in own.items() if callable(value)}
    for name, value in own.items():
        if inspect.isclass(value):
            found |= {f"{name}.{key}": part.__doc__ for key, part in vars(value).items() if inspect.isfunction(part)}
    return {f"{module.__name__}.{name}": inspect.cleandoc(text) for name, text in found.items() if text}


DOCUMENTED = {name: (module, text) for module in modules() for name, text in documented(module).items()}
PROMPTS = {name: doctest.DocTestParser().get_examples(text) for name, (_, text) in DOCUMENTED.items()}
PROMPTS = {name: parts for name, parts in PROMPTS.items() if parts}
OTHERS = {name: sections(text)["Example"] for name, (_, text) in DOCUMENTED.items() if "Example" in sections(text)}
OTHERS = {name: example for name, example in OTHERS.items() if name not in PROMPTS}
MAIN = ["game.registry.create", "game.loading.load_model", "game.registry.list_models", "datasets.loading.load"]
MAIN += ["datasets.loading.info", "training.backup.Backup", "evaluation.scoring.evaluate"]
MAIN += ["metrics.frechet.frechet_distance", "lab.divergences.forward_kl"]


def test_the_main_names_have_examples():
    assert {f"keras_ijae.{name}" for name in MAIN} <= set(PROMPTS)


@pytest.mark.parametrize("name", PROMPTS)
def test_examples_with_a_prompt_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = doctest.DocTest(PROMPTS[name], {**vars(DOCUMENTED[name][0]), **NAMES}, name, None, 0, None)
    runner, said = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS), []
    assert runner.run(case, out=said.append).failed == 0, "".join(said)


@pytest.fixture(scope="module")
def user():
    """What a user of the library has: a model, images, labels, data sets, networks and a class of their own."""
    x, labels = np.random.default_rng(0).random((20, 8, 8, 1), dtype="float32"), np.arange(20) % 2
    model = ki.create("vae", (8, 8, 1), 2, networks="mlp", width=4)
    model.compile(run_eagerly=True)
    data = tf.data.Dataset.from_tensor_slices(x).batch(10)
    classifier = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    classifier.add(keras.layers.Dense(3, name="features")), classifier.add(keras.layers.Dense(2, name="logits"))
    given = {"model": model, "classifier": classifier, "codes": np.random.default_rng(0).normal(size=(80, 2))}
    given |= dict.fromkeys(("images", "x_test", "train_images", "test_images", "samples"), x)
    given |= dict.fromkeys(("digits", "train_labels", "test_labels"), labels)
    given |= dict.fromkeys(("train", "dataset", "validation"), data)
    return given | {"x": np.zeros((2, 28, 28, 1)), "real_logits": x[:, 0, 0], "fake_logits": x[:, 1, 0]}


def instead(user):
    """name of an example -> what stands in it for what takes long, is not there, or has to be there."""
    quick = functools.partial(ais_log_likelihood, steps=2, chains=1)
    digits = types.SimpleNamespace(load=lambda name, *split, **how: ki.datasets.load("digits", *split, **how))
    return {
        "keras_ijae.evaluation.ais.ais_log_likelihood": {"ais_log_likelihood": quick},
        "keras_ijae.metrics.features.cache.FeatureCache": {
            "ki": types.SimpleNamespace(datasets=digits),
            "Inception": lambda: ki.metrics.features.KerasFeatures(user["classifier"], layer="features"),
        },
        "keras_ijae.game.registry.register": {"MyVAE": type("MyVAE", (ki.models.VAE,), {})},
    }


def make_files(user):
    """What examples find in the working directory: two runs, a classifier, weights of PyTorch."""
    for system in ("vae", "ijae"):
        recipe = Recipe(
            system=system, dataset="digits", latent_dim=2, networks="mlp", width=4, epochs=1, batch_size=600
        )
        train(recipe, RunDirectory(Path("runs") / system))
    user["classifier"].save("mnist-classifier.keras")
    write_torch("alex.pth", {"lin0.model.1.weight": np.zeros((1, 64, 1, 1))})


@pytest.fixture(scope="module")
def place(tmp_path_factory, user):
    """The working directory."""
    path = tmp_path_factory.mktemp("place")
    with contextlib.chdir(path):
        make_files(user)
        yield path


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in OTHERS if name not in NOT_RUN])
def test_other_examples_run(name, user, place):
    names = {**vars(DOCUMENTED[name][0]), **NAMES, **user, "axis": plt.subplots()[1], **instead(user).get(name, {})}
    try:
        exec(compile(OTHERS[name], name, "exec"), names)
    finally:
        plt.close("all"), ENTRIES.pop("my_vae", None)


def test_what_is_not_run_exists():
    assert NOT_RUN.keys() <= OTHERS.keys()
