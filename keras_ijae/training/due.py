"""When callbacks that have an `every` do what they do."""

import keras


def due(callback: keras.callbacks.Callback, epoch: int) -> bool:
    """Whether `epoch` (from 0), which has ended, is one of each `callback.every`, or the last of this `fit`."""
    return (epoch + 1) % callback.every == 0 or epoch + 1 == (callback.params or {}).get("epochs")
