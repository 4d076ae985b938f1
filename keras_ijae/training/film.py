"""The pictures of a run, one after the other, as a film of its training."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_ijae import checks
from keras_ijae.files import replacing
from keras_ijae.training.pictures import DESCRIPTION

SUFFIXES = (".gif", ".png", ".apng", ".mp4")
_CAPTION, _LAST = 16, 2.0
"""Pixels below a picture, and seconds that the last one stays."""
_NUMBERED = re.compile(r"(.+)-(\d{4,})\.png")


def save_film(directory: str | os.PathLike, path: str | os.PathLike, name: str = "samples", fps: float = 4.0) -> None:
    """Joins the pictures `NAME-0001.png`, ... of a directory, in the order of their epochs, to a film that repeats.

    `SampleGrid`, `ReconstructionGrid` and `FigureCallback` draw such pictures. Below each that has no caption, which
    tells it, stands its epoch; the last one stays for two seconds.

    Args:
        directory: of the pictures.
        path: film to be written, whole or not at all: .gif, .png or .apng (an animated PNG, without GIF's 256
            colours), or .mp4, for which the extra `keras_ijae[film]` must be installed.
        name: "samples", "reconstructions" or another that is there.
        fps: pictures in a second, above 0 and at most 50.

    Raises:
        ValueError: another suffix or number, no such pictures, or a file that is none.
        RuntimeError: .mp4 without the extra.
    """
    directory, path = checks.path("directory", directory), check_film(path)
    fps = checks.number("fps", fps, above=0, most=50)
    pictures = _pictures(directory, name)
    pause = max(_LAST, 1 / fps)
    if path.suffix.lower() == ".mp4":
        return _save_video(path, _frames(pictures), fps, round(pause * fps))
    first, *others = _frames(pictures)
    milliseconds = [1000 / fps] * len(others) + [1000 * pause]
    kind = "GIF" if path.suffix.lower() == ".gif" else "PNG"
    with replacing(path) as temporary:
        first.save(temporary, kind, save_all=True, append_images=others, duration=milliseconds, loop=0)


def check_film(path: str | os.PathLike) -> Path:
    """`path`, if it names a film that can be written.

    Raises:
        ValueError: another suffix, or a directory.
        RuntimeError: .mp4 without the extra `keras_ijae[film]`.
    """
    path = checks.path("path", path)
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise ValueError(f"Argument `path` must be a file that ends in {', '.join(SUFFIXES)}. Received: path={path}")
    if path.suffix.lower() == ".mp4":
        _imageio()
    return path


def _pictures(directory: Path, name: str) -> dict[int, Path]:
    """epoch -> picture, in order."""
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(directory.glob("*.png")):
        if numbered := _NUMBERED.fullmatch(path.name):
            found.setdefault(numbered[1], {})[int(numbered[2])] = path
    if not found:
        raise ValueError(f"There are no pictures of training in {directory}, such as samples-0001.png")
    return dict(sorted(found[checks.choice("name", name, sorted(found))].items()))


def _frames(pictures: dict[int, Path]) -> Iterator[Any]:
    """The pictures as images of Pillow, all of one size, which is even."""
    from PIL import Image, ImageDraw, ImageFont

    found = [(picture.mode, picture.size, DESCRIPTION in picture.info) for picture in map(_opened, pictures.values())]
    mode = "L" if {kind for kind, _, _ in found} == {"L"} else "RGB"
    sizes = np.array([(width, height + _CAPTION * (not says)) for _, (width, height), says in found])
    width, height = (int(side) + int(side) % 2 for side in sizes.max(axis=0))
    font, epochs = ImageFont.load_default(_CAPTION - 5), max(pictures)
    for epoch, path in pictures.items():
        frame, picture = Image.new(mode, (width, height), "white"), _opened(path)
        frame.paste(picture.convert(mode), ((width - picture.width) // 2, 0))
        if DESCRIPTION not in picture.info:
            ImageDraw.Draw(frame).text((width / 2, height - 2), f"epoch {epoch} of {epochs}", "black", font, "md")
        yield frame


def _opened(path: Path) -> Any:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
        return image
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's, of files that are broken
        raise ValueError(f"{path} is not a picture: {error}") from error


def _save_video(path: Path, frames: Iterator[Any], fps: float, stays: int) -> None:
    with replacing(path) as temporary:
        options = {"fps": fps, "macro_block_size": 1, "codec": "libx264", "pixelformat": "yuv420p"}
        with _imageio().get_writer(temporary, format="FFMPEG", mode="I", **options) as writer:
            frame = None
            for frame in frames:
                writer.append_data(np.asarray(frame.convert("RGB")))
            for _ in range(stays - 1):
                writer.append_data(np.asarray(frame.convert("RGB")))


def _imageio() -> Any:
    try:
        import imageio.v2
        import imageio_ffmpeg  # noqa: F401  # its program writes .mp4
    except ImportError as error:
        raise RuntimeError(
            "An .mp4 needs imageio and imageio-ffmpeg: pip install 'keras_ijae[film]'. Films that end in .gif, .png or "
            f".apng need neither. ({error})"
        ) from error
    return imageio.v2
