"""Models from files, with errors that say what is wrong with them."""

import os

import keras

from keras_ijae import checks
from keras_ijae.game.game import Game

_NO_FILE = "Argument `path` must be a .keras file of this package, or a run directory with a model.keras."


def load_model(path: str | os.PathLike) -> Game:
    """A model from a `.keras` file, whole: networks, averages, optimizers, step number.

    `keras.models.load_model` does the same; this one takes run directories as well, and says more clearly what is
    wrong with a bad file.

    Args:
        path: the file, or a run directory, of which the finished model is loaded.

    Raises:
        ValueError: the file is missing, corrupt, or holds no model of this package.

    Example:
        >>> model = ki.create("vae", data_shape=(8, 8, 1), latent_dim=4)
        >>> model.save("model.keras")
        >>> (ki.load_model("model.keras").sample(2, seed=0) == model.sample(2, seed=0)).all()
        np.True_
    """
    file = checks.path("path", path)
    file = file / "model.keras" if file.is_dir() else file
    if not file.is_file():
        raise ValueError(f"{_NO_FILE} Received: {file}, which does not exist")
    try:
        model = keras.models.load_model(file)
    except Exception as error:  # a bad file fails in as many ways as there are readers
        raise ValueError(f"{_NO_FILE} Received: {file}, which fails with {error}") from error
    if not isinstance(model, Game):
        raise ValueError(f"{_NO_FILE} Received: {file}, a {type(model).__name__}")
    return model
