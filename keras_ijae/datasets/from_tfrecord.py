"""TFRecord files of `tf.train.Example`; what an example holds is read off the first one."""

import dataclasses
import functools
import math
import os
from typing import Any

import numpy as np
import tensorflow as tf

from keras_ijae.datasets.images import decode, is_encoded
from keras_ijae.datasets.source import Options, Source, Stream

_IMAGES = ("image", "image/encoded", "image_raw", "x")
_LABELS = ("label", "image/class/label", "y")
_SIDES = (("height", "width"), ("image/height", "image/width"))
UNKNOWN = -1
"""The label of a record without one."""
_DEPTHS = ("depth", "channels", "image/channels", "image/depth")


@dataclasses.dataclass(frozen=True)
class _Layout:
    """What an Example holds: `kind` is "encoded", "uint8", "float32" (raw bytes) or "floats"."""

    image: str
    kind: str
    shape: tuple[int | None, ...]
    label: str | None


def open_source(argument: str, options: Options) -> Source:
    """Opens `tfrecord:PATTERN`, `~` expanded; files ending in .gz are read as gzip.

    Raises:
        FileNotFoundError: no file fits the pattern.
        ValueError: not TFRecord files of Examples, no image in them, or a shape that is unknown or wrong.
    """
    argument = os.path.expanduser(argument)
    files = [argument] if os.path.isfile(argument) else sorted(tf.io.gfile.glob(argument))
    if not files:
        raise FileNotFoundError(f"No file fits the pattern {argument!r}.")
    for file in files:
        if os.path.exists(file) and not os.path.isfile(file):  # others are none of this machine's
            raise ValueError(f"Not a file: {file!r}. The pattern must fit TFRecord files only.")
    layout = _layout(_first(files), files[0], options)

    def read(split: str, start: int, stop: int | None) -> Stream:
        return _stream(files, layout, stop)

    return Source(
        {"train": None},
        layout.shape,
        read,
        scale=1.0 if layout.kind in ("floats", "float32") else 255.0,
        labelled=frozenset(["train"] if layout.label else []),
        count=functools.cache(lambda split: int(_records(files).reduce(0, lambda n, _: n + 1))),
        shuffled=False,
    )


def _records_of(file: tf.Tensor) -> tf.data.Dataset:
    return tf.data.TFRecordDataset(file, tf.where(tf.strings.regex_full_match(file, r"(?s).*\.gz"), "GZIP", ""))


def _records(files: list[str]) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(files).flat_map(_records_of)


def _first(files: list[str]) -> dict[str, tf.train.Feature]:
    try:
        record = next((r.numpy() for r in _records(files).take(1)), None)
        if record is not None:
            return dict(tf.train.Example.FromString(record).features.feature)
    except Exception as error:
        raise ValueError(
            f"{files[0]!r} is not a TFRecord file of tf.train.Example ({type(error).__name__})."
        ) from error
    raise ValueError(f"The data set is empty: {files[0]!r} holds no record.")


def _layout(example: dict[str, tf.train.Feature], file: str, options: Options) -> _Layout:
    names = [options.key("image")] if options.key("image") else _IMAGES
    image = next((name for name in names if name in example), None)
    label = options.key("label") or next((name for name in _LABELS if name in example), None)
    if options.may_drop_label and label and not _is_label(example[label]):
        label = None
    if image is None or (label and label not in example):
        raise ValueError(
            f"The records of {file!r} hold {sorted(example)} and none called {label if image else ' or '.join(names)}: "
            "say which with `keys`={'image': NAME, 'label': NAME}."
        )
    if label and not _is_label(example[label]):
        raise ValueError(f"The records' {label!r} must be one integer. Received: {file!r} with {example[label]!s:.80}.")
    if example[image].WhichOneof("kind") == "float_list":
        layout = _Layout(image, "floats", _floats_shape(example[image], file, options), label)
        return _checked(layout, np.reshape(np.float32(example[image].float_list.value), layout.shape), file)
    if example[image].WhichOneof("kind") != "bytes_list" or not example[image].bytes_list.value:
        raise ValueError(
            f"The records' {image!r} must be bytes or floats. Received: {file!r} with integers or nothing."
        )
    data = example[image].bytes_list.value[0]
    if is_encoded(data):
        options.refuse("encoded images", "data_shape")
        sides = tf.io.decode_image(data, expand_animations=False).shape
        height, width, channels = (None, None, sides[2]) if options.varying else sides
        return _Layout(image, "encoded", (height, width, 1 if channels < 3 else 3), label)
    shape = options.data_shape or _stored_shape(example)
    if shape is None or min(shape) < 1 or len(data) not in (math.prod(shape), 4 * math.prod(shape)):
        raise ValueError(
            f"The records' {image!r} is {len(data)} raw bytes: pass the images' `data_shape`, whose product must be "
            f"that (uint8) or a quarter of it (float32). Received: data_shape={shape}."
        )
    layout = _Layout(image, "uint8" if len(data) == math.prod(shape) else "float32", tuple(shape), label)
    return _checked(layout, data, file)


