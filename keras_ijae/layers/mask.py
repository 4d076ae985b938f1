"""A mask that learns which dimensions of a code are used."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import number, whole

ACTIVE = 0.1


@keras.saving.register_keras_serializable("keras_ijae")
class LatentMask(keras.layers.Layer):
    """alpha * z, one factor alpha_j = 1 - exp(-a_j) in [0, 1) for each dimension; a_j >= 0 is learned.

    A constraint keeps a at 0 and above: there alpha is 0 with a slope of 1, so that a dimension may come back.

    Args:
        latent_dim: number of dimensions of a code, >= 1.
        high: a starts from the uniform distribution on (0, high).
        seed: of that draw.
        **kwargs: `name`, `dtype`, `trainable`; anything else is refused by `keras.layers.Layer`.

    References:
        Mondal et al. 2020, "MaskAAE: Latent space optimization for adversarial auto-encoders".
    """

    def __init__(self, latent_dim: int, high: float = 5.0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.latent_dim, self.high = whole("latent_dim", latent_dim), number("high", high, above=0)
        self.seed = seed
        self.input_spec = keras.layers.InputSpec(shape=(None, latent_dim))
        self.a = self.add_weight(
            shape=(self.latent_dim,),
            initializer=keras.initializers.RandomUniform(0.0, self.high, self.seed),
            constraint="non_neg",
            name="a",
        )
        self.built = True

    def call(self, z: tf.Tensor) -> tf.Tensor:
        """Codes `(batch, latent_dim)`, masked."""
        return z * tf.cast(self.alpha(), z.dtype)

    def alpha(self) -> tf.Tensor:
        """The factors, `(latent_dim,)`."""
        a = tf.convert_to_tensor(self.a)
        return tf.cast(-tf.math.expm1(-tf.cast(a, tf.float64)), a.dtype)  # one rounding, so XLA agrees

    def active(self) -> tf.Tensor:
        """Which dimensions are in use, alpha >= 0.1: `(latent_dim,)` booleans."""
        return self.alpha() >= ACTIVE

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the input."""
        return tuple(input_shape)

    def get_config(self) -> dict:
        """The arguments."""
        return {**super().get_config(), "latent_dim": self.latent_dim, "high": self.high, "seed": self.seed}
