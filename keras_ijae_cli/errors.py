"""Errors that name options of the command, not arguments of the functions behind it."""

import re
from typing import Any

from typer.core import TyperCommand

_OPTIONS = {"name": "dataset", "path": "out"}
"""Arguments of the package whose option is called otherwise."""


class Command(TyperCommand):
    """A command whose errors say `Option --batch-size` for `Argument `batch_size``."""

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except ValueError as error:
            raise ValueError(self._named(str(error))) from error

    def _named(self, message: str) -> str:
        known = {option for parameter in self.params for option in parameter.opts}

        def option(match: re.Match) -> str:
            found = "--" + _OPTIONS.get(match[1], match[1]).replace("_", "-")
            return f"Option {found}" if found in known else match[0]

        return re.sub(r"Argument `(\w+)`", option, message)
