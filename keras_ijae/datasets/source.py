"""What every origin of data (embedded, tfds, files) is turned into before it becomes batches."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Options:
    """What the user said about how to read a set; each origin refuses what it has no use for.

    Attributes:
        keys: the names in the file of what we call "image" and "label".
        data_shape: shape of one example, for records that do not say it.
        data_dir: where tfds keeps its prepared sets.
        download: whether tfds may download.
        prepare: False when only the description of the set is wanted.
        varying: whether images are cut and resized, so that their sides may vary.
    """

    keys: dict[str, str] | None = None
    data_shape: tuple[int, ...] | None = None
    data_dir: str | None = None
    download: bool = True
    prepare: bool = True
    varying: bool = False

    def refuse(self, origin: str, *arguments: str) -> None:
        """Raises if one of `arguments` was given to an origin that does not use it."""
        for argument in arguments:
            value = getattr(self, argument)
            if value is not None:
                raise ValueError(f"Argument `{argument}` has no meaning for {origin}. Received: {argument}={value!r}.")

    def key(self, role: str) -> str | None:
        """The name that the user gave for "image" or "label", or None."""
        return (self.keys or {}).get(role)

    @property
    def may_drop_label(self) -> bool:
        """Whether the user named the image alone: a label that is guessed beside it, and does not fit, is none."""
        return self.key("image") is not None and self.key("label") is None


@dataclasses.dataclass(frozen=True)
class Table:
    """Examples that can be reached by index.

    Attributes:
        x: `(n, ...)`: pixels, vectors, or what `decode` makes an example of (file names).
        y: labels `(n,)`, a dictionary of such arrays, or None.
        decode: from one entry of `x` to one image; None where `x` holds the images.
        redraw: `(indices, seed)` -> examples with these indices in place of `x`, for shuffled passes over sets that are
            drawn anew in each; seed is a `(2,)` int32 key.
    """

    x: np.ndarray
    y: Any = None
    decode: Callable[[tf.Tensor], tf.Tensor] | None = None
    redraw: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None

    @property
    def size(self) -> int:
        """How many examples there are."""
        return len(self.x)


@dataclasses.dataclass(frozen=True)
class Stream:
    """Examples that are read one after the other.

    Attributes:
        records: from a scalar int64 seed (None: in order) to the data set of records, where the seed may
            order the files; the order of the records is the pipeline's concern.
        decode: from one record to `(image, label or None)`.
        size: how many examples there are, None if unknown.
    """

    records: Callable[[tf.Tensor | None], tf.data.Dataset]
    decode: Callable[[Any], tuple[tf.Tensor, Any]]
    size: int | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """One data set, opened.

    Attributes:
        splits: examples of each split; None where they have not been counted.
        data_shape: shape of one example as stored; None for a side that varies.
        read: `(split, start, stop)` -> the examples from `start` to before `stop` (None: the end) in stored order.
        scale: what stored values are divided by to lie in [0, 1].
        labelled: the splits that have labels.
        attributes: names of the labels where an example has several.
        class_names: of the labels 0, 1, ... where an example has one and they have names.
        classes: how many labels 0, 1, ... there are, where an example has one; None where that is not known.
        crop: name of the crop that belongs to the set.
        count: counts the examples of a split whose size is None.
        shuffled: whether the stored order is a random one; where it is not (files by class), slices are taken of a
            fixed permutation.
    """

    splits: dict[str, int | None]
    data_shape: tuple[int | None, ...]
    read: Callable[[str, int, int | None], Table | Stream]
    scale: float = 1.0
    labelled: frozenset[str] = frozenset()
    attributes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    classes: int | None = None
    crop: str = "none"
    count: Callable[[str], int] | None = None
    shuffled: bool = True

    def size(self, split: str) -> int:
        """Examples of `split`, counted if need be."""
        size = self.splits[split]
        return self.count(split) if size is None and self.count else size
