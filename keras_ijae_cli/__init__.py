"""The command `keras-ijae`. It stands above the package and imports it inside its functions: `--help` is instant."""

from keras_ijae_cli.app import main

__all__ = ["main"]
