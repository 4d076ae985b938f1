"""A planar flow on a Gaussian."""

import math
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole
from keras_ijae.distributions.posteriors.base import Posterior
from keras_ijae.distributions.posteriors.gaussian import DiagonalGaussian

_START = math.log(math.e - 1)  # w'u at which w'û = 0, so that the plane moves nothing
_LEAST = 1e-6  # of 1 + w'û, and of w'w: keeps logarithms and quotients finite where float32 rounds them to 0


def plane(z: tf.Tensor, u: tf.Tensor, w: tf.Tensor, b: tf.Tensor, start: float = 0.0) -> tuple[tf.Tensor, tf.Tensor]:
    """One planar map, invertible for all u, w, b: f(z) = z + û tanh(w'z + b), and log |det df/dz|.

        û = u + (log(1 + exp(w'u)) - 1 - w'u) w / w'w,   so that w'û > -1
        log |det| = log(1 + (1 - tanh²) w'û)

    Args:
        z, u, w: `(batch, d)`; where w'w is below 1e-6, 1e-6 stands for it in û.
        b: `(batch,)`.
        start: u is counted from start w / w'w. (Added to u, it would make codes jump where w is near 0.)

    Returns:
        `(batch, d)` and `(batch,)`.

    References:
        Rezende & Mohamed 2015, "Variational Inference with Normalizing Flows", eqs. 10 to 12 and appendix A.1.
    """
    wu = tf.reduce_sum(w * u, axis=1, keepdims=True)
    square = tf.reduce_sum(w**2, axis=1, keepdims=True)
    norm = tf.maximum(square, _LEAST)
    turned = tf.nn.softplus(-wu - start) + start - 1
    moved = u + turned * w / norm
    slope = tf.maximum(tf.nn.softplus(wu + start) - (1 - square / norm) * turned, _LEAST) - 1  # w'moved
    bend = tf.tanh(tf.reduce_sum(w * z, axis=1, keepdims=True) + b[:, None])
    return z + moved * bend, tf.math.log1p((1 - bend**2) * slope)[:, 0]


@keras.saving.register_keras_serializable("keras_ijae")
class PlanarFlow(Posterior):
    """A diagonal Gaussian, bent by `depth` planar maps in turn, all of whose parameters the encoder gives.

        z_0 = mean + scale noise,  z_k = f_k(z_{k-1}),  log q(z | x) = log N(z_0) - sum_k log |det df_k/dz|

    The encoder's outputs are those of `DiagonalGaussian`, then u, w and b of each map, counted from a map that moves
    nothing: at 0 w is the k-th unit vector (in turn), û and b are 0, so that zeros give N(0, I). The flow has no
    weights of its own. The density of codes that it did not draw has no formula, nor has its KL.

    Args:
        latent_dim: number of latent dimensions d, >= 1.
        depth: number of maps, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        ki.create("vae", (28, 28, 1), 16, posterior=PlanarFlow(16, depth=20))

    References:
        Rezende & Mohamed 2015, "Variational Inference with Normalizing Flows", section 4. They use 10 to 80 maps; the
        parameters that the encoder gives start at other values there.
    """

    def __init__(self, latent_dim: int, depth: int = 10, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.depth = whole("depth", depth)
        self._base = DiagonalGaussian(latent_dim)

    @property
    def units(self) -> int:
        """2 d + depth (2 d + 1): a diagonal Gaussian, and two vectors and a bias of each plane."""
        return self._base.units + self.depth * (2 * self.latent_dim + 1)

    def sample_and_log_prob(self, params: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        gaussian, planes = tf.split(self._checked(params), [self._base.units, -1], axis=1)
        z, log_prob = self._base.sample_and_log_prob(gaussian, noise)
        for k, raw in enumerate(tf.split(planes, self.depth, axis=1)):
            z, log_det = plane(z, *self._parts(k, raw), _START)
            log_prob -= log_det
        return z, log_prob

    def _parts(self, k, raw):
        """u (counted from where the map moves nothing), w and b of map k."""
        u, w, b = tf.split(raw, [self.latent_dim, self.latent_dim, 1], axis=1)
        w += tf.one_hot(k % self.latent_dim, self.latent_dim, dtype=w.dtype)
        return u, w, b[:, 0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "depth": self.depth}
