"""Small networks inside priors, in float32 where a model computes in half precision."""

from typing import Any

import keras
import tensorflow as tf


def density_dtype() -> str:
    """float64 where Keras is set to it, else float32."""
    return "float64" if keras.config.dtype_policy().variable_dtype == "float64" else "float32"


class Perceptron(keras.layers.Layer):
    """Dense layers from (batch, inputs) to (batch, outputs); Glorot's uniform weights, by Keras' seed.

    Args:
        inputs, outputs: sizes.
        width, depth: units of each hidden layer, and how many there are.
        activation: of the hidden layers.
        **options: `name` of `keras.layers.Layer`.
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, activation: str, **options: Any) -> None:
        super().__init__(dtype=density_dtype(), **options)
        sizes, activations = [width] * depth + [outputs], [activation] * depth + ["linear"]
        self.layers = [
            keras.layers.Dense(size, act, dtype=self.dtype) for size, act in zip(sizes, activations, strict=True)
        ]
        for size, layer in zip([inputs, *sizes], self.layers, strict=False):
            layer.build((None, size))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(batch, outputs)."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs
