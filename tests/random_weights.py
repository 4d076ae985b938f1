"""Random weights that two implementations of a network draw alike, from the names and shapes in PyTorch's layout."""

import zlib

import numpy as np


def random_state(shapes):
    """Name -> float32 array for name -> shape: each depends on its name and shape alone; activations stay near 1."""
    return {name: _draw(name, tuple(shape)) for name, shape in shapes.items()}


def random_images(n, height, width, seed=0):
    """(n, height, width, 3) uint8: smooth waves and noise, over the whole range."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].reshape(2, height, width, 1) / max(height, width)
    fast, phase = rng.uniform(1, 12, (2, n, 1, 1, 3)), rng.uniform(0, 6, (n, 1, 1, 3))
    waves = np.sin(fast[0] * x + fast[1] * y + phase) + rng.normal(0, 0.3, (n, height, width, 3))
    return np.clip(128 + 90 * waves, 0, 255).astype(np.uint8)


def _draw(name, shape):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros((), np.int64)
    if len(shape) > 1:
        return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
    if name.endswith(("running_var", "bn.weight")):
        return rng.uniform(0.8, 1.2, shape).astype(np.float32)
    return rng.normal(0, 0.1, shape).astype(np.float32)
