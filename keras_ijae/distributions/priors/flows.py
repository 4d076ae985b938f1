"""Priors that a flow makes of N(0, I)."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size, whole
from keras_ijae.distributions.priors._likelihood import fit
from keras_ijae.distributions.priors._rows import in_parts
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.layers import MaskedAffine

_ROWS = 256  # go through the maps at once


class Flow(Prior):
    """What `RealNVP` and `MAF` share: f_depth(... f_1((z - location) / deviation)) is N(0, I).

        log p(z) = log N(f(z); 0, I) + log |det df/dz|

    The maps are trained by a system's loss, from the identity, so that p(z) is N(0, I) at first; or they are fitted.
    What they do to a dimension depends on the others: where there is but one, p(z) is a Gaussian.
    `location` and `deviation` are 0 and 1 unless it is fitted.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        depth: number of maps, >= 1.
        width: of the two hidden layers of each map's network, >= 1.
        seed: of the start; None: one by Keras' seed.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    can_fit = True
    fits = "draws"

    def __init__(self, latent_dim: int, depth: int, width: int = 64, seed: int | None = None, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.depth, self.width = whole("depth", depth), size("width", width)
        self.seed = None if seed is None else whole("seed", seed, 0, 2**31)
        seeds = [None if seed is None else seed + 2 * k for k in range(self.depth)]
        self.maps = [MaskedAffine(self._degrees(k), self.width, seed=seeds[k]) for k in range(self.depth)]
        self.location = self._kept("location", np.zeros(self.latent_dim))
        self.deviation = self._kept("deviation", np.ones(self.latent_dim))

    def _degrees(self, k):
        """Of the dimensions, in map k."""
        raise NotImplementedError

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        location, deviation = (tf.cast(weight, z.dtype) for weight in (self.location, self.deviation))
        z, log_prob = (z - location) / deviation, -tf.reduce_sum(tf.math.log(deviation))
        for each in self.maps:
            z, log_det = each.forward(z)
            log_prob += log_det
        return log_prob - tf.reduce_sum(z**2 + math.log(2 * math.pi), axis=1) / 2

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        noise = tf.cast(random.normal((n, self.latent_dim), seed), tf.float64)
        return tf.cast(in_parts(self._from_normal, noise, _ROWS, self.latent_dim), tf.float32)  # one rounding

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, and looking takes seconds
    def _from_normal(self, z):
        for each in reversed(self.maps):
            z = each.inverse(z)
        return tf.cast(self.deviation, z.dtype) * z + tf.cast(self.location, z.dtype)

    def fit(self, given: np.ndarray | Callable[[int], np.ndarray], seed: int = 0) -> None:
        """Maximum likelihood by Adam, from the start of the maps by `seed`; see `_likelihood.fit`.

        Args:
            given: codes (n, latent_dim), finite, n at least 2; or a function of the number of a pass that gives such.
            seed: of start and batches.

        Raises:
            ValueError: codes of another shape, too few or not finite; or of one dimension.
        """
        self.check_fit()
        start = type(self).from_config({**self.get_config(), "seed": seed % 2**31, "trainable": True})
        fit(start, lambda number: self._given_codes(given, number), seed)
        self.set_weights(start.get_weights())

    def check_fit(self) -> None:
        if self.latent_dim == 1:
            raise ValueError(
                "Argument `prior` must be another than a flow for codes of one dimension, of which its maps make a "
                f"Gaussian: 'gmm' has several. Received: {type(self).__name__}"
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth, "width": self.width, "seed": self.seed}


@keras.saving.register_keras_serializable("keras_ijae")
class MAF(Flow):
    """Masked autoregressive flow: each map's scale and shift of a dimension are functions of those before it.

    The order of the dimensions is turned round from map to map. The density of given codes takes one pass of each map's
    network, samples take `latent_dim` passes: they are slow where a code is large. Each map is e^s z + m, the paper's
    with s for -alpha and m for -mu e^-alpha, |s| < 2 (see `MaskedAffine`); no batch normalisation between maps.

    Args: as of `Flow`.

    Example:
        ki.create("vae", (28, 28, 1), 16, prior=MAF(16, depth=5))
        model.fit_prior(train, "flow")

    References:
        Papamakarios, Pavlakou & Murray 2017, "Masked Autoregressive Flow for Density Estimation", eqs. 2 to 5, who use
        5 and 10 maps. Tanh units, the start and the numbers are choices of this library.
    """

    def __init__(self, latent_dim: int, depth: int = 5, width: int = 64, seed: int | None = None, **options: Any):
        super().__init__(latent_dim, depth, width, seed, **options)

    def _degrees(self, k):
        return list(range(1, self.latent_dim + 1))[:: 1 - 2 * (k % 2)]


@keras.saving.register_keras_serializable("keras_ijae")
class RealNVP(Flow):
    """Real-valued non-volume preserving flow: each map copies half of the dimensions, which say how the others move.

    Map 2b copies the dimensions whose number has a 0 as bit b, map 2b + 1 the others, and then anew from the first bit:
    all pairs of dimensions meet. Density and samples take one pass of each map's network. Each map is e^s z + m with
    |s| < 2 (see `MaskedAffine`); no batch normalisation, one scale.

    Args: as of `Flow`.

    Example:
        ki.create("flow_vae", (28, 28, 1), 16, prior=RealNVP(16, depth=8))

    References:
        Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", eqs. 4 to 9. Which dimensions are
        copied, tanh units, the start and the numbers are choices of this library.
    """

    def __init__(self, latent_dim: int, depth: int = 8, width: int = 64, seed: int | None = None, **options: Any):
        super().__init__(latent_dim, depth, width, seed, **options)

    def _degrees(self, k):
        bit = (k // 2) % max(1, (self.latent_dim - 1).bit_length())
        return [(i >> bit & 1) ^ k % 2 for i in range(self.latent_dim)]
