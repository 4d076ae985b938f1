"""One code, changed: along attributes, along single dimensions."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_ijae.checks import number, whole
from keras_ijae.distributions.posteriors.gaussian import GaussianPosterior
from keras_ijae.figures import arithmetic
from keras_ijae.figures.decoding import context_of, decoded, labels_of
from keras_ijae.figures.rows import Rows, check_drawable

MOST = 10
"""Rows of a figure, unless another number is asked for."""


def attribute_traversals(
    model: Any,
    x: Any,
    labels: ArrayLike | Mapping[str, ArrayLike],
    index: int = 0,
    steps: int = 9,
    reach: float = 2.0,
    attributes: int = MOST,
) -> Rows:
    """One example, decoded as it gains and loses attributes: z + t (mean code with - mean code without).

    Args:
        model: with an encoder.
        x: observations (n, *data_shape), of a conditional model with its labels, (x, labels).
        labels: of all of them, as of `ki.figures.class_directions`.
        index: which example is changed.
        steps: columns, t from -reach to reach.
        reach: above 0; at t = 1 the mean code without an attribute becomes that with it.
        attributes: most rows: those with the longest directions.

    Raises:
        ValueError: no encoder, observations that cannot be drawn, or labels that do not fit.
    """
    check_drawable(model.data_shape)
    codes = model.encode(x)
    index = whole("index", index, 0, len(codes) - 1)
    directions = arithmetic.class_directions(codes, labels)
    if len(directions) > whole("attributes", attributes):
        longest = sorted(directions, key=lambda name: -np.linalg.norm(directions[name]))[:attributes]
        directions = {name: direction for name, direction in directions.items() if name in longest}
    factors = np.linspace(-1, 1, whole("steps", steps, 2)) * number("reach", reach, above=0)
    ways = np.stack([arithmetic.along(codes[index], direction, factors) for direction in directions.values()])
    return Rows(
        decoded(model, ways, labels_of(model, x, [index] * len(ways))),
        [*directions],
        _signed(factors),
        "Attributes, added to one code",
        "t, in z + t (mean code with − mean code without)",
        context=context_of(model, x),
    )


def kl_of_dimensions(model: Any, x: Any) -> np.ndarray:
    """E_x KL(q(z_j | x) || N(0, 1)) of each dimension, (latent_dim,), in nats; of a full covariance by its diagonal.

    Args:
        model: with a Gaussian posterior.
        x: observations (n, *data_shape), of a conditional model with labels, (x, labels).

    Raises:
        ValueError: the posterior is not Gaussian.
    """
    if not isinstance(model.posterior_family, GaussianPosterior):
        kind = type(model.posterior_family).__name__ if model.posterior_family is not None else "none that is explicit"
        raise ValueError(f"Argument `model` must have a Gaussian posterior q(z|x). Received: {kind}")
    posterior = model.posterior(x)
    return arithmetic.gaussian_kl(posterior.mean().numpy(), posterior.stddev().numpy())


class Use(NamedTuple):
    """How much each dimension of codes is used: sizes (latent_dim,), what they are, and a form for one of them."""

    sizes: np.ndarray
    what: str
    form: str

    def of(self, dimension: int) -> str:
        """That of one dimension, as it stands beside it."""
        return self.form.format(self.sizes[dimension])


def use_of_dimensions(codes: np.ndarray, model: Any, x: Any = None) -> Use:
    """Of codes (n, latent_dim): `kl_of_dimensions`, where there is `x` and a Gaussian posterior, else the s.d."""
    if x is not None and isinstance(model.posterior_family, GaussianPosterior):
        return Use(kl_of_dimensions(model, x), r"mean of $KL(q(z_j|x)\,||\,N(0, 1))$", "{:.2f} nats")
    return Use(codes.std(axis=0), "standard deviation of the codes", "s.d. {:.2g}")


def latent_traversals(
    model: Any, x: Any, index: int = 0, steps: int = 9, reach: float = 3.0, dimensions: int = MOST
) -> Rows:
    """One example, decoded while one dimension of its code at a time goes through the values that it has on data.

    Beside each dimension stands its KL in nats, the largest first; where the posterior is not Gaussian, the standard
    deviation of its codes. Sticks of which one is moved are decoded as weights again: none below 0, all in proportion,
    adding up to 1.

    Args:
        model: with an encoder.
        x: observations (n, *data_shape), n >= 2, of a conditional model with labels, (x, labels).
        index: which example is changed.
        steps: columns, from the mean of the codes of `x` minus `reach` standard deviations to plus so many.
        reach: above 0.
        dimensions: most rows.

    Raises:
        ValueError: no encoder, or observations that cannot be drawn.
    """
    check_drawable(model.data_shape)
    codes = np.asarray(model.encode(x, seed=0), np.float64)
    index = whole("index", index, 0, len(codes) - 1)
    means, deviations = codes.mean(axis=0), codes.std(axis=0)
    use = use_of_dimensions(codes, model, x)
    chosen = np.argsort(-use.sizes, kind="stable")[: whole("dimensions", dimensions)]
    factors = np.linspace(-1, 1, whole("steps", steps, 2)) * number("reach", reach, above=0)
    ways = np.repeat(codes[index][None, None], len(chosen), axis=0).repeat(steps, axis=1)
    for row, dimension in enumerate(chosen):
        ways[row, :, dimension] = means[dimension] + factors * deviations[dimension]
    return Rows(
        decoded(model, ways, labels_of(model, x, [index] * len(ways))),
        [f"$z_{{{dimension}}}$  {use.of(dimension)}" for dimension in chosen],
        _signed(factors),
        f"One dimension at a time; beside it the {use.what}",
        "value of the dimension, in standard deviations of the codes from their mean",
        context=context_of(model, x),
    )


def _signed(factors: np.ndarray) -> list[str]:
    return [f"{factor:+g}".replace("-", "−") if factor else "0" for factor in np.round(factors, 2)]
