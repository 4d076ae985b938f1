"""TensorFlow Probability, imported when first used."""

import functools
import importlib
import types
import warnings


@functools.cache
def tfp() -> types.ModuleType:
    """The module `tensorflow_probability`, without the deprecation warnings of its import.

    It takes half a second to import and loads its submodules on first access, so those used here are
    touched while the warnings are silenced.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("tensorflow_probability")
        for submodule in (module.distributions, module.math):
            dir(submodule)
    return module
