"""Ways through the codes, decoded."""

from typing import Any

import numpy as np

from keras_ijae.distributions.supports import brought


def decoded(model: Any, ways: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """(rows, steps, *data_shape) of codes (rows, steps, latent_dim); labels (rows, ...) are those of whole rows."""
    rows, steps, dimensions = ways.shape
    labels = None if labels is None else np.repeat(labels, steps, axis=0)
    codes = of_support(model, ways.reshape(-1, dimensions))
    return model.decode(codes.astype("float32"), labels=labels).reshape(rows, steps, *model.data_shape)


def of_support(model: Any, codes: np.ndarray) -> np.ndarray:
    """Codes (n, latent_dim) that were moved, where the posterior gives codes: the decoder knows no others."""
    return codes if model.posterior_family is None else brought(model.posterior_family.support, codes)


def labels_of(model: Any, x: Any, rows: Any) -> np.ndarray | None:
    """One-hot labels of some rows, of a conditional model."""
    return None if model.classes is None else model.labelled(x).labels.numpy()[list(rows)]


def context_of(model: Any, x: Any) -> np.ndarray | None:
    return model.labelled(x).x.numpy() if len(model.data_shape) == 1 else None
