"""Auto-encoding generative models as Keras models on TensorFlow."""

from keras_ijae import models
from keras_ijae.game import create, list_models, load_model, register

__version__ = "0.1.0"
import importlib
def __getattr__(name):
    if name in ("datasets", "distributions", "evaluation", "lab", "layers", "losses", "metrics", "networks", "random", "training", "game"):
        return importlib.import_module(f"keras_ijae.{name}")
    raise AttributeError(name)
