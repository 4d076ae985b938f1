"""A mixture of Gaussians over codes, which can be fitted to them."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.tfp import tfp

ROUNDS = 2000
"""Of expectation maximisation, at most."""


@keras.saving.register_keras_serializable("keras_ijae")
class GaussianMixture(Prior):
    """sum_k share_k N(mean_k, L_k L_k'), with full covariances; N(0, I) until it is fitted.

    Shares, means and triangles are weights that no optimizer moves: they are saved and exported with the model.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        components: number of Gaussians, >= 1.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        prior = GaussianMixture(2, components=5)
        prior.fit(codes)
        prior.sample(64, seed=0)  # (64, 2)

    References:
        Ghosh et al. 2020, "From Variational to Deterministic Autoencoders", section 4.
    """

    can_fit = True
    fits = "draws"

    def __init__(self, latent_dim: int, components: int = 10, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.components = k = size("components", components)
        d = self.latent_dim
        self.shares = self._kept("shares", np.full(k, 1 / k))
        self.means = self._kept("means", np.zeros((k, d)))
        self.triangles = self._kept("triangles", np.broadcast_to(np.eye(d), (k, d, d)))

    @property
    def variance(self) -> tf.Tensor:
        """Mean of those of the dimensions: of the components, and of their means."""
        shares, means, triangles = (tf.convert_to_tensor(w) for w in (self.shares, self.means, self.triangles))
        squares = tf.reduce_sum(triangles**2, axis=(1, 2)) + tf.reduce_sum(means**2, axis=1)
        mean = tf.linalg.matvec(means, shares, transpose_a=True)
        return (tf.reduce_sum(shares * squares) - tf.reduce_sum(mean**2)) / self.latent_dim

    def fit(self, given: Any, seed: int = 0) -> None:
        """Expectation maximisation by scikit-learn, from one start by k-means.

        At most 2,000 rounds, as in the code of the reference (scikit-learn's default is 100); the rest is
        scikit-learn's: it stops where a round adds less than 0.001 nats per code, and adds 1e-6 to all variances.

        Args:
            given: codes (n, latent_dim), finite, n at least `components`; or a function of 0 that gives such.
            seed: of the start.

        Raises:
            ValueError: codes of another shape, too few or not finite.
        """
        from sklearn import mixture

        remedy = ", the number of components: give more codes, or a mixture of fewer"
        codes = self._given_codes(given, least=max(2, self.components), remedy=remedy if self.components > 1 else "")
        found = mixture.GaussianMixture(
            self.components, covariance_type="full", max_iter=ROUNDS, random_state=seed
        ).fit(codes)
        self.shares.assign(found.weights_)
        self.means.assign(found.means_)
        self.triangles.assign(np.linalg.cholesky(found.covariances_))

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        noise = tf.cast(random.normal((n, self.latent_dim), random.fold(seed, "normal")), tf.float64)
        shares, means, triangles = (tf.cast(w, tf.float64) for w in (self.shares, self.means, self.triangles))
        chosen = random.choices(shares, n, random.fold(seed, "component"))[:, None]
        codes = tf.zeros_like(noise)
        for k in range(self.components):  # not all (n, components, latent_dim) at once
            codes = tf.where(chosen == k, means[k] + tf.matmul(noise, triangles[k], transpose_b=True), codes)
        return tf.cast(codes, tf.float32)  # one rounding, so XLA agrees

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        d = tfp().distributions
        shares, means, triangles = (tf.cast(w, z.dtype) for w in (self.shares, self.means, self.triangles))
        gaussians = d.MultivariateNormalTriL(means, triangles)
        return d.MixtureSameFamily(d.Categorical(probs=shares), gaussians).log_prob(z)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}
