"""Auto-encoding generative models as Keras models on TensorFlow.

Importing the package imports the systems, so that `keras.models.load_model` finds their classes.
"""

import sys

if sys.argv[:1] == ["-m"]:  # `python -m keras_ijae` imports the package, and with it TensorFlow, before the command
    from keras_ijae_cli.quiet import start_tensorflow

    start_tensorflow(devices=False)
    try:
        from keras_ijae import backend  # noqa: F401
    except RuntimeError as error:
        from keras_ijae_cli.output import end_with

        end_with(error)

from keras_ijae import (
    backend,  # noqa: F401 (first: it checks which one there is)
    datasets,
    distributions,
    evaluation,
    figures,
    game,
    lab,
    layers,
    losses,
    metrics,
    models,
    networks,
    random,
    training,
)
from keras_ijae.game import create, list_models, load_model, register

__version__ = "0.1.0"

__all__ = [
    "create",
    "datasets",
    "distributions",
    "evaluation",
    "figures",
    "game",
    "lab",
    "layers",
    "list_models",
    "load_model",
    "losses",
    "metrics",
    "models",
    "networks",
    "random",
    "register",
    "training",
]
