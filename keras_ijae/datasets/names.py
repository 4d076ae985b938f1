"""From a name to an opened source."""

import importlib
import os

from keras_ijae.checks import did_you_mean
from keras_ijae.datasets.source import Options, Source

NAMES = {
    "digits": "scikit-learn's 1,797 handwritten digits, 8x8, embedded: needs no download",
    "gmm5": "five Gaussians in the plane, ALICE's and sVAE's toy",
    "grid25": "ALI's grid of 25 narrow Gaussians in the plane",
    "manifold:N": "a curved N-dimensional manifold in 128 dimensions",
    "color_mnist": "MNIST's digits in twelve colours",
    "binarized_mnist:WHAT": "MNIST of zeros and ones: static, dynamic, or the arrays of an .npz file",
    "tiny_imagenet:DIR": "the unzipped tiny-imagenet-200, 64x64x3",
    "folder:DIR": "image files, flat or in one sub-folder per class",
    "npz:FILE": "arrays of a NumPy archive: images or vectors",
    "tfrecord:PATTERN": "TFRecord files of tf.train.Example",
    "NAME": "any image set of tensorflow-datasets: mnist, fashion_mnist, cifar10, celeb_a, ...",
}
"""The names that `load` understands, with one line each."""

_ON_TFDS = ("color_mnist", "binarized_mnist")
_ORIGINS = {name.split(":")[0]: name for name in NAMES if name != "NAME"}


def unknown(name: str, tfds_names: list[str]) -> ValueError:
    """The error for a name that is neither ours nor tfds'; it shows the closest ones."""
    word = name.split(":")[0].split("/")[0]
    path = "npz" if name.endswith(".npz") else "folder" if os.path.isdir(name) else None
    hint = f" Did you mean '{path}:{name}'?" if path else ""
    hint = hint or did_you_mean(word, [*_ORIGINS, *tfds_names])
    forms = ", ".join(f"'{form}'" for form in _ORIGINS.values())
    return ValueError(
        f"Argument `name` must be {forms} or an image set of tensorflow-datasets (such as 'mnist'). "
        f"Received: name={name!r}.{hint}"
    )


def open_source(name: str, options: Options) -> Source:
    """Opens the data set `name`; see `load` for the names and the errors."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"Argument `name` must be the name of a data set. Received: name={name!r}.")
    origin, _, argument = name.partition(":")
    if origin not in _ORIGINS:
        return importlib.import_module("keras_ijae.datasets.from_tfds").open_source(name, options)
    if (":" in _ORIGINS[origin]) != bool(argument):
        raise ValueError(f"Argument `name` must have the form '{_ORIGINS[origin]}'. Received: name={name!r}.")
    if origin not in _ON_TFDS:
        options.refuse(f"'{origin}', which is no set of tensorflow-datasets", "data_dir")
    return importlib.import_module(f"keras_ijae.datasets.from_{origin}").open_source(argument, options)
