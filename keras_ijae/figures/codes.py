"""The codes of a model: directions of attributes, covariances, and how far they fit the prior."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.evaluation import latent_covariance
from keras_ijae.figures import arithmetic
from keras_ijae.figures.plots import HeatMap, Scatter


def attribute_directions(codes: ArrayLike, labels: ArrayLike | Mapping[str, ArrayLike]) -> HeatMap:
    """The `class_directions` of codes as a heat map, in standard deviations (s.d.) of each dimension.

    Of an encoder with noise take codes with their noise, `model.encode(x, seed=0)`: the means of those that a VAE does
    not use hardly vary, and differences of them would look large.

    Args:
        codes, labels: as of `ki.figures.class_directions`.

    Raises:
        ValueError: as there, or a dimension in which all codes are the same.
    """
    directions, deviations = arithmetic.class_directions(codes, labels), np.std(codes, axis=0)
    if deviations.min() == 0:
        constant = np.flatnonzero(deviations == 0).tolist()
        raise ValueError(f"Argument `codes` must vary in every dimension. Received: constant dimensions {constant}")
    return HeatMap(
        np.stack([*directions.values()]) / deviations,
        "Directions of attributes",
        "mean code with − without, in s.d.",
        "dimension of the codes",
        "attribute",
        [*directions],
    )


def code_covariances(model: Any, x: Any, seed: int = 0) -> list[HeatMap]:
    """The covariance of codes z ~ q(z|x); of a model with a mask two, before the mask and after it.

    Args:
        model: with an encoder.
        x: observations (n, *data_shape), n >= 2, of a conditional model with labels, (x, labels).
        seed: of the encoder's noise.
    """
    after = latent_covariance(model, x, seed)
    if model.active_dims is None:
        return [_covariance(after, "Covariance of the codes")]
    masked = f"after the mask, {len(model.active_dims)} of {model.latent_dim} active"
    return [
        _covariance(
            np.atleast_2d(np.cov(_unmasked(model, x), rowvar=False)), "Covariance of the codes before the mask"
        ),
        _covariance(after, masked[0].upper() + masked[1:]),
    ]


def codes_and_prior(model: Any, x: Any, labels: ArrayLike | None = None, seed: int = 0) -> Scatter:
    """Codes z ~ q(z|x) of data before as many codes of samples, by t-SNE; codes of two dimensions as they are.

    Args:
        model: with an encoder, and at least two latent dimensions.
        x: observations (n, *data_shape), of a conditional model with labels, (x, labels).
        labels: classes (n,), -1 for unknown, which then have colours; None: one colour.
        seed: of the encoder's noise, of the samples and of t-SNE.

    Raises:
        ValueError: no encoder, codes of one dimension, or other labels.
    """
    if model.latent_dim < 2:
        raise ValueError("Codes in the plane need at least two latent dimensions. Received: a model with one")
    codes = model.encode(x, seed=seed)
    if labels is not None and np.shape(labels) != (len(codes),):
        raise ValueError(f"Argument `labels` must be of shape ({len(codes)},). Received: {np.shape(labels)}")
    both, plane = (
        np.concatenate([codes, model.endpoints.codes_of_samples(len(codes), seed).numpy()]),
        model.latent_dim == 2,
    )
    data, drawn = np.split(both if plane else arithmetic.embedded(both, seed), 2)
    axes = ("$z_0$", "$z_1$") if plane else None
    sets = {"codes of samples": drawn, "codes of data": data}
    return Scatter(sets, "Codes" if plane else "Codes, by t-SNE", axes, None if labels is None else np.asarray(labels))


def _covariance(matrix: np.ndarray, title: str) -> HeatMap:
    about = "dimension of the codes"
    return HeatMap(matrix, title, "covariance", about, about, limit=max(1.0, float(np.abs(matrix).max())))


def _unmasked(model: Any, x: Any) -> np.ndarray:
    """Codes as they are before the mask, which is their encoder's output."""
    batch = model.labelled(x)
    with model.averaged():
        parts = [model.encoder(part, training=False) for part in tf.split(batch.x, _chunks(len(batch.x)))]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def _chunks(rows: int, most: int = 512) -> list[int]:
    return [min(most, rows - start) for start in range(0, rows, most)]
