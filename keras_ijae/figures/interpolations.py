"""Ways from code to code, decoded."""

from typing import Any

import numpy as np

from keras_ijae.checks import whole
from keras_ijae.figures import arithmetic
from keras_ijae.figures.decoding import decoded, labels_of
from keras_ijae.figures.rows import Rows, check_drawable

_ON = {"linear": "on a line", "sphere": "on the sphere"}


def interpolations(model: Any, a: Any, b: Any, steps: int = 8, way: str = "linear") -> Rows:
    """From observations to others along their codes, between the two themselves.

    Args:
        model: with an encoder.
        a, b: (n, *data_shape) each, of a conditional model with labels, (x, labels): those of `a` are kept.
        steps: images on the way, ends included, at least 2.
        way: "linear" or "sphere", see `ki.figures.between`.

    Raises:
        ValueError: no encoder, observations that cannot be drawn, unequal numbers, or codes without such a way.
    """
    check_drawable(model.data_shape)
    start, end = model.encode(a), model.encode(b)
    made = decoded(model, arithmetic.between(start, end, steps, way), labels_of(model, a, range(len(start))))
    x, y = (model.labelled(part).x.numpy()[:, None] for part in (a, b))
    return Rows(
        np.concatenate([x, made, y], axis=1),
        [""] * len(made),
        ["data", *_shares(steps), "data"],
        f"Between data, {_ON[way]}",
        "share of the way",
        aside=(0, steps + 1),
        context=np.concatenate([x, y])[:, 0] if len(model.data_shape) == 1 else None,
    )


def sample_interpolations(model: Any, count: int = 6, steps: int = 8, way: str = "linear", seed: int = 0) -> Rows:
    """From samples to other samples along their codes.

    Args:
        model: any; samples of a conditional one keep the label that each row begins with.
        count: rows.
        steps, way: as of `interpolations`.
        seed: of the codes.

    Raises:
        ValueError: observations that cannot be drawn.
    """
    check_drawable(model.data_shape)
    made = between_samples(model, count, steps, way, seed)
    return Rows(made, [""] * count, _shares(steps), f"Between samples, {_ON[way]}", "share of the way")


def between_samples(model: Any, count: int, steps: int, way: str = "linear", seed: int = 0) -> np.ndarray:
    """What `sample_interpolations` draws, of observations of any shape: (count, steps, *data_shape)."""
    start, end = np.split(model.endpoints.codes_of_samples(2 * whole("count", count), seed).numpy(), 2)
    labels = None if model.classes is None else model.sample_labels(count, seed)
    return decoded(model, arithmetic.between(start, end, steps, way), labels)


def _shares(steps: int) -> list[str]:
    return [f"{share:.2g}" for share in np.linspace(0, 1, steps)]
