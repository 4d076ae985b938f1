"""MNIST of zeros and ones, static or dynamic; log-likelihoods of the two differ by nats and must not be compared.

Static: fixed files, 50,000 for training, 10,000 for validation, 10,000 for test (Larochelle & Murray 2011).
Dynamic: each pixel is 1 with its grey value as probability, drawn anew in each shuffled pass over "train", and once
for all otherwise.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.datasets import from_npz, from_tfds
from keras_ijae.datasets.source import Options, Source, Table

SHAPE = (28, 28, 1)


def open_source(argument: str, options: Options) -> Source:
    """Opens `binarized_mnist:WHAT`, WHAT being `static` (tfds' set of that name), `dynamic`, or an .npz FILE.

    The file has the arrays train, valid and test, (n, 28, 28) of zeros and ones, or packed along the last axis by
    `np.packbits`, (n, 28, 4).
    """
    options.refuse("'binarized_mnist:'", "keys", "data_shape")
    if argument == "static":
        return _zeros_and_ones(from_tfds.open_source("binarized_mnist", options))
    if argument == "dynamic":
        return _dynamic(from_tfds.open_source("mnist", options))
    options.refuse("files", "data_dir")
    return _zeros_and_ones(_unpacked(from_npz.open_source(argument, options), argument))


def _unpacked(source: Source, path: str) -> Source:
    if source.data_shape not in ((28, 28, 1), (28, 4, 1)):
        raise ValueError(f"{path!r} must hold images 28x28, or 28x4 packed bytes. Received: {source.data_shape[:2]}.")
    if source.data_shape == SHAPE:
        for split in source.splits:
            x = source.read(split, 0, None).x
            if x.any() and np.ptp(x[x > 0]):
                raise ValueError(
                    f"{path!r} must hold zeros and ones. Received: greys in {split!r}; 'dynamic' makes those of MNIST "
                    "ones by chance."
                )
        return source

    def read(split: str, start: int, stop: int | None) -> Table:
        packed = source.read(split, start, stop).x[..., 0]
        return Table(np.unpackbits(packed, axis=-1)[..., :28, None])

    return Source(source.splits, SHAPE, read)


def _zeros_and_ones(source: Source) -> Source:
    """Ones where the source has anything but 0, which is 1 or 255."""

    def read(split: str, start: int, stop: int | None) -> Table:
        table = source.read(split, start, stop)
        return Table((table.x > 0).astype(np.uint8), table.y)

    return Source(source.splits, SHAPE, read, labelled=source.labelled, classes=source.classes)


def _dynamic(mnist: Source) -> Source:
    def read(split: str, start: int, stop: int | None) -> Table:
        grey = mnist.read(split, start, stop)
        stop = start + grey.size
        uniforms = random.uniform((stop, *SHAPE), random.fold(0, "binarized_mnist", split))[start:]
        fixed = uniforms.numpy() < grey.x / 255
        return Table(fixed.astype(np.uint8), grey.y, redraw=_redraw(grey.x) if split == "train" else None)

    return Source(mnist.splits, SHAPE, read, labelled=mnist.labelled, classes=mnist.classes)


def _redraw(grey: np.ndarray) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def redraw(indices: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        chances = tf.cast(tf.gather(grey, indices), tf.float32) / 255
        uniforms = random.uniform([tf.shape(indices)[0], *SHAPE], seed)
        return tf.cast(uniforms < chances, tf.uint8)

    return redraw
