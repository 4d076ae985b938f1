"""From a name to an opened source."""

from keras_ijae.datasets import (
    from_binarized_mnist,
    from_color_mnist,
    from_digits,
    from_folder,
    from_gmm5,
    from_grid25,
    from_manifold,
    from_npz,
    from_tfds,
    from_tfrecord,
    from_tiny_imagenet,
)
from keras_ijae.datasets.names import FORMS
from keras_ijae.datasets.source import Options, Source

_ORIGINS = {
    "digits": from_digits,
    "gmm5": from_gmm5,
    "grid25": from_grid25,
    "manifold": from_manifold,
    "color_mnist": from_color_mnist,
    "binarized_mnist": from_binarized_mnist,
    "tiny_imagenet": from_tiny_imagenet,
    "folder": from_folder,
    "npz": from_npz,
    "tfrecord": from_tfrecord,
}
_ON_TFDS = ("color_mnist", "binarized_mnist")


def open_source(name: str, options: Options) -> Source:
    """Opens the data set `name`; see `load` for the names and the errors."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"Argument `name` must be the name of a data set. Received: name={name!r}.")
    origin, _, argument = name.partition(":")
    if origin not in _ORIGINS:
        return from_tfds.open_source(name, options)
    if (":" in FORMS[origin]) != bool(argument):
        raise ValueError(f"Argument `name` must have the form '{FORMS[origin]}'. Received: name={name!r}.")
    if origin not in _ON_TFDS:
        options.refuse(f"'{origin}', which is no set of tensorflow-datasets", "data_dir")
    return _ORIGINS[origin].open_source(argument, options)
