"""What commands say on standard error, and files that they write: checked before anything is computed."""

from pathlib import Path

from rich.console import Console

from keras_ijae_cli.quiet import start_tensorflow


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
    start_tensorflow(devices=False)
    from keras_ijae.files import check_file

    check_file(path, f"Option {option}")


def tell(text: str) -> None:
    """Says `text` as it is, paths with brackets too."""
    Console(stderr=True).print(printable(text), markup=False, highlight=False, soft_wrap=True)


def wrote(path: Path) -> None:
    tell(f"Wrote {path}")


def printable(text: str) -> str:
    """Text of which no character but the end of a line steers the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)
