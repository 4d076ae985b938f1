"""From arrays to numbers; knows no model. Names are loaded when first used."""

import importlib
from typing import Any

_HOMES = {
    "FrechetAccumulator": "frechet",
    "LPIPS": "perceptual",
    "Score": "score",
    "active_dimensions": "codes",
    "density_coverage": "density",
    "elbo_terms": "elbo",
    "frechet_distance": "frechet",
    "inception_score": "inception",
    "kernel_distance": "kernel",
    "lpips": "perceptual",
    "mean_squared_error": "reconstruction",
    "mmd": "discrepancy",
    "ms_ssim": "similarity",
    "ms_ssim_diversity": "similarity",
    "nac": "codes",
    "nearest_neighbours": "neighbours",
    "prd_of_histograms": "prd",
    "prdc": "manifold",
    "precision_recall": "precision",
    "precision_recall_distribution": "prd",
    "psnr": "reconstruction",
    "sliced_wasserstein": "sliced",
    "ssim": "similarity",
}
_ROOMS = ("features",)

__all__ = sorted((*_HOMES, *_ROOMS))


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found  # also where a module of that name has taken its place
    return found


def __dir__() -> list[str]:
    return __all__
