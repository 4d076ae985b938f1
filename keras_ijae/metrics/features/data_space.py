"""No extractor: the data themselves as features."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.arrays import flat
from keras_ijae.metrics import _checks
from keras_ijae.metrics.features.extractor import Extractor, checksum_of


class DataSpace(Extractor):
    """Vectors as they are, images as vectors of their pixels: for toys and synthetic data, whose space means something.

    `dim` is None: that of the data.
    """

    def __init__(self) -> None:
        super().__init__("data", checksum_of([]), None)

    def call(self, images: tf.Tensor) -> tuple[tf.Tensor, None]:
        return tf.reshape(images, [tf.shape(images)[0], -1]), None

    def stream(self, images: ArrayLike) -> Iterator[tuple[np.ndarray, None]]:
        """As `Extractor.stream`, for one array of vectors (n, d), in any range, or images; uint8 is value / 255."""
        yield _checks.rows("images", flat("images", images), minimum=1).astype(np.float32), None
