"""Symmetric likelihoods by cyclic shifts of an image."""

import itertools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.checks import number, whole
from keras_ijae.distributions._widen import widen
from keras_ijae.distributions.likelihoods.base import Likelihood
from keras_ijae.layers.cyclic_shift import roll


@keras.saving.register_keras_serializable("keras_ijae")
class CyclicShift(Likelihood):
    """r(y | x): y is x rolled by (s_h, s_w), drawn for each image, with wrapping edges.

    s_h and s_w are independent with P(s) ∝ decay^|s|, |s| <= max_shift: P(s) = P(-s), so r is symmetric, and
    s = 0 is the strict mode. It is a distribution over finitely many images, without a density. The source
    leaves the law of the shifts open; a uniform one would have no mode at 0.

    Args:
        max_shift: largest shift in pixels along each axis, >= 0 and less than half of height and width;
            0 is the identity.
        decay: P(s + 1) / P(s) for s >= 0, in (0, 1).
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    References:
        Alanov, Kochurov, Sobolev, Yashkov and Vetrov, implicit λ-Jeffreys autoencoders, 2019.
    """

    has_log_prob = False

    def __init__(self, max_shift: int = 2, decay: float = 0.5, **options: Any) -> None:
        super().__init__(**options)
        self.max_shift, self.decay = whole("max_shift", max_shift, 0), number("decay", decay, above=0, below=1)
        self.built = True

    @property
    def symmetric(self) -> bool:
        return True

    def probabilities(self) -> np.ndarray:
        """P(s) of one axis for s = -max_shift ... max_shift, `(2 max_shift + 1,)` float64, summing to 1."""
        weights = self.decay ** np.abs(np.arange(-self.max_shift, self.max_shift + 1), dtype=np.float64)
        return weights / weights.sum()

    def shifts(self, uniform: tf.Tensor) -> tf.Tensor:
        """Shifts by the inverse distribution function: `(batch, 2)` uniforms to `(batch, 2)` int32."""
        uniform = widen(uniform)
        edges = tf.constant(np.cumsum(self.probabilities())[:-1], uniform.dtype)
        above = tf.cast(uniform[..., tf.newaxis] > edges, tf.int32)
        return tf.reduce_sum(above, axis=-1) - self.max_shift

    def validate(self, data_shape: tuple[int, ...]) -> None:
        name = type(self).__name__
        if len(data_shape) != 3:
            raise ValueError(
                f"{name} shifts images: `data_shape` must be (height, width, channels). "
                f"Received: data_shape={tuple(data_shape)}"
            )
        if 2 * self.max_shift >= min(data_shape[:2]):
            raise ValueError(
                f"Argument `max_shift` must be less than half of height and width. "
                f"Received: max_shift={self.max_shift}, data_shape={tuple(data_shape)}"
            )

    def noise_shape(self, data_shape: tuple[int, ...]) -> tuple[int, ...]:
        self.validate(data_shape)
        return (2,)

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """`params` shifted, image by image; differentiable in `params`."""
        return roll(widen(params), self.shifts(uniform))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_shift": self.max_shift, "decay": self.decay}


@keras.saving.register_keras_serializable("keras_ijae")
class ShiftGaussian(CyclicShift):
    """r(y | a): a cyclic shift of a as in `CyclicShift`, then Gaussian noise of standard deviation `sigma`.

    It is the mixture sum_s P(s) N(y; roll(a, s), sigma^2 I) and always symmetric. Its highest mode is at y = a only
    where the parts do not overlap: where sigma is small against half the distance from a to each of its shifts that
    differs from a. A large sigma melts the parts into one mode, near the mean of the shifted images. `mode_offset`
    says for given images how far the mode is; no image in [0, 1] has it at a from sigma = sqrt(dimensions) / 2 on,
    which `validate` refuses.

    Args:
        max_shift: largest shift in pixels along each axis, >= 0.
        sigma: standard deviation of the noise, > 0 and below sqrt(height * width * channels) / 2.
        decay: P(s + 1) / P(s) for s >= 0, in (0, 1).
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.
    """

    def __init__(self, max_shift: int = 2, sigma: float = 0.1, decay: float = 0.5, **options: Any) -> None:
        super().__init__(max_shift, decay, **options)
        self.sigma = number("sigma", sigma, above=0)

    def validate(self, data_shape: tuple[int, ...]) -> None:
        super().validate(data_shape)
        most = math.sqrt(math.prod(data_shape)) / 2
        if self.sigma >= most:
            raise ValueError(
                f"Argument `sigma` must be below {most:g}, half the largest distance of two images of shape "
                f"{tuple(data_shape)}, for a mode at the image. Received: sigma={self.sigma}"
            )

    def mode_offset(self, images: tf.Tensor) -> tf.Tensor:
        """How far from y = a the mode of r(y | a) is, in standard deviations: `(batch,)`.

        The length of one mean-shift step from y = a, ||sum_s w_s roll(a, s) - a|| / sigma with w_s the posterior
        probability of the shift s given y = a: 0 exactly where the gradient of r(. | a) at a is 0. Much less than 1
        means that the mode is at a for all purposes.

        Args:
            images: a, `(batch, height, width, channels)`.

        References:
            Comaniciu & Meer 2002, "Mean shift: a robust approach toward feature space analysis".
        """
        images = widen(images)
        self.validate(tuple(images.shape[1:]))
        steps = np.arange(-self.max_shift, self.max_shift + 1)
        log_law = np.log(self.probabilities())
        log_weights, shifted = [], []
        for i, j in itertools.product(range(len(steps)), repeat=2):
            rolled = tf.roll(images, (steps[i], steps[j]), axis=(1, 2))
            squares = tf.reduce_sum((rolled - images) ** 2, axis=(1, 2, 3))
            log_weights.append(log_law[i] + log_law[j] - squares / (2 * self.sigma**2))
            shifted.append(rolled - images)
        weights = tf.nn.softmax(tf.stack(log_weights), axis=0)
        offset = tf.einsum("sb,sbhwc->bhwc", weights, tf.stack(shifted))
        return tf.sqrt(tf.reduce_sum(offset**2, axis=(1, 2, 3))) / self.sigma

    def noise_shape(self, data_shape: tuple[int, ...]) -> tuple[int, ...]:
        self.validate(data_shape)
        return (2 + math.prod(data_shape),)

    def draw(self, params: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        shifted = super().draw(params, uniform[:, :2])
        normal = tf.math.ndtri(tf.cast(uniform[:, 2:], shifted.dtype))
        return shifted + self.sigma * tf.reshape(normal, tf.shape(shifted))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma}
