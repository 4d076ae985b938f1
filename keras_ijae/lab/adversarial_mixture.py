"""The toy of lambda-IJAE trained as in earnest: by a learned discriminator and the losses of the library."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import instance, number, whole
from keras_ijae.lab._checks import sized
from keras_ijae.lab.gaussian_mixture import TOY, GaussianMixture
from keras_ijae.losses import discriminator_loss, generator_loss

BATCH = 1024
JUDGEMENTS = 10
"""Steps of the discriminator per step of the model."""
WARM_UP = 300
"""Steps of the discriminator before the first step of the model, which would else follow the likelihood alone."""


@dataclasses.dataclass(frozen=True, eq=False)
class AdversarialFit:
    """What was trained.

    Attributes:
        means, stddevs: (2,) each, ordered by the means: the average over the last third of the training.
        trace: (steps, 4), (m1, log s1^2, m2, log s2^2) after each step.
        discriminator: the network, x (n, 1) -> logits (n, 1).
    """

    means: np.ndarray
    stddevs: np.ndarray
    trace: np.ndarray
    discriminator: keras.Model

    @property
    def mixture(self) -> GaussianMixture:
        """The trained model."""
        return GaussianMixture((0.5, 0.5), self.means, self.stddevs)


def fit_mixture_adversarially(
    lam: float,
    start: Sequence[float] = (-3, 0, 3, 0),
    steps: int = 600,
    seed: int = 0,
    target: GaussianMixture = TOY,
    progress: Callable[[int], None] | None = None,
) -> AdversarialFit:
    """Lowers lam KL(p || q) + (1 - lam) KL(q || p) for q = N(m1, s1^2) / 2 + N(m2, s2^2) / 2 without the density of p.

    The reverse direction is the `log_ratio` loss of samples under a discriminator that is trained beside the model,
    `discriminator_loss`. The forward direction is the mean of -log q over draws of the data: of a
    model whose likelihood is known it needs no discriminator.

    A discriminator learns log p/q only where it sees examples. Between the target's narrow outer modes and the rest
    log p is far below -100, and no network says so; what it then says is milder, so that fits stray once a component
    reaches there.

    Args:
        lam: weight of the forward KL, in [0, 1].
        start: (m1, log s1^2, m2, log s2^2).
        steps: of the model, at least 3; about 20 take a second on two cores.
        seed: the result is a function of it.
        target: p, known by its draws.
        progress: called with the number of steps done, now and then.

    Raises:
        ValueError: `lam` outside [0, 1]; a start that is not four numbers; too few steps; a target that is no
            `GaussianMixture`.

    References:
        Alanov et al. 2019 (lambda-IJAE).

    Example:
        fit_mixture_adversarially(0.0).means  # about -3, 3
    """
    lam, point = number("lam", lam, least=0, most=1), tf.Variable(sized("start", start, 4).astype(np.float32))
    instance("target", target, GaussianMixture)
    whole("steps", steps, 3)
    game = _Game(lam, point, steps, seed, target)
    for step in range(WARM_UP):
        game.warm_up(tf.constant(step))
    trace = []
    for step in range(steps):
        trace.append(game.step(tf.constant(step)).numpy())
        if progress is not None and (step + 1) % 10 == 0:
            progress(step + 1)
    trace = np.array(trace, np.float64)
    last = trace[-(steps // 3) :].mean(axis=0)
    order = np.argsort(last[::2])
    return AdversarialFit(last[::2][order], np.exp(last[1::2] / 2)[order], trace, game.discriminator)


def discriminator_network(features: int = 1, width: int = 64, seed: int = 0) -> keras.Model:
    """Vectors (n, features) -> logits (n, 1): three hidden layers, smooth, so that the logit has a useful gradient."""
    layers = [
        keras.layers.Dense(width, activation="silu", kernel_initializer=keras.initializers.HeNormal(seed + index))
        for index in range(3)
    ]
    last = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotNormal(seed + 3))
    return keras.Sequential([keras.Input((features,)), *layers, last], name="discriminator")


class _Game:
    """The two players and their optimizers."""

    def __init__(self, lam: float, point: tf.Variable, steps: int, seed: int, target: GaussianMixture) -> None:
        self.lam, self.point, self.key = lam, point, random.fold(seed, "adversarial mixture")
        self.target = [tf.constant(value, tf.float32) for value in (target.weights, target.means, target.stddevs)]
        self.discriminator = discriminator_network(seed=seed)
        decay = keras.optimizers.schedules.CosineDecay
        self.judging = keras.optimizers.Adam(decay(2e-3, WARM_UP + steps * JUDGEMENTS, alpha=0.05), 0.5, 0.99)
        self.playing = keras.optimizers.Adam(decay(2e-2, steps, alpha=0.05), 0.5, 0.99)
        self.judging.build(self.discriminator.trainable_variables)
        self.playing.build([point])

    @tf.function
    def warm_up(self, number: tf.Tensor) -> None:
        """A step of the discriminator alone."""
        self._judge(random.fold(self.key, "warm up", number))

    @tf.function
    def step(self, number: tf.Tensor) -> tf.Tensor:
        """Some steps of the discriminator and one of the model; its parameters (4,)."""
        key = random.fold(self.key, number)
        for turn in tf.range(JUDGEMENTS):
            self._judge(random.fold(key, turn))
        self._play(random.fold(key, "play"))
        return tf.identity(self.point)

    def _judge(self, key: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits = self.discriminator(tf.concat([self.data(key), self.sample(key)], 0), training=True)
            loss = discriminator_loss(*tf.split(logits, 2))
        variables = self.discriminator.trainable_variables
        self.judging.apply(tape.gradient(loss, variables), variables)

    def _play(self, key: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            forward = -tf.reduce_mean(self.log_likelihood(self.data(key)))
            reverse = generator_loss(self.discriminator(self.sample(key), training=False), "log_ratio")
            loss = self.lam * forward + (1 - self.lam) * reverse
        self.playing.apply([tape.gradient(loss, self.point)], [self.point])

    def data(self, key: tf.Tensor) -> tf.Tensor:
        """Draws of the target, (batch, 1)."""
        weights, means, stddevs = self.target
        parts = tf.searchsorted(tf.cumsum(weights)[:-1], random.uniform([BATCH], random.fold(key, "part")))
        noise = random.normal([BATCH], random.fold(key, "data"))
        return (tf.gather(means, parts) + tf.gather(stddevs, parts) * noise)[:, None]

    def sample(self, key: tf.Tensor) -> tf.Tensor:
        """Samples of the model, (batch, 1), half of each component."""
        noise = random.normal([BATCH // 2, 2], random.fold(key, "model"))
        return tf.reshape(self.point[::2] + tf.exp(self.point[1::2] / 2) * noise, [BATCH, 1])

    def log_likelihood(self, x: tf.Tensor) -> tf.Tensor:
        """log q(x), (batch,)."""
        means, log_variances = self.point[::2], self.point[1::2]
        logs = -((x - means) ** 2) * tf.exp(-log_variances) / 2 - (log_variances + math.log(2 * math.pi)) / 2
        return tf.reduce_logsumexp(logs, axis=1) - math.log(2)
