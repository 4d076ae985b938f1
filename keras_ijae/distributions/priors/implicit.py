"""The aggregated posterior as a prior, known by its ratio to N(0, I) alone."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import size
from keras_ijae.distributions.priors._rows import ROWS, keyed_rows
from keras_ijae.distributions.priors.base import Prior


@keras.saving.register_keras_serializable("keras_ijae")
class ImplicitOptimalPrior(Prior):
    """p(z) = e^T(z) N(z; 0, I), where T is the log-ratio of the codes of data to N(0, I) that a model estimates.

    A code is one of M draws of N(0, I), taken with probabilities in proportion to e^T: for large M a sample of p.
    There is no `log_prob`: T need not make p integrate to 1, and an estimate of the integral is dominated by few draws.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        candidates: M >= 1; many more than e^KL(p || N(0, I)) are needed.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Takahashi et al. 2019, "Variational Autoencoder with Implicit Optimal Priors".
    """

    has_log_prob = False
    of_one_model = True
    _log_ratio: Callable[[tf.Tensor], tf.Tensor] | None = None

    def __init__(self, latent_dim: int, candidates: int = 256, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.candidates = size("candidates", candidates)

    def bind(self, model: Any) -> None:
        """Take T from the model.

        Raises:
            ValueError: a model that has none.
        """
        if not model.HAS_LOG_RATIO:
            raise ValueError(
                "Argument `prior` cannot be an ImplicitOptimalPrior here: it needs the ratio of codes to N(0, I) that "
                f"'iop_vae' estimates. Received: a {type(model).__name__}"
            )
        self._log_ratio = lambda z: model.log_ratio(z)  # hidden from Keras, which would save the model in it
        self._lenders = lambda: (model.code_discriminator,)

    @property
    def lenders(self) -> tuple[keras.layers.Layer, ...]:
        return self._lenders() if self._log_ratio is not None else ()

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        return keyed_rows(self._some, n, seed, self.latent_dim)

    def _some(self, key):
        if self._log_ratio is None:
            raise ValueError("An ImplicitOptimalPrior has no samples before it is the prior of a model")
        z = random.normal((ROWS, self.candidates * self.latent_dim), random.fold(key, "candidates"))
        z = tf.reshape(z, [ROWS * self.candidates, self.latent_dim])
        log_ratio = tf.reshape(tf.cast(self._log_ratio(z), tf.float32), [ROWS, self.candidates])
        uniform = random.uniform((ROWS, self.candidates), random.fold(key, "gumbel"))
        chosen = tf.argmax(log_ratio - tf.math.log(-tf.math.log(uniform)), axis=1)
        return tf.gather(tf.reshape(z, [ROWS, self.candidates, -1]), chosen, batch_dims=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "candidates": self.candidates}
