"""What is written beside an exported model, for people and for `keras-ijae info`."""

import json
import math
from pathlib import Path
from typing import Any

import keras

from keras_ijae import checks
from keras_ijae.datasets.names import without_directories
from keras_ijae.files import write_json
from keras_ijae.game.versions import versions

NAME = "keras_ijae.json"
"""The file; of a SavedModel in `assets.extra`, where TensorFlow leaves room for files of others."""


def of_model(model: Any, format: str, about: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is known of a model: its system, sizes, prior, parameters, versions; and what is told `about` it.

    Args:
        model: a `Game`.
        format: what it is exported to.
        about: further entries, such as {"dataset": "mnist"}, which go before those known.

    Raises:
        ValueError: `about` is no dictionary that JSON can hold.
    """
    about = {} if about is None else checks.instance("about", about, dict)
    try:
        json.dumps(about, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"Argument `about` must be a dictionary that JSON can hold: {error}") from error
    known = {
        "format": format,
        "system": model.created_as or type(model).__name__,
        **sizes(model),
        "steps": int(keras.ops.convert_to_numpy(model.steps)),
        "dataset": without_directories(model.trained_on),
    }
    return {**known, **about, "format": format, "versions": versions()}


def sizes(model: Any) -> dict[str, Any]:
    """What is known of a model before it is trained."""
    return {
        "data_shape": list(model.data_shape),
        "latent_dim": model.latent_dim,
        "classes": model.classes,
        "prior": type(model.sampling_prior).__name__,
        "parameters": parameters(model),
    }


def parameters(model: Any) -> int:
    """How many numbers a model has learned: of networks, priors, posterior and likelihood, and none twice."""
    return sum(parameters_of_parts(model).values())


def parameters_of_parts(model: Any) -> dict[str, int]:
    """Part -> how many of `parameters` are its own: of each network, and of what has some beside them."""
    beside = {"prior": model.prior, "sampling prior": model.sampling_prior, "posterior": model.posterior_family}
    counted: set[int] = set()
    found = {}
    for name, part in {**model.networks, **beside, "likelihood": model.observation_model}.items():
        weights = {id(weight): weight for weight in (() if part is None else part.weights)}
        count = sum(math.prod(weight.shape) for key, weight in weights.items() if key not in counted)
        counted |= weights.keys()
        if count or name in model.networks:
            found[name] = count
    return found


def write(directory: Path, described: dict[str, Any]) -> None:
    """Write the metadata of what has been exported to `directory`."""
    write_json(place_in(directory), described)


def place_in(directory: Path) -> Path:
    """Where the metadata of what is exported to `directory` are."""
    saved = (directory / "saved_model.pb").is_file()
    return directory / "assets.extra" / NAME if saved else directory / NAME
