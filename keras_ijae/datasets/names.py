"""The names of data sets, and the errors for names that are none."""

import os

from keras_ijae.checks import did_you_mean

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

FORMS = {name.split(":")[0]: name for name in NAMES if name != "NAME"}
"""The names of our own with their arguments, by what stands before the colon."""


def without_directories(name: str | None) -> str | None:
    """A name for files that others may get: of a path its last part alone, "folder:cats" of "folder:/data/cats"."""
    form, _, argument = (name or "").partition(":")
    if ":" not in FORMS.get(form, ""):
        return name  # of tensorflow-datasets, where slashes are no path
    last = argument.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return f"{form}:{last}"


def unknown(name: str, tfds_names: list[str]) -> ValueError:
    """The error for a name that is neither ours nor tfds'; it shows the closest ones."""
    word = name.split(":")[0].split("/")[0]
    path = "npz" if name.endswith(".npz") else "folder" if os.path.isdir(name) else None
    hint = f" Did you mean '{path}:{name}'?" if path else ""
    hint = hint or did_you_mean(word, [*FORMS, *tfds_names])
    forms = ", ".join(f"'{form}'" for form in FORMS.values())
    return ValueError(
        f"Argument `name` must be {forms} or an image set of tensorflow-datasets (such as 'mnist'). "
        f"Received: name={name!r}.{hint}"
    )
