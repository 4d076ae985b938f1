"""`python -m keras_ijae.lab NAME` is `keras-ijae lab NAME`."""

import sys

from keras_ijae.cli import main

arguments = ["lab", *sys.argv[1:]]
sys.argv[0], __package__ = "keras-ijae", ""  # the name in usage lines: of a package it would be "python -m ... lab"
main(arguments)
