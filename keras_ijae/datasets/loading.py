"""`load` and `info`: what users call."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae import checks
from keras_ijae.checks import did_you_mean, flag, whole
from keras_ijae.datasets.crops import framing
from keras_ijae.datasets.opening import open_source
from keras_ijae.datasets.pipeline import Batching, Passes, batches, named
from keras_ijae.datasets.source import Options, Source, Stream, Table
from keras_ijae.datasets.splits import parted, read_slice, resolve


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What a data set is.

    Attributes:
        name: its name.
        data_shape: shape of one example as `load` gives it; None for sides that vary.
        splits: number of examples of each split, None where they have not been counted.
        has_labels: whether the training split has labels.
        attributes: names of the labels where an example has several.
        unlabelled: splits without labels of a set whose training split has them.
        class_names: of the labels 0, 1, ... where an example has one and they have names, as the sub-folders of a
            folder are.
        classes: how many labels 0, 1, ... there are, where an example has one; None where that is not known: of arrays
            and records, which do not say it.
    """

    name: str
    data_shape: tuple[int | None, ...]
    splits: dict[str, int | None]
    has_labels: bool
    attributes: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    classes: int | None = None


def load(
    name: str,
    split: str = "train",
    batch_size: int = 64,
    *,
    labels: bool = False,
    attributes: Sequence[str] | None = None,
    shuffle: bool | None = None,
    seed: int = 0,
    epoch: int = 0,
    drop_remainder: bool | None = None,
    standardize: bool = False,
    crop: str | None = None,
    size: int | tuple[int, int] | None = None,
    keys: dict[str, str] | None = None,
    data_shape: tuple[int, ...] | None = None,
    data_dir: str | None = None,
    download: bool = True,
    shuffle_buffer: int = 10_000,
) -> tf.data.Dataset:
    """Loads a data set by name.

    Args:
        name: "digits", the name of a tfds image set ("mnist", "cifar10", "celeb_a", ...), "tiny_imagenet:DIR",
            "folder:DIR", "npz:FILE", "tfrecord:PATTERN", or one of the sets made here: "gmm5", "grid25", "manifold:N",
            "color_mnist", "binarized_mnist:WHAT" (`keras_ijae.datasets.NAMES` says what they are).
        split: one of the set's splits, or a slice of one: "train[:50000]", "test[-10%:]". "train" is always whole.
            Where a set has no "validation", that is the last tenth, "train[90%:]": train on "train[:90%]" beside it.
            Slices are fixed random samples: which examples they hold depends on nothing but the set, and slices that
            do not overlap share none. Sets that may be stored by class ("folder:", "npz:", "tiny_imagenet:",
            "tfrecord:", tfds sets that were prepared without shuffling) are sliced after a fixed random permutation,
            which for the first three also spreads each class evenly: each slice holds the classes in proportion.
            Other sets are stored in random order, and sliced in that order.
        batch_size: examples per batch.
        labels: whether to yield `(x, y)`; y is int64 `(batch,)`, or a dictionary of bool `(batch,)` for attributes
            (int64 for color_mnist's "digit" and "color").
        attributes: the attributes to yield as y (CelebA: "Smiling", ...); None with `labels` is all of them.
        shuffle: whether to shuffle anew in each pass; None shuffles "train" and slices of it, nothing else. Without it
            the order is fixed: the stored one for whole splits.
        seed: of the shuffling, >= 0. Pass k over the data has an order that depends on (seed, epoch + k) alone.
        epoch: number of the first pass, >= 0: a run resumed after k epochs passes k (or calls `set_epoch`).
        drop_remainder: whether to leave out the last, smaller batch; None does so for "train" and slices of it.
        standardize: whether to make each feature of vectors mean 0, variance 1 by the statistics of "train" (whole);
            constant features become 0.
        crop: how images are cut, a key of `keras_ijae.datasets.crops.CROPS`; None is "closecrop140" for celeb_a
            and otherwise "none", or "center" where `size` is given.
        size: side or (height, width) to resize images to; None is the crop's own, 64 for CelebA's.
        keys: names in the file of what we call "image" and "label", where they cannot be guessed.
        data_shape: (height, width, channels) of raw images in TFRecords.
        data_dir: where tfds keeps its prepared sets; None is the environment variable TFDS_DATA_DIR, or tfds' default.
        download: whether tfds may download and prepare a set that is missing.
        shuffle_buffer: for sets that are streamed (TFRecords, tfds sets over 1 GiB): the number of records from which
            the next one is taken. All others are shuffled whole.

    Returns:
        A `tf.data.Dataset` of float32 images in [0, 1], `(batch, height, width, channels)`, or of float32 vectors
        `(batch, features)`; with `labels` of pairs with y.

    Raises:
        ValueError: an argument is wrong (the closest known names are shown), the set is empty or not of images.
        FileNotFoundError: a file or directory is missing, or a tfds set is neither prepared nor downloadable.

    Example:
        >>> import keras_ijae as ki
        >>> train = ki.datasets.load("digits", batch_size=50)
        >>> train.element_spec.shape, int(train.cardinality())
        (TensorShape([50, 8, 8, 1]), 30)
    """
    for argument, value, least in (
        ("batch_size", batch_size, 1),
        ("seed", seed, 0),
        ("epoch", epoch, 0),
        ("shuffle_buffer", shuffle_buffer, 1),
    ):
        whole(argument, value, least)
    for argument, value in {"shuffle": shuffle, "drop_remainder": drop_remainder}.items():
        if value is not None:
            flag(argument, value)
    flag("labels", labels), flag("standardize", standardize)
    varying = size is not None and crop in (None, "none", "center")
    source = open_source(name, _options(keys, data_shape, data_dir, download, prepare=True, varying=varying))
    part, start, stop = resolve(split, source)
    names = _label_names(name, part, source, labels, attributes)
    frame, shape = framing(source.crop if crop is None else crop, size, source.data_shape)
    if None in shape:
        raise ValueError(f"The images of {name!r} vary in size: give them one by `size`. Received: size=None.")
    prepare = _prepare(source, frame, shape, _statistics(name, source) if standardize else None, names)
    training = split.startswith("train") and part == "train"
    how = Batching(
        batch_size,
        training if drop_remainder is None else drop_remainder,
        Passes(seed, epoch) if (training if shuffle is None else shuffle) else None,
        shuffle_buffer,
    )
    examples = read_slice(source, part, start, stop)
    if names is not False:
        _check_numbers(name, examples)
    return named(batches(examples, prepare, how), name)


