"""What stands behind every public name: a docstring, types, what each argument means."""

import functools
import inspect
import re
from types import FunctionType

import pytest
from generator import reference

ROOMS = reference.rooms()
REFERS = re.compile(r"\b[Aa]rg(ument)?s\b[^.]*\b(as|there)\b")  # to another docstring
IN_WORDS = {"game.own_rows"}
MEMBERS = FunctionType, property, classmethod, staticmethod, functools.cached_property
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


def members(value):
    """name -> what this package defines of a class under it: methods and properties without an underscore."""
    ours = [base for base in reversed(value.__mro__) if base.__module__.startswith("keras_ijae")]
    parts = {name: part for base in ours for name, part in vars(base).items()}
    return {name: part for name, part in parts.items() if isinstance(part, MEMBERS) and not name.startswith("_")}


def undescribed(value):
    """The names of its members that neither it nor a class above it describes: overriding changes no meaning."""
    above = [vars(base) for base in value.__mro__]
    return [name for name in members(value) if not any(getattr(part.get(name), "__doc__", None) for part in above)]


def untyped(value):
    """The names of its properties that do not say what they are, where their class or one above describes them."""
    found = {name: part for name, part in members(value).items() if isinstance(part, property) and part.__doc__}
    return [name for name, part in found.items() if "return" not in part.fget.__annotations__]


@pytest.mark.parametrize("name", [name for name, value in NAMES.items() if inspect.isclass(value)])
def test_every_method_and_property_is_described_where_it_is_defined_or_overridden(name):
    assert undescribed(NAMES[name]) == [] and untyped(NAMES[name]) == []


def test_what_is_not_described_is_seen():
    class Above:
        def told(self):
            """In words."""

    class Below(Above):
        def told(self):
            pass

        def silent(self):
            pass

        @property
        def hidden(self):
            pass

        @property
        def loose(self):
            """Of no type."""

        @classmethod
        def made(cls):
            pass

        def _own(self):
            pass

    Above.__module__ = Below.__module__ = "keras_ijae.somewhere"
    assert undescribed(Below) == ["silent", "hidden", "made"] and untyped(Below) == ["loose"]
