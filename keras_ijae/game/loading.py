"""Models from files, with errors that say what is wrong with them."""

import os

import keras

from keras_ijae import checks
from keras_ijae.game.game import Game

_NO_FILE = "Argument `path` must be a .keras file of this package, or a run directory with a model.keras."
_CODE = "safe_mode=False"
"""What Keras' errors name where it refuses code, and only there."""
_TRUST = (
    "as a `keras.layers.Lambda` has it. If you trust the file, `ki.load_model(path, safe_mode=False)` in Python runs "
    "it; a layer of your own that is registered with Keras needs none"
)


def load_model(path: str | os.PathLike, *, safe_mode: bool = True) -> Game:
    """A model from a `.keras` file, whole: networks, averages, optimizers, step number.

    `keras.models.load_model` does the same; this one takes run directories as well, and says more clearly what is
    wrong with a bad file.

    Args:
        path: the file, or a run directory, of which the finished model is loaded.
        safe_mode: whether code in the file is refused, such as that of a `keras.layers.Lambda` in networks of your own;
            False runs it: only for files that you trust.

    Raises:
        ValueError: the file is missing, corrupt, holds no model of this package, or holds code.

    Example:
        >>> model = ki.create("vae", data_shape=(8, 8, 1), latent_dim=4)
        >>> model.save("model.keras")
        >>> (ki.load_model("model.keras").sample(2, seed=0) == model.sample(2, seed=0)).all()
        np.True_
    """
    file, safe_mode = checks.path("path", path), checks.flag("safe_mode", safe_mode)
    file = file / "model.keras" if file.is_dir() else file
    if not file.is_file():
        raise ValueError(f"{_NO_FILE} Received: {file}, which does not exist")
    try:
        model = keras.models.load_model(file, safe_mode=safe_mode)
    except Exception as error:  # a bad file fails in as many ways as there are readers
        if _CODE in str(error):
            raise ValueError(f"{_NO_FILE} Received: {file}, which holds code, {_TRUST}") from error
        raise ValueError(f"{_NO_FILE} Received: {file}, which fails with {error}") from error
    if not isinstance(model, Game):
        raise ValueError(f"{_NO_FILE} Received: {file}, a {type(model).__name__}")
    return model
