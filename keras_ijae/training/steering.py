"""What Keras' callbacks that steer training by its logs remember: kept in a backup, and given back to them."""

from collections.abc import Sequence

import h5py
import keras
import numpy as np

REMEMBERED = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: ("best",),
}
"""Class -> its attributes that are numbers, None, or a list of arrays (`best_weights`: all weights once more)."""
_GROUP = "remembered"


def remember(callbacks: Sequence[keras.callbacks.Callback], file: h5py.File) -> None:
    """Writes what those of a class in `REMEMBERED` know now."""
    for place, callback in _places(callbacks).items():
        for name, value in _state(callback).items():
            for index, array in enumerate(value if isinstance(value, list) else []):
                file[f"{place}/{name}/{index}"] = array
            if value is not None and not isinstance(value, list):
                file[f"{place}/{name}"] = value


def give_back(callbacks: Sequence[keras.callbacks.Callback], file: h5py.File) -> None:
    """Sets what they knew when the file was written; what is not in it stays as it is."""
    for place, callback in _places(callbacks).items():
        for name in _state(callback):
            found = file.get(f"{place}/{name}")
            if isinstance(found, h5py.Group):
                setattr(callback, name, [found[str(index)][()] for index in range(len(found))])
            elif found is not None:
                setattr(callback, name, np.asarray(found[()]).item())


def stopped(callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Whether one of them has ended training, and would do so again."""
    stopping = [one for one in callbacks if isinstance(one, keras.callbacks.EarlyStopping)]
    return any(one.stopped_epoch and one.wait >= one.patience for one in stopping)


def _places(callbacks):
    """Where in a file each callback has its place: by its class and what it looks at, and its order among such."""
    known = [one for one in callbacks if isinstance(one, tuple(REMEMBERED))]
    names = [f"{type(one).__name__}-{one.monitor}".replace("/", "|") for one in known]
    return {f"{_GROUP}/{names[:index].count(name)}-{name}": known[index] for index, name in enumerate(names)}


def _state(callback):
    names = next(names for kind, names in REMEMBERED.items() if isinstance(callback, kind))
    return {name: getattr(callback, name) for name in names}
