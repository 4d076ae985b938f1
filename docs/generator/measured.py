"""What was measured of a system: its rows in the tables of `docs/`."""

import csv
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
LEFT_OUT = {"system", "commit", "command", "date", "machine", "processor", "judge", "ais_images", "short", "outcome"}
CAPTIONS = {
    "landscape": "MNIST and Fashion-MNIST, five CPU minutes",
    "ijae_ablations": "Parts of λ-IJAE, changed alone",
    "latent_size": "Sizes of codes, MNIST",
    "cycles": "Weights of reconstructions, MNIST",
    "color_mnist": "Digits in twelve colours",
    "nats": "Nats of binarised MNIST",
    "cifar10": "CIFAR-10, and its first 4,000 images",
    "tiny_imagenet": "Tiny ImageNet",
    "celeb_a": "CelebA",
    "mnist": "MNIST, ten CPU minutes",
    "mnist_validation": "MNIST, variants compared on validation images",
    "cost": "Cost of a step",
    "conditional": "Classes that were asked for",
    "defaults": "Which settings are the defaults",
    "flex_ae": "A learned prior against fixed ones, MNIST",
    "flex_ae_synthetic": "A learned prior against fixed ones, clusters",
    "gmm5": "Five Gaussians",
    "gmm5_full": "Five Gaussians, 48 of 576 settings",
    "mask_aae": "The number of dimensions of a manifold",
    "mask_aae_mnist": "Masks on MNIST",
    "peers": "Images a second beside pythae",
    "profile": "Where the time of a step goes",
    "quality": "Minutes to quality",
    "scaling": "Speed over sizes",
    "train_step": "`fit` against a loop by hand",
}
PAGES = {"mnist_validation": "mnist", "flex_ae_synthetic": "flex_ae", "mask_aae_mnist": "mask_aae", "gmm5_full": "gmm5"}
PAGES |= dict.fromkeys(("cost", "peers", "profile", "quality", "scaling", "train_step"), "performance")


def rows_of(name: str) -> dict[str, tuple[list[str], list[list[str]]]]:
    """table -> (header, rows) of the tables in which a system has rows; columns that are empty for it are left out.

    Rows that only show that a program works ("short") are no measurements, and are left out too. Processors are named
    where a table has several.
    """
    found = {}
    for path in sorted(DOCS.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            every = [row for row in csv.DictReader(file) if not row.get("short")]
        rows = [row for row in every if row.get("system") == name]
        left_out = LEFT_OUT - ({"processor"} if len({row.get("processor") for row in every}) > 1 else set())
        header = [key for key in (rows[0] if rows else ()) if key not in left_out and any(row[key] for row in rows)]
        if rows:
            found[path.stem] = (header, [[row[key] for key in header] for row in rows])
    return found


def page_of(table: str) -> str:
    """The page that explains a table."""
    return PAGES.get(table, table)


def caption(table: str) -> str:
    """A table in a few words."""
    return CAPTIONS.get(table, table)


def pictures_of(name: str) -> list[tuple[str, str]]:
    """(file in `pictures/`, what it shows) of samples and reconstructions of a system."""
    found = []
    for path in sorted((DOCS / "pictures").glob("*.png")):
        stem = path.stem
        if stem.split("-")[0] == name and stem.endswith(("-0-samples", "-0-reconstructions")):
            found.append((path.name, f"{stem.rsplit('-', 1)[1]} on MNIST after ten CPU minutes"))
        elif stem.startswith("conditional_") and stem.split("_", 2)[2] == name:
            found.append((path.name, f"classes of {stem.split('_')[1]}, a row each"))
        elif stem == f"flex_ae-{name}-0":
            found.append((path.name, "samples on MNIST after ten CPU minutes, codes of 32"))
    return found
