"""Callbacks, pictures, recipes and run directories. Names are loaded when first used.

`recipes` and `runs` do not import TensorFlow, so that the command line can list and check without it.
"""

from keras_ijae._lazy import lazy

_HOMES = {
    "Backup": "callbacks",
    "History": "callbacks",
    "ReconstructionGrid": "callbacks",
    "SampleGrid": "callbacks",
    "MetricsCallback": "metrics_callback",
    "grid": "pictures",
    "save_grid": "pictures",
    "save_pairs": "pictures",
    "interleave": "pictures",
    "Progress": "progress",
    "RECIPES": "recipes",
    "Recipe": "recipes",
    "get_recipe": "recipes",
    "RunDirectory": "runs",
    "open_run": "runs",
    "train": "trainer",
}

__getattr__, __dir__, __all__ = lazy(__name__, _HOMES)
