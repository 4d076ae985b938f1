"""Spectral normalisation as a reparametrisation: the raw kernel is stored, the layer computes with kernel / σ."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_ijae.keras_internals import sublayers
from keras_ijae.layers.advancing import Advancing

EPSILON = 1e-12


def _normalise(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), EPSILON)


def _top_left_singular_vector(matrix: tf.Tensor) -> tf.Tensor:
    """The unit vector u that maximises |matrixᵀ u|, through the smaller of the two Gram matrices."""
    rows, columns = matrix.shape
    double = tf.cast(matrix, tf.float64)
    if rows <= columns:
        u = tf.linalg.eigh(tf.matmul(double, double, transpose_b=True))[1][:, -1]
    else:
        v = tf.linalg.eigh(tf.matmul(double, double, transpose_a=True))[1][:, -1]
        u = tf.linalg.matvec(double, v)
    uniform = tf.ones_like(u) / tf.sqrt(tf.cast(rows, u.dtype))  # for a kernel of zeros
    return tf.cast(tf.where(tf.norm(u) > EPSILON, _normalise(u), uniform), matrix.dtype)


class SpectralMixin(Advancing):
    """What the spectral layers share: `u`, σ, `advance`. To be listed before the Keras layer that it normalises."""

    def add_weight(self, *args: Any, **kwargs: Any) -> keras.Variable:
        """As in Keras, but weights are read in their own precision: σ is float32 under mixed precision."""
        kwargs.setdefault("autocast", False)
        return super().add_weight(*args, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights, and `u` already equal to the first left singular vector of the initial kernel."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self._matrix_shape()[0],),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )
        with tf.init_scope():
            self.u.assign(_top_left_singular_vector(self._matrix()))

    def save_own_variables(self, store: dict) -> None:
        """Saves kernel, bias and u (Keras' own layers name theirs one by one, and would leave u out)."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: dict) -> None:
        """Loads what `save_own_variables` saved."""
        keras.layers.Layer.load_own_variables(self, store)

    def _matrix_shape(self) -> tuple[int, int]:
        """Rows: all axes of the kernel but the last; columns: the last."""
        shape = tuple(self.kernel.shape)
        return int(tf.TensorShape(shape[:-1]).num_elements()), shape[-1]

    def _matrix(self) -> tf.Tensor:
        return tf.reshape(tf.convert_to_tensor(self.kernel), self._matrix_shape())

    def sigma(self) -> tf.Tensor:
        """The spectral norm of the kernel as a matrix: uᵀWv, differentiable in W with u and v held constant."""
        image = tf.linalg.matvec(self._matrix(), tf.convert_to_tensor(self.u), transpose_a=True)
        return tf.reduce_sum(image * tf.stop_gradient(_normalise(image)))

    def normalised_kernel(self) -> tf.Tensor:
        """kernel / σ, in the precision of the kernel."""
        return tf.convert_to_tensor(self.kernel) / tf.maximum(self.sigma(), EPSILON)

    def advance(self) -> None:
        """One power iteration: v = Wᵀu, u = Wv, each of unit length. For once a step, never for a forward pass."""
        matrix, u = self._matrix(), tf.convert_to_tensor(self.u)
        v = _normalise(tf.linalg.matvec(matrix, u, transpose_a=True))
        image = tf.linalg.matvec(matrix, v)
        self.u.assign(tf.where(tf.norm(image) > EPSILON, _normalise(image), u))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The layer with kernel / σ; the same in training and inference, and without side effects."""
        kernel = tf.cast(self.normalised_kernel(), self.compute_dtype)
        outputs = self._linear(tf.cast(inputs, self.compute_dtype), kernel)
        if self.use_bias:
            outputs += tf.cast(tf.convert_to_tensor(self.bias), self.compute_dtype)
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable("keras_ijae")
class SpectralDense(SpectralMixin, keras.layers.Dense):
    """A dense layer whose kernel is divided by its spectral norm.

    `kernel` holds the raw weights, `(features, units)`, and is what optimizers move; the output is
    `inputs @ (kernel / σ) + bias` with σ = uᵀ W v the largest singular value. Gradients flow through σ
    (∂σ/∂W = u vᵀ). `u` is exact when the layer is built and then follows the kernel by one power iteration per
    `advance()`. Unlike with `keras.layers.SpectralNormalization`, a forward pass changes nothing, and `training`
    does not matter.

    Args: those of `keras.layers.Dense`. Input `(..., features)`, output `(..., units)`.

    References:
        Miyato, Kataoka, Koyama, Yoshida (2018), Spectral normalization for generative adversarial networks.
    """

    def _linear(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return keras.ops.matmul(inputs, kernel)


@keras.saving.register_keras_serializable("keras_ijae")
class SpectralConv2D(SpectralMixin, keras.layers.Conv2D):
    """A convolution whose kernel is divided by the spectral norm of its `(height * width * in, out)` matrix.

    Everything else is as in `SpectralDense`. The norm is that of the matrix, as is usual, not of the convolution as an
    operator on images, which may be up to √(height * width) times larger.

    Args: those of `keras.layers.Conv2D`, channels last. Input `(batch, H, W, in)`, output `(batch, H', W', out)`.
    """

    def _linear(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return self.convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable("keras_ijae")
class SpectralConv2DTranspose(SpectralMixin, keras.layers.Conv2DTranspose):
    """A transposed convolution whose kernel is divided by the spectral norm of its `(height * width * out, in)` matrix.

    Everything else is as in `SpectralDense`.

    Args: those of `keras.layers.Conv2DTranspose`, channels last. Input `(batch, H, W, in)`, output
        `(batch, H', W', out)`.
    """

    def _linear(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return keras.ops.conv_transpose(
            inputs,
            kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


def spectral_layers(network: keras.Layer) -> list[keras.Layer]:
    """All spectrally normalised layers inside `network`, at any depth: those whose `advance()` a step has to call."""
    return [layer for layer in sublayers(network) if isinstance(layer, SpectralMixin)]
