"""A dense layer without some of its connections."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_ijae")
class MaskedDense(keras.layers.Layer):
    """x (kernel * mask) + bias: output j has a connection to input i where the degree of j is at least that of i.

    Stacked, with `strict` in the last layer, such layers give outputs that depend on inputs of lower degree alone: the
    masked auto-encoder MADE. It computes in the precision of its inputs.

    Args:
        before: the degree of each input.
        after: the degree of each output.
        strict: whether the degree of j must be above that of i.
        start: "normal": connections from N(0, 1 / number of those of the output); or "zeros".
        seed: of "normal"; None: one by Keras' seed.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Germain et al. 2015, "MADE: Masked Autoencoder for Distribution Estimation", eqs. 8 to 13.
    """

    def __init__(
        self,
        before: Sequence[int],
        after: Sequence[int],
        strict: bool = False,
        start: str = "normal",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(autocast=False, **options)
        self.before, self.after = [int(degree) for degree in before], [int(degree) for degree in after]
        self.strict, self.start, self.seed = strict, start, seed
        inputs, outputs = np.array(self.before)[:, None], np.array(self.after)
        self.mask = (outputs > inputs if strict else outputs >= inputs).astype("float64")
        self.kernel = self.add_weight(self.mask.shape, self._start, autocast=False, name="kernel")
        self.bias = self.add_weight(outputs.shape, "zeros", autocast=False, name="bias")
        self.built = True

    def _start(self, shape, dtype):
        if self.start == "zeros":
            return tf.zeros(shape, dtype)
        normal = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)(shape, dtype)
        return normal / tf.sqrt(tf.cast(np.maximum(self.mask.sum(axis=0), 1), dtype))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        kernel, bias = (tf.cast(weight, x.dtype) for weight in (self.kernel, self.bias))
        return tf.matmul(x, kernel * tf.constant(self.mask, x.dtype)) + bias

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """(batch, outputs)."""
        return (input_shape[0], len(self.after))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("before", "after", "strict", "start", "seed")}
        return {**super().get_config(), **own}