def _is_label(feature: tf.train.Feature) -> bool:
    return len(feature.int64_list.value) == 1


def _checked(layout: _Layout, value: Any, file: str) -> _Layout:
    """The layout; ValueError where the first record's values are no floats as they have to be."""
    try:
        _pixels(tf.constant(value), layout)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"The records' {layout.image!r}, taken for {layout.kind} of shape {layout.shape}, must be finite, and in "
            f"[0, 1] as images. Received: {file!r} with others. Bytes of another shape need `data_shape`."
        ) from error
    return layout


def _floats_shape(feature: tf.train.Feature, file: str, options: Options) -> tuple[int, ...]:
    shape = options.data_shape or (len(feature.float_list.value),)
    if math.prod(shape) != len(feature.float_list.value):
        raise ValueError(
            f"Argument `data_shape` must have {len(feature.float_list.value)} values, as in {file!r}. "
            f"Received: data_shape={shape}."
        )
    return tuple(shape)


def _stored_shape(example: dict[str, tf.train.Feature]) -> tuple[int, ...] | None:
    for sides in _SIDES:
        if all(name in example and example[name].int64_list.value for name in sides):
            depths = [example[name].int64_list.value[0] for name in _DEPTHS if name in example]
            return (*(example[name].int64_list.value[0] for name in sides), *(depths[:1] or [1]))
    return None


def _stream(files: list[str], layout: _Layout, size: int | None) -> Stream:
    """All records; of slices only whole ones are read here, since the stored order is not a random one."""

    def records(seed: tf.Tensor | None) -> tf.data.Dataset:
        if seed is None:
            return _records(files)
        names = tf.data.Dataset.from_tensor_slices(files)
        names = names.shuffle(len(files), seed=seed, reshuffle_each_iteration=False)
        return names.interleave(_records_of, cycle_length=min(8, len(files)), block_length=16)

    spec = {layout.image: tf.io.FixedLenFeature([], tf.string)}
    if layout.kind == "floats":
        spec = {layout.image: tf.io.FixedLenFeature(layout.shape, tf.float32)}
    if layout.label:
        spec[layout.label] = tf.io.FixedLenFeature([], tf.int64, default_value=UNKNOWN)

    def parse(record: tf.Tensor) -> tuple:
        values = tf.io.parse_single_example(record, spec)
        return _pixels(values[layout.image], layout), values.get(layout.label)

    return Stream(records, parse, size)


def _pixels(value: tf.Tensor, layout: _Layout) -> tf.Tensor:
    if layout.kind == "encoded":
        return tf.ensure_shape(decode(value, layout.shape[2], "a record's bytes"), layout.shape)
    if layout.kind == "uint8":
        return tf.reshape(tf.io.decode_raw(value, tf.uint8), layout.shape)
    x = value if layout.kind == "floats" else tf.reshape(tf.io.decode_raw(value, tf.float32), layout.shape)
    images = len(layout.shape) == 3
    fits = tf.math.is_finite(x) & ((x >= 0) & (x <= 1)) if images else tf.math.is_finite(x)
    received = [f"A record's floats must be finite{' and in [0, 1]' * images}, not", tf.reduce_min(x), tf.reduce_max(x)]
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(fits), received)]):
        return tf.identity(x)
