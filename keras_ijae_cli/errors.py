"""Errors that name options of the command, not arguments of the functions behind it."""

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

_CALLED = {"name": ("dataset", "name"), "path": ("model", "out"), "labels": ("label",)}
"""Arguments of the package that the command calls otherwise: the first that it has."""


class Command(TyperCommand):
    """A command whose errors say `Option --batch-size` where the package says ``Argument `batch_size` ``.

    Of what was given as `--set beta=-1` they say `Option --set beta`, and of `--set latentdim=4` that there is an
    option `--latent-dim`.
    """

    _set: set[str] = set()

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except ValueError as error:
            self._set = _names(context.params.get("set_"))
            text = re.sub(r"(?:Argument|the argument) `(\w+)`", self._named, str(error))
            text = re.sub(r"(?<=^Unknown arguments )(\[.*?\] of \w+\.)(?! Did)", self._option_meant, text)
            raise ValueError(re.sub(r"Received: (name|path)=", "Received: ", text)) from error

    def _named(self, found: re.Match) -> str:
        own = {parameter.name.rstrip("_"): parameter.opts[0] for parameter in self.params}
        for name in _CALLED.get(found[1], (found[1],)):
            if name in own:
                return f"Option {own[name]}" if own[name].startswith("-") else f"Argument {name.upper()}"
        return f"Option --set {found[1]}" if found[1] in self._set else found[0]

    def _option_meant(self, found: re.Match) -> str:
        from keras_ijae.checks import did_you_mean

        own = {parameter.name: parameter.opts[0] for parameter in self.params if parameter.opts[0].startswith("--")}
        hints = (did_you_mean(word, own) for word in re.findall(r"'(\w+)'", found[1]))
        return found[1] + re.sub(r"'(\w+)'", lambda name: own[name[1]], "".join(hints))


def _names(settings: Sequence[str] | None) -> set[str]:
    """What is set by KEY=VALUE."""
    return {setting.partition("=")[0] for setting in settings or ()}
