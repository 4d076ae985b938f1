"""Weights from the network: checked, whole or not at all, converted once."""

import dataclasses
import hashlib
import http.client
import os
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from keras_ijae.files import replacing
from keras_ijae.metrics.features.extractor import checksum_of

_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Source:
    """A file to download.

    Attributes:
        url: where it is.
        sha256: its checksum, or as many of the first digits as are known (PyTorch's file names hold eight).
        otherwise: what else can be done where it cannot be downloaded.
    """

    url: str
    sha256: str
    otherwise: str = "fetch it elsewhere and give its path"


def home() -> Path:
    """Where downloads and converted weights are kept: KERAS_IJAE_HOME, or `keras_ijae` in Keras' own directory."""
    keras_home = os.environ.get("KERAS_HOME", "~/.keras")
    return Path(os.environ.get("KERAS_IJAE_HOME") or Path(keras_home) / "keras_ijae").expanduser()


def file_checksum(path: str | os.PathLike) -> str:
    """sha256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(source: Source) -> Path:
    """The path of the file, downloaded if it is not there; a file under that path is always the right one.

    Raises:
        OSError: the download failed or ended early; nothing is kept.
        ValueError: what came is another file; it is not kept.
    """
    path = home() / "downloads" / source.url.rpartition("/")[2]
    if path.is_file():
        if file_checksum(path).startswith(source.sha256):
            return path
        warnings.warn(f"{path} is not what it was when it was downloaded: it is downloaded again", stacklevel=2)
    with replacing(path) as temporary:
        try:
            _download(source.url, temporary)
        except (OSError, http.client.HTTPException) as error:
            raise OSError(
                f"Downloading {source.url} failed ({str(error) or type(error).__name__}); nothing was kept. "
                f"Download it again, or {source.otherwise}."
            ) from error
        found = file_checksum(temporary)
        if not found.startswith(source.sha256):
            raise ValueError(
                f"{source.url} gave a file of sha256 {found[:16]}..., not {source.sha256}...; it was not kept. "
                f"Download it again, or {source.otherwise}."
            )
    return path


def load_downloaded(network: keras.Model, source: Source, assign: Callable[[keras.Model, Path], None]) -> None:
    """Gives a network the weights of a download, which is converted to a Keras weights file once.

    The converted file's name holds the checksum of its source and that of the weights in it; one that does not
    hold these weights is made again.

    Args:
        network: built; its name is part of the file's.
        source: what to download if it has not been converted yet.
        assign: sets the network's weights from the downloaded file.
    """
    directory = home() / "converted"
    for path in directory.glob(f"{network.name}-{source.sha256}*.weights.h5"):
        try:
            network.load_weights(path)
        except Exception as error:  # a broken file can fail in any way
            warnings.warn(f"{path} cannot be read ({error}): it is converted again", stacklevel=2)
            continue
        if _values(network) in path.name:
            return
        warnings.warn(f"{path} holds other weights than it did: it is converted again", stacklevel=2)
    downloaded = fetch(source)
    assign(network, downloaded)
    name = f"{network.name}-{file_checksum(downloaded)}-{_values(network)}.weights.h5"
    with replacing(directory / name) as temporary:
        network.save_weights(temporary)


def _values(network: keras.Model) -> str:
    return checksum_of(weight.numpy() for weight in network.weights)[:16]


def _download(url: str, path: Path) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with urllib.request.urlopen(url, timeout=60) as response, open(path, "wb") as file:
        total = int(response.headers["Content-Length"] or 0) or None
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(url.rpartition("/")[2], total=total)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                bar.advance(task, len(chunk))
        if total is not None and file.tell() != total:
            raise OSError(f"it ended after {file.tell()} of {total} bytes")
