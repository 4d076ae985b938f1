"""Files that appear whole or not at all."""

import contextlib
import json
import math
import os
import shutil
import tempfile
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
        if error.errno is not None and error.filename in (None, str(temporary), temporary):  # of a full disk: None
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        _remove(temporary)


def check_file(path: Path, what: str) -> None:
    """ValueError, which calls the path `what`, unless it can become a file: nothing is left behind."""
    if path.is_dir():
        raise ValueError(f"{what} must name a file. Received the directory {path}")
    if _hindrance(path.absolute().parent):
        raise ValueError(f"{what} must be in a directory that can be written to. Received: {path}")


def check_directory(path: Path, what: str = "Argument `path`") -> None:
    """ValueError, which calls it `what`, unless `path`, or the nearest parent that exists, may be written into."""
    if hindrance := _hindrance(path):
        raise ValueError(f"{what} must be a directory that can be written to. Received: {path}, where {hindrance}")


def _hindrance(path: Path) -> str:
    """Why a directory, or the nearest parent that exists, cannot be written into; "" if it can, which is tried."""
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        return f"{nearest} is not a directory"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"there is no permission to write into {nearest}"
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return ""
    except OSError:
        return f"nothing can be made in {nearest}"


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
