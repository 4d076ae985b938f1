"""The command, run in the tests' own process."""

import pytest

from keras_ijae_cli import main


def run(*arguments):
    """The exit code of the command."""
    with pytest.raises(SystemExit) as exit:
        main([str(argument) for argument in arguments])
    return exit.value.code or 0
