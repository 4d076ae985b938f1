"""What every likelihood shares."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.checks import number
from keras_ijae.distributions._owned import Owned
from keras_ijae.distributions._widen import widen

LEARNED = "learned"
MIN_SCALE = 1e-5


class Likelihood(Owned, keras.layers.Layer):
    """p(x | params), independent over the dimensions of x unless a subclass says otherwise.

    `params` are a decoder's output and have the data's shape, `(batch, height, width, channels)` or
    `(batch, features)`. Subclasses define `draw`, and `log_prob` where the density is known; a subclass
    registered with `keras.saving.register_keras_serializable` can be used wherever a likelihood is taken.

    Attributes:
        discrete: `log_prob` is a log-probability of discrete data, so its nats are true nats.
        of_unit_interval: data lie in [0, 1], vectors too.
        has_log_prob: whether `log_prob` is defined, as it is in a subclass that defines it.
        has_bits_per_dim: whether `bits_per_dim` is defined.
        image_activation: last activation of the decoder on images, "sigmoid", or "linear" where `params`
            are logits; on vectors the decoder is linear.

    Args:
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`; anything else is a ValueError.
    """

    _argument = "likelihood"
    discrete: bool = False
    of_unit_interval: bool = False
    has_log_prob: bool = False
    has_bits_per_dim: bool = False
    image_activation: str = "sigmoid"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "log_prob" in vars(cls) and "has_log_prob" not in vars(cls):
            cls.has_log_prob = True

    @property
    def symmetric(self) -> bool:
        """Whether r(y | a) = r(a | y) with its mode at y = a and a fixed scale: usable as λ-IJAE's r."""
        return False

    def validate(self, data_shape: tuple[int, ...]) -> None:
        """Raises ValueError where data of this shape, without the batch, cannot have this likelihood."""

    def check_range(self, x: tf.Tensor) -> None:
        """Raises ValueError where data `(batch, ...)` lie outside of [0, 1] and must not."""
        if not self.of_unit_interval:
            return
        low, high = float(tf.reduce_min(x)), float(tf.reduce_max(x))
        if low < 0 or high > 1:
            raise ValueError(
                f"Argument `x` must be in [0, 1] under a {type(self).__name__} likelihood: scale the data, or create "
                f"the system with another, such as likelihood='gaussian'. Received: range [{low:g}, {high:g}]"
            )

    def output_problem(self, outputs: np.ndarray) -> str:
        """What a decoder's outputs show to be wrong with its last activation: a sentence, or "" where nothing is.

        Args:
            outputs: some, `(batch, *data_shape)`, of codes from the prior; the more, the surer.
        """
        return image_problem(outputs)

    def mean(self, params: tf.Tensor) -> tf.Tensor:
        """The noiseless observation, of the shape of `params`; images in [0, 1]."""
        return widen(params)

    def params_of_mean(self, mean: tf.Tensor) -> tf.Tensor:
        """The `params` whose `mean` this is: the inverse of `mean`, of the same shape.

        It reads the output of a decoder that has no likelihood of its own, and gives observations, as the parameters of
        this one. A subclass that overrides `mean` overrides this too.
        """
        return widen(mean)

    def log_prob(self, params: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """log p(x | params) in nats, summed over all dimensions but the first: `(batch,)`.

        Computed in float32, or in float64 where `params` are float64.

        Raises:
            NotImplementedError: where `has_log_prob` is False.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no tractable `log_prob`; it can only be drawn from. "
            "Use a likelihood with a density, such as Gaussian, Laplace or Bernoulli."
        )

    def bits_per_dim(self, log_prob: tf.Tensor, data_shape: tuple[int, ...]) -> tf.Tensor:
        """-log_prob / (log 2 · dimensions), where the probability is of discretised data.

        Args:
            log_prob: log-probabilities (or a bound) in nats, summed over the dimensions.
            data_shape: shape of one example.

        Raises:
            NotImplementedError: where `has_bits_per_dim` is False: a density, or binary data, has none.
        """
        if not self.has_bits_per_dim:
            raise NotImplementedError(
                f"{type(self).__name__} is not of discretised data: it has no bits per dimension."
            )
        return -log_prob / (math.log(2.0) * math.prod(data_shape))

    def noise_shape(self, data_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the uniforms that draw one observation of shape `data_shape`."""
        return tuple(data_shape)

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Observations of the shape of `params`, by the inverse distribution function; not clipped.

        Continuous likelihoods are reparametrised: gradients reach `params` and a learned scale.

        Args:
            params: `(batch, *data_shape)`.
            uniform: numbers in (0, 1), `(batch, *noise_shape(data_shape))`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `draw(params, uniform)`.")


def image_problem(outputs: np.ndarray) -> str:
    """What is wrong with outputs that are to be data or their means: a sentence, or "" where nothing is.

    Images must lie in [0, 1]; vectors must be finite.
    """
    if not np.isfinite(outputs).all():
        return "The decoder gives NaN or infinite values."
    low, high = float(outputs.min()), float(outputs.max())
    if outputs.ndim != 4 or (low >= 0 and high <= 1):
        return ""
    return (
        f"The decoder gives images in [{low:.3g}, {high:.3g}], which must lie in [0, 1]: "
        "give its last layer the activation 'sigmoid'."
    )


class ScaledLikelihood(Likelihood):
    """A likelihood with one scale for all dimensions: fixed, or learned as one scalar weight.

    The learned scale is 1e-5 + exp(log_scale), so that the likelihood of a perfect fit stays finite.

    Args:
        argument: the name under which the scale is given, for errors.
        scale: a number > 0, or "learned".
        initial: the learned scale's initial value, > 1e-5.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(self, argument: str, scale: float | str, initial: float, **options: Any) -> None:
        super().__init__(**options)
        self.initial = number(f"initial_{argument}", initial, above=MIN_SCALE)
        self.learned = isinstance(scale, str) and scale == LEARNED
        self.given_scale = LEARNED if self.learned else number(argument, scale, above=0, other=repr(LEARNED))
        self.log_scale = self._add_log_scale() if self.learned else None
        self.built = True

    def scale(self) -> tf.Tensor:
        """The scale now, a scalar tensor."""
        if not self.learned:
            return tf.constant(self.given_scale, tf.float64)
        return MIN_SCALE + tf.exp(keras.ops.convert_to_tensor(self.log_scale))

    def _add_log_scale(self) -> keras.Variable:
        value = math.log(self.initial - MIN_SCALE)
        return self.add_weight(
            shape=(),
            initializer=lambda shape, dtype: tf.constant(value, dtype, shape),
            name="log_scale",
            autocast=False,
        )


def matched(params: tf.Tensor, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`params` and `x` in one float dtype; ValueError unless their shapes agree, dimension by dimension."""
    params = widen(params)
    x = tf.cast(x, params.dtype)
    if not x.shape.is_compatible_with(params.shape):
        raise ValueError(
            f"Argument `x` must have the shape of `params`, {tuple(params.shape)}. "
            f"Received: x of shape {tuple(x.shape)}"
        )
    return params, x


def sum_over_dimensions(values: tf.Tensor) -> tf.Tensor:
    """The sum over all axes but the first."""
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))
