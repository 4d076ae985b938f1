"""Auto-encoding generative models as Keras models on TensorFlow."""

import importlib

from keras_ijae._after_keras import register_systems

__version__ = "0.1.0"

_ROOMS = ("datasets", "distributions", "evaluation", "lab", "layers", "losses", "metrics", "models", "networks")
_ROOMS += ("random", "training")
_NAMES = {name: "models.registry" for name in ("create", "list_models", "load_model")}


def __getattr__(name: str):
    """Rooms load when first used, so that importing the package costs little."""
    if name in _ROOMS:
        return importlib.import_module(f"keras_ijae.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"keras_ijae.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'keras_ijae' has no attribute {name!r}. Known: {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return sorted((*_ROOMS, *_NAMES, "__version__"))


register_systems()
