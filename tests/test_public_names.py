"""What stands behind every public name: a docstring, types, what each argument means, and examples that run."""

import doctest
import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from generator import reference

import keras_ijae as ki
from keras_ijae.distributions.tfp import tfp

ROOMS = reference.rooms()
REFERS = re.compile(r"\b[Aa]rg(ument)?s\b[^.]*\b(as|there)\b")  # to another docstring
IN_WORDS = {"game.own_rows"}
NAMES = {f"{room}.{name}": value for room, names in ROOMS.items() for name, value in names.items() if callable(value)}


def signatures(value):
    """name -> signature of a function, or of the `__init__` that a class has from this package."""
    if not inspect.isclass(value):
        return {"": inspect.signature(value)}
    init = value.__init__
    ours = getattr(init, "__module__", "").startswith("keras_ijae") and not issubclass(value, BaseException)
    return {"__init__": inspect.signature(init)} if ours and inspect.isfunction(init) else {}


def parameters(signature):
    return [parameter for parameter in signature.parameters.values() if parameter.name not in ("self", "cls")]


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_it_is_and_of_what_types_its_arguments_are(name):
    value = NAMES[name]
    text = value.__doc__ or ""
    assert len(text.split()) >= 3, "no docstring"
    for method, signature in signatures(value).items():
        for parameter in parameters(signature):
            assert parameter.annotation is not parameter.empty, f"{method}({parameter.name}) has no type"
            spread = parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            told = spread or re.search(rf"\b{parameter.name}\b", text) or REFERS.search(text) or name in IN_WORDS
            assert told, f"`{parameter.name}` is not explained"
        returns = method or signature.return_annotation is not signature.empty
        assert returns, "does not say what it returns"


MAIN = ["keras_ijae.create", "keras_ijae.load_model", "keras_ijae.list_models", "datasets.load", "datasets.info"]
MAIN += ["training.Backup", "evaluation.evaluate", "metrics.frechet_distance", "lab.forward_kl"]


def examples():
    """name -> the examples with a prompt in its docstring."""
    found = {name: doctest.DocTestParser().get_examples(inspect.getdoc(value) or "") for name, value in NAMES.items()}
    return {name: parts for name, parts in found.items() if parts}


def test_the_main_names_have_examples():
    assert set(MAIN) <= set(examples())


@pytest.mark.parametrize("name", examples())
def test_examples_in_docstrings_run_and_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"ki": ki, "np": np, "tf": tf, "keras": keras, "tfd": tfp().distributions}
    case = doctest.DocTest(examples()[name], names, name, None, 0, None)
    runner, said = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS), []
    assert runner.run(case, out=said.append).failed == 0, "".join(said)
