"""A second VAE, fitted to the codes of the first."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import number, size, whole
from keras_ijae.distributions.posteriors import DiagonalGaussian
from keras_ijae.distributions.priors import _adam
from keras_ijae.distributions.priors._rows import ROWS, in_parts
from keras_ijae.distributions.priors.base import Prior
from keras_ijae.progress import tracked

START = 0.2
"""gamma when a fit begins, of standardised codes: at 1, D(u) = 0 with r(u|z) = N(0, I) is where training would stay."""


@keras.saving.register_keras_serializable("keras_ijae")
class TwoStage(Prior):
    """z = D(u) + gamma e with u, e ~ N(0, I): the decoder of a VAE that is fitted to codes; N(0, I) until it is.

    The second stage lowers, over codes z ~ q(z|x) that are drawn anew for each pass, with u ~ r(u|z) diagonal,

        L = E_z [ ||z - D(u)||^2 / (2 gamma^2) + d log gamma + d/2 log 2 pi + KL(r(u|z) || N(0, I)) ]

    whose scalar gamma is learned too. Its networks see standardised codes, have ReLU units, and join their input to the
    last hidden layer. Samples are put back on the codes' scale. D, gamma and the codes' mean and deviations are kept,
    weights that no system moves; the encoder r is not. There is no formula for the density.

    Args:
        latent_dim: number of latent dimensions d, >= 1, of z and of u.
        width, depth: of both networks, >= 1.
        epochs: passes over the codes, >= 1.
        batch_size: codes a step, >= 1.
        learning_rate: of Adam, above 0; falls to 0 along a cosine.
        **options: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Example:
        model.fit_prior(train, "two_stage")

    References:
        Dai & Wipf 2019, "Diagnosing and enhancing VAE models", section 4. Theirs are 3 x 1,024 units, batches of 64 and
        800 passes at Adam(1e-4), halved every 300: hours on a CPU. The defaults take about a minute for the codes of
        MNIST. Standardising is from Ghosh et al. 2020.
    """

    has_log_prob = False
    can_fit = True
    fits = "draws"

    def __init__(
        self,
        latent_dim: int,
        width: int = 256,
        depth: int = 3,
        epochs: int = 60,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        **options: Any,
    ) -> None:
        super().__init__(latent_dim, **options)
        self.width, self.depth = size("width", width), whole("depth", depth)
        self.epochs, self.batch_size = whole("epochs", epochs), whole("batch_size", batch_size)
        self.learning_rate = number("learning_rate", learning_rate, above=0)
        self.decoder = self._network(self.latent_dim)
        self.decoder.trainable = False
        self.slow_log_gamma = self._kept("slow_log_gamma", 0)
        self.mean = self._kept("mean", np.zeros(self.latent_dim))
        self.deviation = self._kept("deviation", np.ones(self.latent_dim))

    def fit(self, given: np.ndarray | Callable[[int], np.ndarray], seed: int = 0) -> None:
        """Train the second stage.

        Args:
            given: codes (n, latent_dim), finite, n at least 2; or a function of the number of a pass that gives such.
            seed: of initial weights, order and noise.

        Raises:
            ValueError: codes of another shape, not finite, or fewer than two.
        """
        first = self._given_codes(given)
        self.mean.assign(first.mean(0)), self.deviation.assign(np.maximum(first.std(0), 1e-6))
        encoder = self._network(DiagonalGaussian(self.latent_dim).units, seed)
        self.decoder.set_weights(self._network(self.latent_dim, seed + 1).get_weights())
        self.slow_log_gamma.assign(math.log(START) / 10)
        rows, weights = min(self.batch_size, len(first)), [*encoder.weights, *self.decoder.weights, self.slow_log_gamma]
        step, state = self._step(encoder, weights, self.epochs * (len(first) // rows), seed), _adam.start(weights)
        for epoch in tracked(range(self.epochs), "second stage"):
            z = (self._given_codes(given, epoch) - self.mean.numpy()) / self.deviation.numpy()
            order = np.random.default_rng([seed, epoch]).permutation(len(z))
            for at in range(0, len(z) - rows + 1, rows):
                state = step(tf.constant(z[order[at : at + rows]], tf.float32), state)
        _adam.assign(_adam.values(weights, state.flat))

    def loss(self, encoder: keras.Model, z: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """L of standardised codes, a scalar.

        Args:
            encoder: codes -> parameters of a diagonal Gaussian r(u|z).
            z: (batch, latent_dim).
            noise: of u, as z.
        """
        posterior, params = DiagonalGaussian(self.latent_dim), encoder(z)
        error = tf.reduce_sum((z - self.decoder(posterior.draw(params, noise))) ** 2, axis=1)
        log_gamma = self.log_gamma()
        fit = error * tf.exp(-2 * log_gamma) / 2 + self.latent_dim * (log_gamma + math.log(2 * math.pi) / 2)
        return tf.reduce_mean(fit + posterior.kl(params))

    def log_gamma(self) -> tf.Tensor:
        """log gamma of standardised codes; its weight is a tenth of it, so that Adam moves it ten times as fast."""
        return 10 * tf.convert_to_tensor(self.slow_log_gamma)

    def _step(self, encoder, weights, steps, seed):
        """Codes and a state of Adam -> the state after one step on L."""

        @tf.function(autograph=False)
        def step(z, state):
            done = tf.cast(state.count, tf.int64)
            noise = random.normal([tf.shape(z)[0], self.latent_dim], random.fold(seed, "second stage", done))
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(state.flat)
                with keras.StatelessScope(_adam.values(weights, state.flat)):
                    loss = self.loss(encoder, z, noise)
            return _adam.moved(state, tape.gradient(loss, state.flat), self.learning_rate, steps)

        return step

    def sample(self, n: int | tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
        u = random.normal((n, self.latent_dim), random.fold(seed, "u"))
        noise = tf.cast(random.normal((n, self.latent_dim), random.fold(seed, "normal")), tf.float64)
        centre = tf.cast(in_parts(self.decoder, u, ROWS, self.latent_dim), tf.float64)
        # rounded, so that products are exact, and XLA agrees where a sum is half-way between two float32
        gamma = tf.cast(tf.exp(self.log_gamma()), tf.float64)
        mean, deviation = tf.cast(self.mean, tf.float64), tf.cast(self.deviation, tf.float64)
        return tf.cast(mean + deviation * (centre + gamma * noise), tf.float32)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("width", "depth", "epochs", "batch_size", "learning_rate")}
        return {**super().get_config(), **own}

    def _network(self, units, seed=None):
        """From d numbers to `units`; without a seed they are 0."""
        inputs = h = keras.Input((self.latent_dim,))
        for layer in range(self.depth):
            h = keras.layers.Dense(self.width, "relu", kernel_initializer=_initial(seed, layer), dtype="float32")(h)
        joined = keras.layers.Concatenate(dtype="float32")([h, inputs])
        outputs = keras.layers.Dense(units, kernel_initializer=_initial(seed, self.depth), dtype="float32")(joined)
        return keras.Model(inputs, outputs)


def _initial(seed, layer):
    """Of a layer's kernel, a function of both; zeros without a seed."""
    if seed is None:
        return "zeros"
    return keras.initializers.GlorotUniform(int(np.random.default_rng([seed, layer]).integers(2**31)))
