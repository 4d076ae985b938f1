"""An inverse autoregressive flow on a Gaussian."""

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import size, whole
from keras_ijae.distributions.posteriors.base import Posterior
from keras_ijae.distributions.posteriors.gaussian import DiagonalGaussian
from keras_ijae.layers import MaskedAffine


@keras.saving.register_keras_serializable("keras_ijae")
class IAF(Posterior):
    """A diagonal Gaussian, changed by `depth` autoregressive maps in turn, whose networks are weights of its own.

        z_0 = mean + scale noise,  z_t = e^{s_t} z_{t-1} + m_t,  log q(z | x) = log N(z_0) - sum_t sum_i s_{t,i}

    s_t and m_t of a dimension are functions of the dimensions of z_{t-1} before it and of the context h. The order of
    the dimensions is turned round from map to map. The encoder's outputs are those of `DiagonalGaussian`, then h. The
    maps begin as the identity, so that zeros give N(0, I) and the flow learns from the Gaussian.

    The paper's sigma_t = e^{s_t} has its logarithm in (-2, 2) here (see `MaskedAffine`). The gate that the paper takes
    for stability, sigmoid(s) z + (1 - sigmoid(s)) m, is another form of the same maps with scales below 1; it cannot
    begin as the identity.

    A draw and its density take one pass of each map's network; the density of given codes (`log_prob`) takes
    `latent_dim` passes. The KL has no formula.

    Args:
        latent_dim: number of latent dimensions d, >= 1.
        depth: number of maps, >= 1.
        width: of the two hidden layers of each map's network, >= 1.
        context: size of h, >= 0.
        seed: of the start; None: one by Keras' seed.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        ki.create("vae", (28, 28, 1), 16, posterior="iaf", free_bits=4.0)

    References:
        Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, "Improved Variational Inference with Inverse
        Autoregressive Flow", eqs. 10 and 11, algorithm 1. Tanh units, the start and the numbers are choices of this
        library.
    """

    def __init__(
        self,
        latent_dim: int,
        depth: int = 4,
        width: int = 64,
        context: int = 32,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(latent_dim, **options)
        self.depth, self.width = whole("depth", depth), size("width", width)
        self.seed = None if seed is None else whole("seed", seed, 0, 2**31)
        self.context, order = size("context", context, 0), range(1, self.latent_dim + 1)
        seeds = [None if seed is None else seed + 2 * k for k in range(self.depth)]
        self.maps = [
            MaskedAffine(order[:: 1 - 2 * (k % 2)], self.width, self.context, seeds[k]) for k in range(self.depth)
        ]
        self._base = DiagonalGaussian(latent_dim)

    @property
    def units(self) -> int:
        """2 d + context: a diagonal Gaussian, and what all steps of the flow see."""
        return self._base.units + self.context

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        gaussian, context = self._parts(params)
        z, log_prob = self._base.sample_and_log_prob(gaussian, noise)
        for each in self.maps:
            z, log_det = each.forward(z, context)
            log_prob -= log_det
        return z, log_prob

    def log_prob(self, params: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        gaussian, context = self._parts(params)
        log_dets = []
        for each in reversed(self.maps):
            z = each.inverse(z, context)
            log_dets.append(each.forward(z, context)[1])
        return self._base.log_prob(gaussian, z) - tf.add_n(log_dets)

    def _parts(self, params):
        """The outputs for the Gaussian, and the context."""
        return tf.split(self._checked(params), [self._base.units, self.context], axis=1)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("depth", "width", "context", "seed")}
        return {**super().get_config(), **own}
