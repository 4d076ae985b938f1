"""What a run, a `.keras` file or an exported model says of itself, read without loading it."""

import io
import json
import math
import os
import zipfile
import zlib
from typing import Any

import h5py

from keras_ijae import checks
from keras_ijae.game import metadata
from keras_ijae.game.config import origin_in
from keras_ijae.training.runs import RunDirectory

LARGEST = 2**24
"""Bytes of JSON that are read: a configuration has some ten thousand."""

_WEIGHTS = "model.weights.h5"
_OTHERS = ("vars", "averaging", "constraint", "label_counts")
"""What stands beside parameters in a model's weights: its counters, the first of which counts steps, and averages."""
_KINDS = "a run directory, a .keras file of this package, or a directory that `export` made"


def info(path: str | os.PathLike) -> dict[str, Any]:
    """What is known of a trained model from its files alone; nothing in them is run.

    Args:
        path: a run directory, a `.keras` file, or what `model.export` or `model.export_encoder` made.

    Returns:
        "kind" ("run", "keras", "savedmodel", "onnx" or "tflite"), "system" (its name, or its class where `ki.create`
        had no name), "data_shape", "latent_dim", "classes", "prior", "parameters" (of networks, priors, posterior and
        likelihood), "steps" (those trained), "dataset" (what it was trained on, if `ki.datasets.load` has a name for
        it; where there is no run, without directories) and "versions", each None where it is not known; and what else
        there is: a run's "class_names" and "epochs" (those done, and those of the recipe), which of its files are
        "damaged", what was exported ("functions").

    Raises:
        ValueError: there is nothing at `path`, or something else, or it is damaged; of a run, its config.json.
    """
    place = checks.path("path", path)
    if place.is_file():
        return _of_file(place)
    if metadata.place_in(place).is_file():
        return _of_export(place)
    if RunDirectory(place).config.is_file():
        return _of_run(RunDirectory(place))
    raise _wrong(place, "which is a SavedModel of another program" if (place / "saved_model.pb").is_file() else None)


def _of_export(path):
    found = _read(metadata.place_in(path))
    if found.get("format") not in ("savedmodel", "onnx", "tflite"):
        raise _wrong(path, "whose metadata name no format")
    return {"kind": found.pop("format"), **found}


def _of_run(run):
    recipe, content, damaged = run.read_recipe(), _read(run.config), []
    model = _dictionary(content.get("sizes"))
    if run.model.is_file():
        model = _unless_damaged(lambda: _of_keras(run.model), model, damaged)
    history = _unless_damaged(run.read_history, None, damaged)
    return {
        "kind": "run",
        "system": recipe.system,
        "data_shape": model.get("data_shape"),
        "latent_dim": recipe.latent_dim,
        "classes": recipe.classes,
        **({"class_names": names} if (names := run.read_class_names()) else {}),
        **{name: model.get(name) for name in ("prior", "parameters", "steps")},
        "dataset": recipe.dataset,
        "arguments": recipe.arguments,
        "epochs": [None if history is None else max((row["epoch"] for row in history), default=0), recipe.epochs],
        "versions": content.get("versions"),
        **({"damaged": damaged} if damaged else {}),
    }


def _unless_damaged(read, otherwise, damaged):
    """What `read` returns; of a file that it cannot read `otherwise`, and why in the list `damaged`."""
    try:
        return read()
    except (ValueError, OSError) as error:
        damaged.append(str(error))
        return otherwise


def _of_file(path):
    found, run = _of_keras(path), RunDirectory(path.parent)
    if run.model == path and run.config.is_file() and "recipe" in _read(run.config):
        recipe = run.read_recipe()
        found |= {"system": recipe.system, "dataset": recipe.dataset}
    return found


def _of_keras(path):
    try:
        with zipfile.ZipFile(path) as archive:
            config, about = (_parsed(path, archive.open(f"{name}.json").read) for name in ("config", "metadata"))
            weights = _of_weights(archive)
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _wrong(path, f"which fails with {error}") from error
    arguments = config.get("config")
    origin = origin_in(_dictionary(arguments))
    if not isinstance(arguments, dict) or not {"data_shape", "latent_dim", "classes", "ema"} <= arguments.keys():
        raise _wrong(path, f"a model of the class {config.get('class_name')!r:.80}")
    prior = arguments.get("sampling_prior") or arguments.get("prior")
    return {
        "kind": "keras",
        "system": origin.get("system") or config.get("class_name"),
        **{name: arguments[name] for name in ("data_shape", "latent_dim", "classes")},
        "prior": prior.get("class_name") if isinstance(prior, dict) else prior,
        **weights,
        "dataset": origin.get("dataset"),
        "versions": {"keras_ijae": origin.get("keras_ijae"), "keras": about.get("keras_version")},
        "saved": about.get("date_saved"),
    }


def _dictionary(found):
    return found if isinstance(found, dict) else {}


def _of_weights(archive):
    """How many parameters there are and after how many steps, by the shapes in the file of weights, which stay there.

    Neither is known of a file that is damaged, or packed, which Keras does not do: it would have to be unpacked.
    """
    shapes: dict[str, int] = {}
    steps = []

    def look(name, item):
        if isinstance(item, h5py.Dataset):
            owner = name.partition("/")[0]
            if owner not in _OTHERS and "optimizer" not in owner:
                shapes[name] = math.prod(item.shape)
            elif name == "vars/0" and item.shape == ():
                steps.append(int(item[()]))

    try:
        if archive.getinfo(_WEIGHTS).compress_type == zipfile.ZIP_STORED:
            with h5py.File(
                io.BytesIO(archive.read(_WEIGHTS))
            ) as weights:  # it goes back and forth, as zip files do not
                weights.visititems(look)
    except (KeyError, OSError, RuntimeError, TypeError, ValueError, ArithmeticError, zipfile.BadZipFile):
        return dict.fromkeys(("parameters", "steps"))
    return {"parameters": sum(shapes.values()) if shapes else None, "steps": steps[0] if steps else None}


def _read(path):
    with path.open("rb") as file:
        return _parsed(path, file.read)


def _parsed(path, read):
    """The dictionary in a file, of which at most `LARGEST` bytes are read."""
    try:
        raw = read(LARGEST + 1)
        content = json.loads(raw) if len(raw) <= LARGEST else None
    except (OSError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        raise _wrong(path, f"which fails with {error}") from error
    if not isinstance(content, dict):
        raise _wrong(path, "whose description is no dictionary, or too large")
    return content


def _wrong(path, what):
    return ValueError(
        f"Argument `path` must be {_KINDS}. Received: {path}, "
        f"{what or ('which is neither' if path.exists() else 'which does not exist')}"
    )
