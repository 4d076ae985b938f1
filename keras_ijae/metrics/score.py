"""A measured number with all that it depends on."""

import dataclasses
import importlib
from typing import Any


def library_versions() -> dict[str, str]:
    """The versions of the libraries that a score depends on."""
    names = ("keras_ijae", "tensorflow", "keras", "numpy")
    return {name: importlib.import_module(name).__version__ for name in names}


@dataclasses.dataclass(frozen=True)
class Score:
    """One score; printed, it says how it was measured.

    Attributes:
        metric: its name, as `extractor.metric_name("frechet_distance")` gives it: "fid" for the published network
            alone, else with the extractor in brackets.
        value: the number.
        std: its standard deviation (over splits, subsets or images), where the metric has one.
        extractor: name of what made the features; None for metrics on pixels.
        weights: sha256 of the extractor's weights.
        resize: the convention by which images were resized before the extractor, None if they were not.
        n_real, n_fake: how many images of each kind; None where the metric has no such set.
        seed: of the samples and subsets.
        versions: of the libraries.
        dtype: floating type in which the extractor's network computes; the features that it gives are float32.

    Example:
        >>> print(ki.metrics.Score("psnr", 21.5, n_real=100, n_fake=100))
        psnr 21.5; n_real 100; n_fake 100; keras_ijae ...
    """

    metric: str
    value: float
    std: float | None = None
    extractor: str | None = None
    weights: str | None = None
    resize: str | None = None
    n_real: int | None = None
    n_fake: int | None = None
    seed: int | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=library_versions)
    dtype: str | None = None

    def __str__(self) -> str:
        spread = "" if self.std is None else f" ± {self.std:.3g}"
        parts = [f"{self.metric} {self.value:.6g}{spread}"]
        if self.extractor is not None:
            parts.append(f"extractor {self.extractor}, weights {(self.weights or 'unknown')[:12]}")
            parts.append(f"resize {self.resize or 'none'}")
            parts += [] if self.dtype is None else [self.dtype]
        parts += [f"{key} {value}" for key in ("n_real", "n_fake", "seed") if (value := getattr(self, key)) is not None]
        parts.append(" ".join(f"{name} {version}" for name, version in self.versions.items()))
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return dataclasses.asdict(self)
