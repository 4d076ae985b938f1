"""Files that commands draw to: checked before anything is computed."""

import os
from pathlib import Path


def drawable(path: Path, option: str = "--out") -> str:
    """The suffix without its dot; ValueError unless matplotlib draws such files and `path` can be one."""
    from matplotlib.figure import Figure

    suffix, known = path.suffix[1:].lower(), sorted(Figure().canvas.get_supported_filetypes())
    if suffix not in known:
        raise ValueError(f"Option {option} must end in one of {', '.join(known)}. Received: {path}")
    writable(path, option)
    return suffix


def writable(path: Path, option: str = "--out") -> None:
    """ValueError unless `path` can become a file."""
    if path.is_dir():
        raise ValueError(f"Option {option} must name a file. Received the directory {path}")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"Option {option} must be in a directory that can be written to. Received: {path}")
