"""TensorFlow's start, and its converters, without their chatter."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any


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
def only_ours() -> Iterator[None]:
    """What libraries write to standard error directly is dropped, as their converters do of what they then refuse.

    What Python writes, ours and the libraries' warnings, is shown. With KERAS_IJAE_DEBUG all is.
    """
    if os.environ.get("KERAS_IJAE_DEBUG"):
        yield
        return
    with _held_back(shown_if_it_fails=False) as kept, open(kept, "w", closefd=False) as real:
        ours = contextlib.redirect_stderr(real) if _writes_directly(sys.stderr) else contextlib.nullcontext()
        with ours:
            yield


def _writes_directly(stream: Any) -> bool:
    """Whether what is written to it goes to the file that is held back."""
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError, ValueError):  # it is no file, or has none
        return False


@contextlib.contextmanager
def _held_back(shown_if_it_fails: bool = True) -> Iterator[int]:
    """What is written to standard error meanwhile goes elsewhere; gives the descriptor of the real one."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield kept
        except BaseException:
            if shown_if_it_fails:
                held.seek(0)
                os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
