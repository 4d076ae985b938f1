"""Callbacks that need to know what `fit` trains on, which Keras tells none of them."""

from typing import Any

import keras


class ToldData(keras.callbacks.Callback):
    """A callback that `fit` tells what it trains on, before training begins."""

    data: Any = None
    in_order: bool = False
    others: tuple[keras.callbacks.Callback, ...] = ()
    """All others of the same `fit`."""

    def set_data(self, data: Any, in_order: bool) -> None:
        """Called once by the `fit` of every system.

        Args:
            data: what it trains on.
            in_order: whether these are the batches of arrays, in their order each time.
        """
        self.data, self.in_order = data, in_order


def tell(callbacks: list | keras.callbacks.CallbackList, data: Any, in_order: bool) -> None:
    """Those that need to know what `fit` trains on are told; those with a `place` come after all that have none."""
    found = callbacks if isinstance(callbacks, list) else callbacks.callbacks
    found.sort(key=lambda one: getattr(one, "place", 0))
    for callback in [one for one in found if isinstance(one, ToldData)]:
        callback.set_data(data, in_order)
        callback.others = tuple(one for one in found if one is not callback)
