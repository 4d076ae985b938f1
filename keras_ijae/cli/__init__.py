"""The command `keras-ijae`. TensorFlow is imported by the commands that compute, not by `--help`."""

from keras_ijae.cli.app import main

__all__ = ["main"]
