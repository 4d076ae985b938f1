"""The VampPrior: the encoder's own posteriors of pseudo-inputs."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import is_whole, size
from keras_ijae.checks import seed as checked_seed
from keras_ijae.distributions.priors._rows import in_parts
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.distributions.supports import REALS, Support

_ROWS = 256  # are drawn at once


class _UnitInterval(keras.constraints.Constraint):
    """Images in [0, 1]."""

    def __call__(self, images):
        return tf.clip_by_value(images, 0.0, 1.0)


@keras.saving.register_keras_serializable("keras_ijae")
class VampPrior(Prior):
    """p(z) = 1/K sum_k q(z | u_k): a mixture of the posteriors of K pseudo-inputs, by the model's own encoder.

    The pseudo-inputs are its only weights; a system's loss trains them with the encoder, through which its gradient
    goes too. The posterior must have a density for given codes ("diagonal", "full", "iaf"; not "planar"). A step runs
    the encoder on K rows more, in inference mode (moving statistics of batch normalisation).

    Pseudo-images are kept in [0, 1] by a projection after each step (the paper's code passes free weights through a
    hard tanh, from which outside of [0, 1] no gradient comes back). They begin uniform in it, vectors normal. To begin
    from data, as the paper's code can: `model.prior.fit(lambda k: x[:k])`.

    Fitted after training ("vamp"), its pseudo-inputs are K rows of the data, chosen at random ("VampPrior data" of the
    paper); it then follows the encoder.

    Args:
        latent_dim: number of latent dimensions, >= 1.
        components: K, >= 1. The paper has 500 (1000 for one data set); 64 doubles the encoder's work at batches of 64.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        model = ki.create("vae", (28, 28, 1), 16, prior=VampPrior(16, components=500))
        model.prior.pseudo_inputs  # (500, 28, 28, 1)
        model.decode(model.prior.sample_of([3, 3, 7], seed=0))  # images like two of them

    References:
        Tomczak & Welling 2018, "VAE with a VampPrior", eqs. 9 to 11.
    """

    can_fit = True
    fits = "observations"
    of_one_model = True

    def __init__(self, latent_dim: int, components: int = 64, **options: Any) -> None:
        super().__init__(latent_dim, **options)
        self.components = size("components", components)
        self._model = None

    def bind(self, model: Any) -> None:
        if model.encoder is None:
            raise ValueError(f"A VampPrior needs an encoder, which {type(model).__name__} has not")
        if self._model is not None:  # one of which nothing came
            del self.pseudo_inputs
        self._model = lambda: model  # hidden from Keras, which would save its networks twice
        images = len(model.data_shape) == 3
        self.pseudo_inputs = self.add_weight(
            (self.components, *model.data_shape),
            keras.initializers.RandomUniform(0.0, 1.0) if images else keras.initializers.RandomNormal(stddev=1.0),
            constraint=_UnitInterval() if images else None,
            autocast=False,
            name="pseudo_inputs",
        )

    @property
    def has_log_prob(self) -> bool:
        """Whether the model's posterior has a density for given codes."""
        family = None if self._model is None else self._model().posterior_family
        return self._model is None or (family is not None and family.has_log_prob)

    @property
    def support(self) -> Support:
        """That of the model's posterior."""
        family = None if self._model is None else self._model().posterior_family
        return REALS if family is None else family.support

    def log_prob(self, z: tf.Tensor) -> tf.Tensor:
        params, rows = tf.cast(self._params(), z.dtype), tf.shape(z)[0]
        pairs = tf.tile(params, [rows, 1]), tf.repeat(z, self.components, axis=0)
        of_each = tf.reshape(self._bound().posterior_family.log_prob(*pairs), [rows, self.components])
        return tf.reduce_logsumexp(of_each, axis=1) - math.log(self.components)

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        k = random.choices(tf.ones([self.components], tf.float64), n, random.fold(seed, "component"))
        return self._drawn(k, n, seed)

    def sample_of(self, components: Sequence[int] | np.ndarray, seed: int) -> tf.Tensor:
        """One code of each of chosen pseudo-inputs, z ~ q(z | u_k), in their order.

        Args:
            components: indices k of `pseudo_inputs`, 0 to K - 1, at least one; the same one again gives another code.
            seed: of the noise.

        Returns:
            `(len(components), latent_dim)`, by the encoder's present weights, no running average (`ema`).

        Raises:
            ValueError: something else than indices, or a prior that belongs to no model.

        Example:
            >>> model = ki.create("vamp_vae", data_shape=(8, 8, 1), latent_dim=4)
            >>> images = model.decode(model.prior.sample_of([3] * 8, seed=0))  # eight of one kind
            >>> images.shape
            (8, 8, 8, 1)
        """
        chosen = components.tolist() if isinstance(components, np.ndarray) else components
        listed = isinstance(chosen, Sequence) and len(chosen) > 0
        if not listed or not all(is_whole(k, 0, self.components - 1) for k in chosen):
            raise ValueError(
                f"Argument `components` must be a list of at least one index from 0 to {self.components - 1}. "
                f"Received: components={components!r:.200}"
            )
        return self._drawn(np.asarray(chosen), len(chosen), checked_seed(seed))

    def _drawn(self, k, n, seed):
        family = self._bound().posterior_family
        noise = tf.cast(random.normal((n, family.noise_dim), random.fold(seed, "normal")), tf.float64)
        rows = tf.concat([tf.gather(tf.cast(self._params(), tf.float64), k), noise], axis=1)

        def draw(rows):
            return family.draw(rows[:, : family.units], rows[:, family.units :])

        return tf.cast(in_parts(draw, rows, _ROWS, self.latent_dim), tf.float32)  # one rounding, so XLA agrees

    def check(self) -> None:
        """ValueError where the model's posterior has no density."""
        if not self.has_log_prob:
            model = self._bound()
            raise ValueError(
                "A VampPrior needs a posterior q(z|x) with a density for given codes, as 'diagonal'. Received: a "
                f"{type(model).__name__} whose posterior is {_described(model.posterior_family)}"
            )

    def fit(self, given: Any, seed: int = 0) -> None:
        """Take observations as pseudo-inputs.

        Args:
            given: a function of k that gives k of them, `(k, *data_shape)`.
            seed: not used: `given` has made its choice by one.
        """
        self.pseudo_inputs.assign(given(self.components))

    def _params(self):
        """The parameters of the components, (K, units)."""
        return self._bound().parameters(tf.convert_to_tensor(self.pseudo_inputs))

    def _bound(self):
        if self._model is None:
            raise ValueError("A VampPrior is made of a model's encoder: it has a density and samples only as its prior")
        return self._model()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}


def _described(family):
    return "implicit or deterministic" if family is None else f"{type(family).__name__}, which has none"