def info(
    name: str,
    *,
    crop: str | None = None,
    size: int | tuple[int, int] | None = None,
    keys: dict[str, str] | None = None,
    data_shape: tuple[int, ...] | None = None,
    data_dir: str | None = None,
    prepare: bool = False,
) -> DatasetInfo:
    """Describes the data set `name`; arguments and errors as in `load`.

    Args:
        prepare: whether to download and prepare a tfds set that is missing. Before that its splits may not be known.

    Example:
        >>> ki.datasets.info("digits").splits
        {'train': 1500, 'test': 297}
    """
    source = open_source(name, _options(keys, data_shape, data_dir, prepare, prepare))
    _, shape = framing(source.crop if crop is None else crop, size, source.data_shape)
    labelled = "train" in source.labelled
    unlabelled = tuple(split for split in source.splits if labelled and split not in source.labelled)
    of_labels = source.attributes, unlabelled, source.class_names, source.classes
    return DatasetInfo(name, tuple(shape), dict(source.splits), labelled, *of_labels)


def hold_out(
    name: str,
    split: str,
    *,
    keys: dict[str, str] | None = None,
    data_shape: tuple[int, ...] | None = None,
    data_dir: str | None = None,
    download: bool = True,
) -> tuple[str, str]:
    """`split` of the data set `name` less its last tenth, and that tenth, as `load` takes them; arguments as there."""
    return parted(split, open_source(name, _options(keys, data_shape, data_dir, download, prepare=True)))


def _options(keys, data_shape, data_dir, download, prepare, varying=False) -> Options:
    if keys is not None and not (isinstance(keys, dict) and set(keys) <= {"image", "label"}):
        raise ValueError(f"Argument `keys` must be a dictionary with 'image' and/or 'label'. Received: keys={keys!r}.")
    if data_dir is not None:
        checks.path("data_dir", data_dir)
    if data_shape is not None:
        checks.data_shape(data_shape)
    flag("download", download), flag("prepare", prepare)
    return Options(keys or None, data_shape, data_dir, download, prepare, varying)


def _label_names(
    name: str, split: str, source: Source, labels: bool, attributes: Sequence[str] | None
) -> tuple[str, ...] | bool:
    """False for no labels, True for all there are, else the names of the attributes wanted."""
    if isinstance(attributes, str):
        attributes = (attributes,)
    if not labels and attributes is None:
        return False
    if split not in source.labelled:
        raise ValueError(f"Argument `labels` must be False: the split {split!r} of {name!r} has none. Received: True.")
    if attributes is not None and not isinstance(attributes, Sequence):
        raise ValueError(f"Argument `attributes` must be a list of names. Received: attributes={attributes!r:.200}.")
    for attribute in attributes or ():
        if attribute not in source.attributes:
            raise ValueError(
                f"Argument `attributes` must name some of {list(source.attributes)}. Received: {attribute!r}."
                + did_you_mean(str(attribute), source.attributes)
            )
    return True if attributes is None else tuple(attributes)


def _check_numbers(name: str, examples: Table | Stream) -> None:
    y = examples.y if isinstance(examples, Table) else None
    if isinstance(y, np.ndarray) and y.dtype.kind not in "biuf":
        raise ValueError(f"Labels must be numbers: classes as 0, 1, .... Received: {name!r} with labels of {y.dtype}.")


def _prepare(
    source: Source,
    frame: Callable,
    shape: tuple[int, ...],
    statistics: tuple[np.ndarray, np.ndarray] | None,
    names: tuple[str, ...] | bool,
) -> Callable[[tf.Tensor, Any], Any]:
    """The function from stored values to what the data set yields, for one example and for a batch."""

    def prepare(x: tf.Tensor, y: Any) -> Any:
        x = tf.cast(x, tf.float32)
        x = frame(x / source.scale if source.scale != 1.0 else x)
        x.set_shape(x.shape[: x.shape.rank - len(shape)].concatenate(shape))
        if statistics is not None:
            x = (x - statistics[0]) / statistics[1]
        if names is False:
            return x
        return x, y if names is True else {key: y[key] for key in names}

    return prepare


def _statistics(name: str, source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the whole training split, float32."""
    if len(source.data_shape) != 1:
        raise ValueError(f"Argument `standardize` is for vectors. Received: {name!r} of shape {source.data_shape}.")
    if "train" not in source.splits:
        raise ValueError(f"Argument `standardize` needs a split 'train'. Received: {name!r} with {[*source.splits]}.")
    examples = source.read("train", 0, source.splits["train"])
    if isinstance(examples, Stream):
        examples = _collect(examples)
    x = examples.x.astype(np.float64) / source.scale
    deviation = x.std(0)
    return x.mean(0).astype(np.float32), np.where(deviation > 0, deviation, 1.0).astype(np.float32)


def _collect(stream: Stream) -> Table:
    records = stream.records(None).map(lambda *record: stream.decode(*record)[0]).batch(1024)
    return Table(np.concatenate(list(records.as_numpy_iterator())))
