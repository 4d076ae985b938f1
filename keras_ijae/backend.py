"""Keras has several backends; this package is for TensorFlow's, and says so before anything else fails."""

import json
import os
import sys
from pathlib import Path


def _chosen() -> tuple[str | None, str]:
    """Which backend Keras has or takes, None for its default, and what says so, in the order in which Keras asks."""
    if "keras" in sys.modules:
        return sys.modules["keras"].config.backend(), "Keras, which has been imported, with the backend"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "KERAS_BACKEND ="
    home = os.path.expanduser("~")
    folder = os.environ.get("KERAS_HOME", os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras"))
    file = Path(os.path.expanduser(folder), "keras.json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # there is none, or Keras takes its default
        found = {}
    return found.get("backend") if isinstance(found, dict) else None, f"the file {file} with the backend"


_backend, _says = _chosen()
if _backend not in (None, "tensorflow"):
    raise RuntimeError(
        f"keras_ijae runs on Keras' TensorFlow backend. Received: {_says} {_backend}. Change it to tensorflow, or set "
        "KERAS_BACKEND=tensorflow, before Keras is imported"
    )
