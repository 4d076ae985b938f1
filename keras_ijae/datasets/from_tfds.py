"""Image sets of tensorflow-datasets, by name. Small ones are held in memory as uint8, the others are streamed."""

import contextlib
import functools
import math
import os
import socket
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import absl.logging
import numpy as np
import tensorflow as tf

from keras_ijae.datasets.names import unknown
from keras_ijae.datasets.source import Options, Source, Stream, Table

_IN_MEMORY = 2**30


@functools.cache
def _tfds() -> ModuleType:
    """tensorflow-datasets, imported when first needed, its own warnings kept quiet."""
    with _quiet():
        import tensorflow_datasets

        return tensorflow_datasets


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """tensorflow-datasets warns about its own insides, through `warnings` and through absl's log."""
    level = absl.logging.get_verbosity()
    absl.logging.set_verbosity(absl.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl.logging.set_verbosity(level)


def open_source(name: str, options: Options) -> Source:
    """Opens the tfds set `name`, which may carry a configuration and a version as in tfds.

    Raises:
        FileNotFoundError: it is neither prepared nor can it be downloaded.
        ValueError: unknown name, a set without images, or `keys` that it does not have.
    """
    options.refuse("tensorflow-datasets", "data_shape")
    builder = _builder(name, options)
    image = _image_key(builder, name, options)
    label = _label_key(builder, name, options)
    if options.prepare and not builder.is_prepared():
        _prepare(builder, name, options)
    sizes = {split: info.num_examples for split, info in builder.info.splits.items() if "[" not in split}
    feature = builder.info.features[image]
    attributes = builder.info.features[label] if label else {}
    names = tuple(attributes) if isinstance(attributes, _tfds().features.FeaturesDict) else ()

    def read(split: str, start: int, stop: int | None) -> Table | Stream:
        return _read(builder, image, label, split, start, sizes[split] if stop is None else stop)

    return Source(
        sizes,
        tuple(feature.shape),
        read,
        scale=255.0,
        labelled=frozenset((*sizes, "train") if label else ()),
        attributes=names,
        class_names=_class_names(attributes),
        classes=getattr(attributes, "num_classes", None),
        crop="closecrop140" if builder.name == "celeb_a" else "none",
        shuffled=not builder.info.disable_shuffling,
    )


def _builder(name: str, options: Options) -> Any:
    tfds = _tfds()
    directory = options.data_dir or os.environ.get("TFDS_DATA_DIR") or None
    directory = os.path.expanduser(directory) if directory else None
    try:
        with _quiet():
            return tfds.builder(name, data_dir=directory)
    except (ValueError, AssertionError) as error:  # tfds asserts that a version exists
        known = tfds.list_builders(with_community_datasets=False)
        if name.split(":")[0].split("/")[0] in known:
            raise ValueError(f"Argument `name` is not understood by tensorflow-datasets: {_brief(error)}") from error
        raise unknown(name, known) from None
    except (ImportError, tf.errors.OpError) as error:  # of a library that tfds needs for some names, or of the network
        raise ValueError(
            f"Argument `name` cannot be opened by tensorflow-datasets: {_brief(error)}. Received: name={name!r}"
        ) from error


def _image_key(builder: Any, name: str, options: Options) -> str:
    features = builder.info.features
    images = [key for key, feature in features.items() if isinstance(feature, _tfds().features.Image)]
    supervised = [key for key in builder.info.supervised_keys or () if key in images]
    key = options.key("image") or next(iter(supervised + images), None)
    if key is None:
        raise ValueError(
            f"The set {name!r} of tensorflow-datasets holds no images: its features are {sorted(features)}."
        )
    if key not in images:
        raise ValueError(f"Argument `keys` must name one of the images {images}. Received: keys={options.keys}.")
    if features[key].np_dtype != np.uint8:
        raise ValueError(f"The images of {name!r} must be uint8. Received: dtype {features[key].np_dtype}.")
    return key


def _label_key(builder: Any, name: str, options: Options) -> str | None:
    features, tfds = builder.info.features, _tfds()
    asked = options.key("label")
    if asked and asked not in features:
        raise ValueError(
            f"Argument `keys` must name one of {sorted(features)} of {name!r}. Received: keys={options.keys}."
        )
    supervised = [key for key in builder.info.supervised_keys or () if isinstance(key, str)]
    candidates = [asked] if asked else [*supervised, "label", "attributes", *features]
    kinds = (tfds.features.ClassLabel, tfds.features.FeaturesDict)
    wanted = {"attributes"} if asked is None else {asked}
    for key in candidates:
        if key in features and (isinstance(features[key], kinds[0]) or key in wanted):
            return key
    return None


def _class_names(label: Any) -> tuple[str, ...]:
    """Names of the classes of a feature, where it has them and they are more than numbers."""
    names = getattr(label, "names", None) if isinstance(label, _tfds().features.ClassLabel) else None
    return tuple(names) if names and list(names) != [str(number) for number in range(len(names))] else ()


def _prepare(builder: Any, name: str, options: Options) -> None:
    reason = "`download` is False"
    if options.download:
        try:
            _reachable(builder)
            builder.download_and_prepare()
            return
        except Exception as error:
            reason = _brief(error).rstrip(".")
    raise FileNotFoundError(
        f"The set {name!r} is not prepared in {str(builder.data_dir)!r} and could not be downloaded: {reason}. "
        f"Prepare it where there is a network with `tfds build {name} --data_dir DIR`, copy DIR here, and set the "
        "environment variable TFDS_DATA_DIR (or the argument `data_dir`) to it."
    )


def _reachable(builder: Any) -> None:
    """Raises at once where no server of the set can be found: tfds itself would try for minutes."""
    hosts = {urllib.parse.urlparse(url).hostname for url in builder.url_infos} - {None}
    if not hosts or urllib.request.getproxies():
        return
    for host in hosts:
        try:
            socket.getaddrinfo(host, 443)
            return
        except OSError:
            continue
    raise ConnectionError(f"no server found at {', '.join(sorted(hosts))}.")


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} ..."


def _read(builder: Any, image: str, label: str | None, split: str, start: int, stop: int) -> Table | Stream:
    shape = builder.info.features[image].shape
    if None in shape or (stop - start) * math.prod(shape) > _IN_MEMORY:
        decode = builder.info.features[image].decode_example
        records = _records(builder, image, label, split, start, stop, encoded=True)
        return Stream(
            lambda seed: records,
            lambda record: (tf.ensure_shape(decode(record[image]), shape), record[label] if label else None),
            stop - start,
        )
    records = _records(builder, image, label, split, start, stop, encoded=False)
    x, y = np.empty((stop - start, *shape), np.uint8), []
    place = 0
    for batch in records.batch(1024).as_numpy_iterator():
        x[place : place + len(batch[image])] = batch[image]
        place += len(batch[image])
        y.append(batch[label] if label else None)
    return Table(x, tf.nest.map_structure(lambda *parts: np.concatenate(parts), *y) if label else None)


def _records(
    builder: Any, image: str, label: str | None, split: str, start: int, stop: int, *, encoded: bool
) -> tf.data.Dataset:
    """The examples in stored order, only the two features that are wanted."""
    tfds = _tfds()
    instruction = tfds.core.ReadInstruction(split, from_=start, to=stop, unit="abs")
    features = {key: True for key in (image, label) if key}
    config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False, skip_prefetch=True)
    decoders = {image: tfds.decode.SkipDecoding()} if encoded else None
    partial = tfds.decode.PartialDecoding(features, decoders=decoders)
    with _quiet():
        return builder.as_dataset(split=instruction, shuffle_files=False, decoders=partial, read_config=config)
