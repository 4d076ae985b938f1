"""How the models of experiments/mask_aae_manifold.py are judged."""

import keras
import numpy as np
from experiment import stored

import keras_ijae as ki

SCORES = [
    "validation_gen", "test_gen", "test_rec", "test_error", "test_real", "active_dimensions", "closed_below",
    "open_above", "deletion_least", "deletion_median", "nac",
]  # fmt: skip
SAMPLES = 10_000


def points(dimensions: int, split: str) -> np.ndarray:
    """All points of a split, (n, 128), in stored order."""
    return stored(f"manifold:{dimensions}", split)


def judge(model: keras.Model, dimensions: int, seed: int, experiment: str) -> dict[str, float]:
    """Score -> value.

    Args:
        model: trained.
        dimensions: of the data.
        seed: of the samples.
        experiment: models of "select" are judged by validation points alone.
    """
    samples = model.sample(SAMPLES, seed=seed)
    validation = points(dimensions, "train[50000:]")
    found = {"validation_gen": ki.metrics.frechet_distance(validation, samples)}
    if experiment == "select":
        return found
    x = points(dimensions, "test")
    codes = model.encode(x)
    remade = model.decode(codes)
    distances = {"gen": samples, "rec": remade, "real": validation}
    found |= {f"test_{side}": ki.metrics.frechet_distance(x, other) for side, other in distances.items()}
    error, active = np.mean((x - remade) ** 2), in_use(model, codes)
    found |= {"test_error": error / x.var(axis=0).mean(), "active_dimensions": int(active.sum())}
    if active.any() and not hasattr(model, "prior_generator"):  # a learned prior need not have its mean at 0
        factors = [deletion(model, x, codes, j) / error for j in np.flatnonzero(active)]
        found |= {"deletion_least": min(factors), "deletion_median": np.median(factors)}
    varying = active & (np.ptp(codes, axis=0) > 0)
    if varying.sum() > 1:
        found["nac"] = ki.metrics.nac(codes, varying)
    if hasattr(model, "mask"):
        alpha = model.mask.alpha().numpy()
        found |= {"closed_below": max(alpha[~active], default=0.0), "open_above": min(alpha[active], default=1.0)}
    return {name: float(value) for name, value in found.items()}


def in_use(model: keras.Model, codes: np.ndarray) -> np.ndarray:
    """Which dimensions: by the mask, else by the codes' deviation."""
    if hasattr(model, "mask"):
        return np.isin(np.arange(model.latent_dim), model.active_dims)
    return ki.metrics.active_dimensions(codes, "stddev")


def deletion(model: keras.Model, x: np.ndarray, codes: np.ndarray, dimension: int) -> float:
    """Mean squared error of reconstructions when one dimension of the codes is 0, the mean of N(0, I)."""
    codes = codes.copy()
    codes[:, dimension] = 0
    return np.mean((x - model.decode(codes)) ** 2)
