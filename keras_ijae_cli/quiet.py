"""TensorFlow's start without its chatter."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def start_tensorflow(devices: bool = True) -> None:
    """Imports TensorFlow and finds its devices; what its libraries write meanwhile is shown only if that fails.

    They write to standard error directly about CPU features and absent GPUs, whatever TF_CPP_MIN_LOG_LEVEL says. So
    every command calls this before it imports the package, which imports TensorFlow.

    Args:
        devices: without them TensorFlow is imported and not yet used, so that a cluster can be joined afterwards.
    """
    if os.environ.get("KERAS_IJAE_DEBUG"):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # as `main` does, which may come later
    with _held_back():
        import tensorflow as tf

        if devices:
            tf.config.list_physical_devices()
            tf.zeros(())


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
