"""Files that appear whole or not at all."""

import contextlib
import json
import math
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which becomes `path` if the block succeeds.

    The temporary name keeps the suffixes of `path`, for writers that look at them. A directory that stands
    at `path` is replaced whole. If the block fails, what stood at `path` before is untouched. A link stays one, to
    what is new; the permissions of a file stay as they are.

    Args:
        path: where the file or directory shall stand; missing parents are made.

    Raises:
        OSError: it cannot be written; named.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")
    try:
        yield temporary
        if path.is_dir() and temporary.is_dir():
            shutil.rmtree(path)
        if path.is_file() and temporary.is_file():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # a write does not know of what: a full disk, say
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)


def check_file(path: Path, what: str) -> None:
    """ValueError, which calls the path `what`, unless it can become a file: nothing is written."""
    if path.is_dir():
        raise ValueError(f"{what} must name a file. Received the directory {path}")
    try:
        check_directory(path.absolute().parent)
    except ValueError as error:
        raise ValueError(f"{what} must be in a directory that can be written to. Received: {path}") from error


def check_directory(path: Path) -> None:
    """ValueError unless `path`, or the nearest parent that exists, is a directory that may be written into."""
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise ValueError(f"The directory {path} cannot be written: {nearest} is not a directory.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"The directory {path} cannot be written: no permission to write into {nearest}.")


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path` (UTF-8), whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Writes `content` as indented JSON, whole or not at all; ValueError for NaN and infinity, which JSON has not."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The dictionary with NaN and infinities as strings, which JSON can hold and `float` reads."""
    strange = {name for name, value in values.items() if isinstance(value, float) and not math.isfinite(value)}
    return {name: str(value) if name in strange else value for name, value in values.items()}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
