"""What stands behind every public name: a docstring, types, what each argument means."""

import inspect
import re

import pytest
from generator import reference

ROOMS = reference.rooms()
REFERS = re.compile(r"\b[Aa]rg(ument)?s\b[^.]*\b(as|there)\b")  # to another docstring
IN_WORDS = {"game.own_rows"}
NAMES = {f"{room}.{name}": value for room, names in ROOMS.items() for name, value in names.items() if callable(value)}


def signatures(value):
    """name -> signature of a function; or of the `__init__` and the described methods of a class, from this package."""
    if not inspect.isclass(value):
        return {"": inspect.signature(value)}
    if issubclass(value, BaseException):
        return {}
    methods = {name: method for name, method in inspect.getmembers(value, inspect.isroutine) if shown(name, method)}
    return {name: inspect.signature(method) for name, method in methods.items()}


def shown(name, method):
    """Whether the reference has this method of a class, its `__init__` in the class's own words."""
    ours = (getattr(method, "__module__", None) or "").startswith("keras_ijae") and not inspect.isbuiltin(method)
    return ours and (name == "__init__" or bool(method.__doc__) and not name.startswith("_"))


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
            elsewhere = parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or name in IN_WORDS
            elsewhere |= method not in ("", "__init__")
            told = elsewhere or re.search(rf"\b{parameter.name}\b", text) or REFERS.search(text)
            assert told, f"`{parameter.name}` is not explained"
        returns = method == "__init__" or signature.return_annotation is not signature.empty
        assert returns, f"{method}() does not say what it returns"
