"""Data that fail while they are read."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

_OF_GRAPHS = re.compile(r"\{\{.*?\}\}|\[\[.*?\]\]|\[Op:\w+\]( name: .*)?")
_OF_PLACES = re.compile(r'Graph execution error:|Detected at node|File "|<stack traces|\d+ root error|$')
_READING = "IteratorGetNext"
"""Every operation that reads the next batch is called so, and those of several devices and of fallible copies."""
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
        if _READING not in error.message:  # a layer's assertion, a kernel that is not there, a callback's file
            raise
        raise DataError(f"{what} stopped: the data failed. {said(error)}") from error


def said(error: tf.errors.OpError) -> str:
    """The first line of what an operation says that is about the data, and not about places in a graph."""
    lines = [" ".join(_OF_GRAPHS.sub("", line).split()) for line in error.message.splitlines()]
    return next((line for line in lines if not _OF_PLACES.match(line)), type(error).__name__)
