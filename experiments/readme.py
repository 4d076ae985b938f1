"""The tables of README.md, of the committed runs in docs/: run it when these have changed.

    python experiments/readme.py

A table stands between the comments `<!-- NAME: experiments/readme.py -->` and `<!-- end -->`; all else is left.
"""

import argparse
import re
from collections.abc import Callable, Sequence

from experiment import ROOT, print_table, printed, read

from keras_ijae.files import replacing

NAMES = {
    "gan": "GAN",
    "vae": "VAE (Bernoulli, best of six variants)",
    "alpha_gan": "α-GAN",
    "ijae": "λ-IJAE",
}
SEEDS = {
    "Frechet distance of samples": ("frechet_samples", ".1f"),
    "squared error of reconstructions": ("squared_error", ".1f"),
    "samples with a confident class": ("sure", ".0%"),
}
NEAREST = 12
SCORES = ("samples", "precision", "recall", "reconstructions", "squared_error")
Rows = Sequence[dict[str, str]]


def seeds(rows: Rows) -> str:
    """Ten minutes of MNIST: of each system its seeds, side by side."""
    lines = []
    for system, name in NAMES.items():
        of_seeds = sorted((row for row in rows if row["system"] == system), key=lambda row: row["seed"])
        lines.append([name, *(_side_by_side(of_seeds, *how) for how in SEEDS.values())])
    return printed(print_table, ["system", *SEEDS], lines)


def nearest(rows: Rows) -> str:
    """Five minutes of MNIST: the systems whose samples are nearest, with their defaults, and the VAE."""
    plain = [row for row in rows if (row["settings"], row["prior"], row["seed"]) == ("{}", "", "0")]
    ended = [row for row in plain if row["dataset"] == "mnist" and row["outcome"] == "ended"]
    ended.sort(key=lambda row: float(row["samples"]))
    shown = [row for place, row in enumerate(ended) if place < NEAREST or row["system"] == "vae"]
    lines = [[f"`{row['system']}`", *(_three(row[score]) for score in SCORES)] for row in shown]
    return printed(print_table, ["system", *(score.replace("_", " ") for score in SCORES)], lines)


TABLES: dict[str, Callable[[Rows], str]] = {"mnist": seeds, "landscape": nearest}
"""Name of a CSV file of docs -> what README shows of it."""


def written(readme: str) -> str:
    """README's text with its tables made anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: experiments/readme.py -->\n", "<!-- end -->"
        made = f"{begin}\n{table(read(ROOT / 'docs' / f'{name}.csv'))}\n{end}"
        readme, found = re.subn(f"{re.escape(begin)}.*?{end}", lambda _: made, readme, flags=re.DOTALL)  # noqa: B023
        if found != 1:
            raise ValueError(f"README.md must have {begin.strip()} and its {end} once. Received: {found} times")
    return readme


def _side_by_side(rows, column, form):
    return ", ".join(format(float(row[column]), form) for row in rows if row[column]).replace("%", " %") or "–"


def _three(value):
    return f"{float(value):#.3g}" if value else "–"


def main(command: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(
        command
    )
    path = ROOT / "README.md"
    with replacing(path) as temporary:
        temporary.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
