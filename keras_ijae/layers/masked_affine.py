"""An affine map whose shift and scale of one dimension are functions of others: what flows are made of."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_ijae.checks import whole
from keras_ijae.layers.masked_dense import MaskedDense

BOUND = 2.0
"""The largest logarithm of a scale."""


@keras.saving.register_keras_serializable("keras_ijae")
class MaskedAffine(keras.layers.Layer):
    """y_i = exp(s_i) x_i + m_i, where s_i and m_i are functions of the x_j of lower degree, and of a context.

    Dimensions of degree 0 are copied. Degrees 1, 2, ..., d make an autoregressive map (MAF and IAF), degrees 0 and 1 a
    coupling (RealNVP). The functions are one masked network (MADE) with two hidden layers of tanh units. At the start
    its last layer is 0, and the map the identity.

    Scales are bounded: s = 2 tanh(raw / 2) is in (-2, 2); and as tanh units are, shifts are bounded at given weights.
    So nothing explodes at far codes, where the map is affine.

    Args:
        degrees: of each dimension, at least 0; the highest is the number of passes of `inverse`.
        width: of the hidden layers, >= 1.
        context: size of the context; 0: there is none.
        seed: of the start; None: one by Keras' seed.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(
        self, degrees: Sequence[int], width: int = 64, context: int = 0, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(autocast=False, **options)
        self.degrees, self.width = [whole("degrees", degree, 0) for degree in degrees], whole("width", width)
        self.context = whole("context", context, 0)
        self.seed = None if seed is None else whole("seed", seed, 0, 2**32 - 2)
        inputs, top = [*self.degrees, *[0] * self.context], max(self.degrees)
        known = range(min(inputs), max(top, min(inputs) + 1))  # degrees by which something is seen, and told
        hidden = list(itertools.islice(itertools.cycle(known), self.width))
        self.first = MaskedDense(inputs, hidden, seed=seed, name="first")
        self.second = MaskedDense(hidden, hidden, seed=None if seed is None else seed + 1, name="second")
        self.last = MaskedDense(hidden, self.degrees * 2, strict=True, start="zeros", name="last")
        self.built = True

    def forward(self, x: tf.Tensor, context: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """y `(batch, d)` and log |det dy/dx| `(batch,)`, in one pass of the network.

        Args:
            x: `(batch, d)`.
            context: `(batch, context)`.
        """
        shift, log_scale = self._shift_and_log_scale(x, context)
        return tf.exp(log_scale) * x + shift, tf.reduce_sum(log_scale, axis=1)

    def inverse(self, y: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        """The x of a y, exactly: pass k of the network finds the dimensions of degree k."""

        def one_pass(x):
            shift, log_scale = self._shift_and_log_scale(x, context)
            return ((y - shift) * tf.exp(-log_scale),)

        return tf.while_loop(lambda x: True, one_pass, (y,), maximum_iterations=max(self.degrees))[0]

    def _shift_and_log_scale(self, x, context):
        seen = x if context is None else tf.concat([x, context], axis=1)
        raw = self.last(tf.tanh(self.second(tf.tanh(self.first(seen)))))
        moved = tf.constant([float(degree > 0) for degree in self.degrees], x.dtype)
        shift, log_scale = tf.split(raw, 2, axis=1)
        return moved * shift, moved * BOUND * tf.tanh(log_scale / BOUND)

    def call(self, x: tf.Tensor, context: tf.Tensor | None = None) -> tf.Tensor:
        """y alone."""
        return self.forward(x, context)[0]

    def compute_output_shape(self, input_shape: tuple, *rest: tuple) -> tuple:
        """The shape of x."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("degrees", "width", "context", "seed")}
        return {**super().get_config(), **own}
