"""Callbacks that need to know what `fit` trains on, which Keras tells none of them."""

from typing import Any

import keras


class ToldData(keras.callbacks.Callback):
    """A callback that `fit` tells what it trains on, before training begins."""

    data: Any = None
    in_order: bool = False
    others: tuple[keras.callbacks.Callback, ...] = ()
    after: tuple[type[keras.callbacks.Callback], ...] = ()
    """What it needs to come after; `fit` sees to it, and tells it in `others` which of these there are."""

    def set_data(self, data: Any, in_order: bool) -> None:
        """Called once by the `fit` of every system.

        Args:
            data: what it trains on.
            in_order: whether these are arrays that come in their order, each time.
        """
        self.data, self.in_order = data, in_order


def tell(callbacks: list | keras.callbacks.CallbackList, data: Any, in_order: bool) -> None:
    """Those of these callbacks that need to know what `fit` trains on are told, and come after what they must."""
    found = callbacks if isinstance(callbacks, list) else callbacks.callbacks
    for callback in [one for one in found if isinstance(one, ToldData)]:
        callback.set_data(data, in_order)
        callback.others = tuple(one for one in found if isinstance(one, callback.after))
        if callback.others:
            last = max(found.index(one) for one in [callback, *callback.others])
            found.insert(last + 1, callback)
            found.remove(callback)
