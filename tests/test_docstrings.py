"""Examples in docstrings: those with a prompt give what they say, the others run on stand-ins of what a user has."""

import contextlib
import doctest
import functools
import importlib
import inspect
import pkgutil
import types

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from systems import quick
from torch_files import write_torch

import keras_ijae as ki
from keras_ijae.distributions import priors
from keras_ijae.distributions.tfp import tfp
from keras_ijae.evaluation import ais_log_likelihood
from keras_ijae.game import ENTRIES
from keras_ijae.game.docstrings import sections
from keras_ijae.metrics.features.classifier import Classifier, build_classifier

NAMES = {"ki": ki, "np": np, "tf": tf, "keras": keras, "tfd": tfp().distributions}
NOT_RUN = {
    "keras_ijae.lab.adversarial_mixture.fit_mixture_adversarially": "takes half a minute",
    "keras_ijae.metrics.perceptual.LPIPS": "needs weights that are downloaded",
    "keras_ijae.report.writing.write_report": "needs finished runs, as tests/test_report.py has",
    "keras_ijae.training.classifier.train_classifier": "trains for minutes, on MNIST",
    "keras_ijae.training.comparing.compare_runs": "needs finished runs, as tests/test_comparing.py has",
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


@pytest.mark.parametrize("name", quick(PROMPTS, [name for name in PROMPTS if not name.endswith(".fit_mixture")]))
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
    model.fit = functools.partial(one_epoch, model.fit)
    data = tf.data.Dataset.from_tensor_slices(x).batch(10)
    given = {"model": model, "classifier": build_classifier((8, 8, 1), 2)}
    given |= {"codes": np.random.default_rng(0).normal(size=(80, 2))}
    given |= dict.fromkeys(("images", "x_test", "train_images", "test_images", "samples"), x)
    given |= {"real": x[:, 0, :, 0], "fake": x[:, 1, :, 0], "real_logits": x[:, 0, 0], "fake_logits": x[:, 1, 0]}
    given |= dict.fromkeys(("digits", "train_labels", "test_labels"), labels)
    given |= dict.fromkeys(("train", "dataset", "validation"), data)
    return given | {"x": np.zeros((2, 28, 28, 1))}


def one_epoch(fit, *data, epochs, **how):
    return fit(*data, epochs=1, **how)


registered = keras.saving.register_keras_serializable("test_docstrings")


def instead(user):
    """name of an example -> what stands in it for what takes long, is not there, or has to be there."""
    brief = functools.partial(ais_log_likelihood, steps=2, chains=1, leapfrog_steps=1)
    fitting = types.SimpleNamespace(fit_prior=lambda data, name: priors.get_sampling(name, 2))
    digits = types.SimpleNamespace(load=lambda name, *split, **how: ki.datasets.load("digits", *split, **how))
    return {
        "keras_ijae.evaluation.ais.ais_log_likelihood": {"ais_log_likelihood": brief},
        "keras_ijae.distributions.priors.flows.MAF": {"model": fitting},
        "keras_ijae.distributions.priors.two_stage.TwoStage": {"model": fitting},
        "keras_ijae.metrics.features.cache.FeatureCache": {
            "ki": types.SimpleNamespace(datasets=digits),
            "Inception": lambda: ki.metrics.features.KerasFeatures(user["classifier"], layer="features"),
        },
        "keras_ijae.training.metrics_callback.MetricsCallback": {  # more images than features, for Frechet distances
            "validation": ki.datasets.load("digits", "test[:150]", 150)
        },
        "keras_ijae.game.registry.register": {"MyVAE": registered(type("MyVAE", (ki.models.VAE,), {}))},
    }


def make_files(user):
    """What examples find in the working directory: a classifier, weights of PyTorch."""
    Classifier(user["classifier"], "digits", 0.1).save("mnist-classifier.keras", "test", 0, 0)
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
    names = {
        **vars(DOCUMENTED[name][0]),
        **NAMES,
        **user,
        "plt": plt,
        "axis": plt.subplots()[1],
        **instead(user).get(name, {}),
    }
    try:
        exec(compile(OTHERS[name], name, "exec"), names)
    finally:
        plt.close("all"), ENTRIES.pop("my_vae", None)


def test_what_is_not_run_exists():
    assert NOT_RUN.keys() <= OTHERS.keys()
