"""Errors that name options of the command, not arguments of the functions behind it."""

import re
from typing import Any

from typer.core import TyperCommand

_CALLED = {"name": ("dataset", "name"), "path": ("model", "out"), "labels": ("label",)}
"""Arguments of the package that the command calls otherwise: the first that it has."""


class Command(TyperCommand):
    """A command whose errors say `Option --batch-size` where the package says ``Argument `batch_size` ``."""

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except ValueError as error:
            text = re.sub(r"Argument `(\w+)`", self._named, str(error))
            raise ValueError(re.sub(r"Received: (name|path)=", "Received: ", text)) from error

    def _named(self, found: re.Match) -> str:
        own = {parameter.name.rstrip("_"): parameter.opts[0] for parameter in self.params}
        for name in _CALLED.get(found[1], (found[1],)):
            if name in own:
                return f"Option {own[name]}" if own[name].startswith("-") else f"Argument {name.upper()}"
        return found[0]
