"""Imports the systems as soon as Keras is there, so that `keras.models.load_model` finds their classes.

Keras finds in a file only classes that have been imported, and importing this package must not import Keras (the
command line answers `--help` without it). So the systems wait for Keras, in whichever order a user imports the two.
"""

import importlib
import importlib.abc
import importlib.util
import sys

_HEAVY = ("keras", "tensorflow", "keras_ijae.")
# Packages that import Keras before anything else, so that the systems can be imported in their middle.
_EARLY = {__name__, *(f"keras_ijae.{room}" for room in ("distributions", "layers", "losses", "networks"))}


def register_systems() -> None:
    """Import every system now if Keras has been imported, else right after it is."""
    if not _register():
        sys.meta_path.insert(0, _Watch())


class _Watch(importlib.abc.MetaPathFinder):
    """Sees imports until Keras is there; finds nothing itself."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            self._try()
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("keras")
        sys.meta_path.insert(0, self)
        if spec is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (
                execute(module),
                setattr(module.__spec__, "_initializing", False),
                self._try(),
            )
        return spec

    def _try(self):
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            if not _register():
                sys.meta_path.insert(0, self)


def _register() -> bool:
    """Import the systems, unless Keras is missing or it, TensorFlow or one of our modules is half imported."""
    if "keras" not in sys.modules or any(_half_imported(name) for name in list(sys.modules) if name.startswith(_HEAVY)):
        return False
    importlib.import_module("keras_ijae.models.registry").register()
    return True


def _half_imported(name):
    spec = getattr(sys.modules[name], "__spec__", None)
    return name not in _EARLY and getattr(spec, "_initializing", False)
