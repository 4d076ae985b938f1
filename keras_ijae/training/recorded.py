"""A recipe as a file has it: what is wrong with it is said of the file's fields, not of arguments of functions."""

import dataclasses
import re
from typing import Any

from keras_ijae.checks import did_you_mean
from keras_ijae.training.recipes import Recipe

FIELDS = tuple(field.name for field in dataclasses.fields(Recipe))
CHANGEABLE = ("epochs", "every_steps", "strategy")
"""The fields on which no number of a run depends, so that it can go on with others."""
_NEEDED = ("system", "dataset")


def recipe_of(table: Any) -> Recipe:
    """The recipe that a file has as a table.

    Raises:
        ValueError: it is no table, has a field that recipes have not or lacks one, or a field is out of range, which is
            named.
    """
    if not isinstance(table, dict):
        raise ValueError(f"Field `recipe` must be a table of fields. Received: {table!r:.200}")
    for name in table:
        if name not in FIELDS:
            raise ValueError(f"Field `{name}` is none of a recipe.{did_you_mean(name, FIELDS)}")
    for name in _NEEDED:
        if name not in table:
            raise ValueError(f"Field `{name}` is missing")
    try:
        return Recipe(**table)
    except ValueError as error:
        raise ValueError(by_field(str(error))) from error


def by_field(text: str, recipe: Recipe | None = None) -> str:
    """An error about arguments, said of the fields of a recipe and, if one is given, of what its tables have."""

    def named(found):
        name = {"name": "dataset"}.get(found[1], found[1])
        tables = [table for table in ("arguments", "data") if recipe is not None and name in getattr(recipe, table)]
        return f"Field `{name}`" if name in FIELDS else f"Field `{tables[0]}.{name}`" if tables else found[0]

    text = re.sub(r"Argument `(\w+)`", named, text)
    return re.sub(r"^Unknown (system|arguments)", r"Field `\1`: unknown \1", text)
