"""Keras has several backends; this package is for TensorFlow's, and says so before anything else fails."""

import os
import sys

chosen = sys.modules["keras"].config.backend() if "keras" in sys.modules else os.environ.get("KERAS_BACKEND")
if chosen not in (None, "", "tensorflow"):
    raise RuntimeError(
        f"keras_ijae runs on Keras' TensorFlow backend. Received: KERAS_BACKEND={chosen}. Unset it, or set it to "
        "tensorflow, before Keras is imported"
    )
