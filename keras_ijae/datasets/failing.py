"""Data that fail while they are read."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

_OF_GRAPHS = re.compile(r"\{\{.*?\}\}|\[\[.*?\]\]|\[Op:\w+\]( name: .*)?")
_FAILURES = (
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.InvalidArgumentError,
    tf.errors.NotFoundError,
    tf.errors.PermissionDeniedError,
    tf.errors.UnknownError,
)


class DataError(RuntimeError):
    """The data could not be read further: a damaged file, a record that lacks something, an error of their source."""


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """In it, what TensorFlow raises of data that fail becomes a `DataError` of one line, without its graph.

    Args:
        what: was being done, such as "Training".
    """
    try:
        yield
    except _FAILURES as error:
        raise DataError(f"{what} stopped: the data failed. {said(error)}") from error


def said(error: tf.errors.OpError) -> str:
    """The first line of what an operation says that is about the data."""
    lines = [" ".join(_OF_GRAPHS.sub("", line).split()) for line in error.message.splitlines()]
    return next((line for line in lines if line), type(error).__name__)
