"""`python -m keras_ijae.lab NAME` is `keras-ijae lab NAME`."""

import sys

from keras_ijae.cli import main

main(["lab", *sys.argv[1:]])
