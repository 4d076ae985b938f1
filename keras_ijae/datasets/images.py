"""Reading image files in TensorFlow."""

import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8")
_BMP_BITS, _BMP_COLOURS = (28, 2), (54, 1024)  # first byte and number of bytes: bits of a pixel, palette
_EIGHT, _GREYS = bytes([8, 0]), bytes(value for grey in range(256) for value in (grey, grey, grey, 0))


def is_encoded(data: bytes) -> bool:
    """Whether `data` starts like a PNG, JPEG, BMP or GIF file."""
    return data.startswith(_MAGIC)


def decode(data: tf.Tensor, channels: int, origin: tf.Tensor | str) -> tf.Tensor:
    """Decodes one encoded image to uint8 `(height, width, channels)`; an error names `origin`."""
    known = [tf.strings.substr(data, 0, len(magic)) == magic for magic in _MAGIC]
    check = tf.debugging.Assert(tf.reduce_any(known), ["Not a PNG, JPEG, BMP or GIF image:", origin])
    palette = tf.debugging.Assert(
        ~known[2] | _has_no_palette(data), ["BMP images must have no palette but that of greys:", origin]
    )
    with tf.control_dependencies([check, palette]):
        image = tf.cond(
            known[2] | known[3],  # of these TensorFlow does not change the channels
            lambda: _with_channels(tf.io.decode_image(data, expand_animations=False), channels),
            lambda: tf.io.decode_image(data, channels=channels, expand_animations=False),
        )
    return tf.ensure_shape(image, (None, None, channels))


def _has_no_palette(bmp: tf.Tensor) -> tf.Tensor:
    """Whether the values of a BMP's pixels are colours, or greys, and not places in a palette."""
    size = tf.strings.length(bmp)
    part = lambda place: tf.strings.substr(bmp, tf.minimum(place[0], size), place[1])  # noqa: E731
    return (part(_BMP_BITS) != _EIGHT) | (part(_BMP_COLOURS) == _GREYS)


def _with_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    """Of 1, 3 or 4 channels, the last being alpha, the number that is wanted, 1 or 3."""
    one = lambda: tf.repeat(image[..., :1], channels, axis=2)  # noqa: E731
    colours = lambda: tf.ensure_shape(image[..., :3], (None, None, 3))  # noqa: E731
    several = colours if channels == 3 else lambda: tf.image.rgb_to_grayscale(colours())
    return tf.cond(tf.shape(image)[2] == 1, one, several)


def file_decoder(shape: tuple[int | None, ...]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The function from a file's name to an image of `shape`; sides that vary are None."""

    def read(path: tf.Tensor) -> tf.Tensor:
        image = decode(tf.io.read_file(path), shape[2], path)
        if shape[0] is not None:
            fits = tf.reduce_all(tf.shape(image)[:2] == shape[:2])
            message = ["Images must all be", f"{shape[0]}x{shape[1]}, or `size` given, not", tf.shape(image), ":", path]
            with tf.control_dependencies([tf.debugging.Assert(fits, message)]):
                image = tf.identity(image)
        return tf.ensure_shape(image, shape)

    return read


def _few(wrong: Sequence[str], looked_at: int, most: int = 3) -> str:
    """The first few, and how many there are among the files that were looked at."""
    more = f" and {len(wrong) - most} more" if len(wrong) > most else ""
    return ", ".join(wrong[:most]) + more + (f"; {len(wrong)} of {looked_at} looked at" if len(wrong) > 1 else "")


def common_shape(paths: Sequence[str], probes: int = 16) -> tuple[int | None, int | None, int]:
    """The shape of the images `paths`, judged from `probes` of them; (None, None, channels) if they vary.

    Raises:
        ValueError: some of these are no images; names the first few.
    """
    shapes, wrong, cause = set(), [], None
    looked_at = np.unique(np.linspace(0, len(paths) - 1, probes).astype(int))
    for i in looked_at:
        try:
            shapes.add(tuple(tf.io.decode_image(tf.io.read_file(os.fsencode(paths[i])), expand_animations=False).shape))
        except tf.errors.InvalidArgumentError as error:
            wrong, cause = [*wrong, paths[i]], cause or error
    if wrong:
        raise ValueError(f"Not a readable PNG, JPEG, BMP or GIF image: {_few(wrong, len(looked_at))}.") from cause
    sides = {shape[:2] for shape in shapes}
    channels = 1 if all(shape[2] < 3 for shape in shapes) else 3
    return (*(sides.pop() if len(sides) == 1 else (None, None)), channels)
