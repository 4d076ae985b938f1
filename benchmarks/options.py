"""What the programs of benchmarks/ read from the command line, and how they print it."""

import statistics
from collections.abc import Collection

import typer

Shape = tuple[int, ...]


def shapes_of(text: str) -> list[Shape]:
    """HxWxC,HxWxC,... as shapes of images."""
    try:
        shapes = [tuple(int(size) for size in part.split("x")) for part in text.split(",")]
    except ValueError:
        shapes = []
    if not shapes or any(len(shape) != 3 or min(shape) < 1 for shape in shapes):
        raise typer.BadParameter(f"--shapes must be HxWxC,HxWxC,... Received: {text}")
    return shapes


def text(shape: Shape) -> str:
    """A shape as it is given."""
    return "x".join(map(str, shape))


def names(given: str, known: Collection[str], option: str = "systems") -> list[str]:
    """The names that an option got, parted by commas, of those that are known."""
    found = given.split(",")
    if unknown := sorted(set(found) - set(known)):
        raise typer.BadParameter(f"--{option} must be of {', '.join(known)}. Received: {', '.join(unknown)}")
    return found


def ratios(over: list[float], under: list[float]) -> tuple[float, float, float]:
    """Median, least and greatest of the repeats' ratios."""
    found = [a / b for a, b in zip(over, under, strict=True)]
    return statistics.median(found), min(found), max(found)


def ratio(over: list[float], under: list[float]) -> str:
    """The same for people."""
    return "{:.3f} ({:.3f} to {:.3f})".format(*ratios(over, under))
