"""What turns images into features, and says exactly what it is."""

import abc
import contextlib
import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_ijae.checks import whole
from keras_ijae.metrics.features.images import Images, in_batches


class Extractor(abc.ABC):
    """Maps images to features, and where it has classes to their probabilities.

    Runs in float32 without XLA and without TensorFloat-32; the latter is a setting of the process, put back after
    each batch. Results do not depend on how the images are batched, and on `batch_size` only by rounding.

    Args:
        name: what it is, said in every score.
        checksum: sha256 of its weights; None where `checksum` itself computes it.
        dim: size of the features.
        classes: number of classes, None without probabilities.
        channels: of the images; None takes any.
        size: height and width of the images; None for one of these takes any.
        resize: the convention by which it resizes images, None if it does not.
        batch_size: images that go through the network at once.
    """

    dtype = "float32"
    """Floating type in which its network computes."""

    def __init__(
        self,
        name: str,
        checksum: str | None,
        dim: int,
        *,
        classes: int | None = None,
        channels: int | None = None,
        size: tuple[int | None, int | None] = (None, None),
        resize: str | None = None,
        batch_size: int = 64,
    ) -> None:
        self.name, self._checksum, self.dim, self.classes = name, checksum, dim, classes
        self.channels, self.size, self.resize = channels, size, resize
        self.batch_size = whole("batch_size", batch_size)
        self._functions = {}

    @abc.abstractmethod
    def call(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Features (b, dim) and class probabilities (b, classes) or None, of float32 images in [0, 1]; in graph."""

    @property
    def checksum(self) -> str:
        """sha256 of its weights."""
        return self._checksum

    @property
    def has_probabilities(self) -> bool:
        """Whether it has classes."""
        return self.classes is not None

    @property
    def image_shape(self) -> tuple[int | None, int | None, int | None]:
        """(height, width, channels) of the images; None where it takes any."""
        return (*self.size, self.channels)

    def takes(self, shape: tuple[int, int, int]) -> bool:
        """Whether images of that shape fit: a single channel is replicated to those that it wants."""
        replicated = (*shape[:2], self.channels) if shape[2] == 1 else shape
        return all(wanted in (None, side) for wanted, side in zip(self.image_shape, replicated, strict=True))

    def metric_name(self, metric: str) -> str:
        """What a score with these features is called: "frechet_distance[mnist-classifier]"."""
        return f"{metric}[{self.name}]"

    def stream(self, images: Images) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Features and probabilities batch by batch, in the order of the images, in constant memory.

        Args:
            images: (n, height, width, channels) in [0, 1] or uint8, or a `tf.data.Dataset` of such batches.

        Raises:
            ValueError: they are no such images, or do not fit the network.
        """
        for batch in in_batches(images, self.batch_size, self.channels):
            shape = batch.shape[1:]
            if not self.takes(shape):
                wanted = (None, *self.image_shape)
                raise ValueError(f"Argument `images` must have shape {wanted}. Received: {(None, *shape)}")
            function = self._function(shape)
            with full_precision():
                features, probabilities = function(tf.constant(batch))
                features = features.numpy()
            yield features, None if probabilities is None else probabilities.numpy()

    def features(self, images: Images) -> np.ndarray:
        """(n, dim) float32; arguments and errors as in `stream`."""
        return np.concatenate([features for features, _ in self.stream(images)])

    def probabilities(self, images: Images) -> np.ndarray:
        """(n, classes) float32, rows sum to 1; arguments and errors as in `stream`.

        Raises:
            ValueError: it has no classes.
        """
        if not self.has_probabilities:
            raise ValueError(f"The extractor {self.name!r} has no classes, so no probabilities")
        return np.concatenate([probabilities for _, probabilities in self.stream(images)])

    def _function(self, shape: tuple[int, ...]):
        """`call` compiled once for images of a shape, for any number of them."""
        if shape not in self._functions:
            function = tf.function(self.call, jit_compile=False)
            self._functions[shape] = function.get_concrete_function(tf.TensorSpec((None, *shape), tf.float32))
        return self._functions[shape]


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """TensorFloat-32 is off within; a setting of the whole process, put back after."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def checksum_of(arrays: Iterable[np.ndarray], text: str = "") -> str:
    """sha256 of the arrays' types, shapes and bytes in this order, and of `text`."""
    digest = hashlib.sha256(text.encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
