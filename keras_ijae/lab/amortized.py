"""Amortised inference in a mixture of Gaussians: one encoder q(z | x) for all observations, trained with the model."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.checks import instance, number, whole
from keras_ijae.lab.em import LatentFit, spread
from keras_ijae.lab.gaussian_mixture import GaussianMixture


def amortised_inference(
    x: ArrayLike,
    start: GaussianMixture,
    hidden: Sequence[int] = (),
    steps: int = 2000,
    learning_rate: float = 0.02,
    seed: int = 0,
) -> LatentFit:
    """Raises the mean bound E_q log p(x, z) - E_q log q(z | x) in the mixture and the encoder together, by Adam.

    What a VAE does, but with sums over z in place of samples, and all data in each step. The encoder's logits are
    a network of the standardised x. What it cannot express of p(z | x) stays as KL between log p(x) and the bound,
    and moves the model: a linear encoder is exact only where all deviations are equal.

    Args:
        x: (n,), not all equal.
        start: the mixture to start from; weights above 0.
        hidden: widths of the encoder's tanh layers; none makes its logits linear in x.
        steps: how many.
        learning_rate: of Adam.
        seed: of the encoder's weights.

    Returns:
        As `expectation_maximisation`, with `encoder` the trained q(z | x).

    Raises:
        ValueError: a start that is no `GaussianMixture` or has a component of weight 0, numbers out of
            range, values that are not finite, data all equal.

    References:
        Kingma & Welling 2014; Cremer, Li & Duvenaud: Inference suboptimality in VAEs (2018).
    """
    x = spread(x)
    if instance("start", start, GaussianMixture).weights.min() == 0:
        raise ValueError(f"Argument `start` must have weights above 0. Received: {start.weights.tolist()}")
    network = _encoder([whole("hidden", width) for width in hidden], len(start.weights), seed)
    mixture = [tf.Variable(v) for v in (np.log(start.weights), start.means, np.log(start.stddevs))]
    inputs = tf.constant((x - x.mean()) / x.std())[:, None]
    bounds = lambda: _bounds(mixture, network(inputs), tf.constant(x)[:, None])  # noqa: E731
    trace = _ascend(bounds, [*mixture, *network.trainable_variables], whole("steps", steps), learning_rate)
    weights, means, stddevs = tf.nn.softmax(mixture[0]).numpy(), mixture[1].numpy(), tf.exp(mixture[2]).numpy()

    def encoder(points: ArrayLike) -> np.ndarray:
        scaled = (np.asarray(points, np.float64) - x.mean()) / x.std()
        return tf.nn.softmax(network(tf.constant(scaled)[:, None])).numpy()

    return LatentFit(GaussianMixture(weights, means, stddevs), encoder(x), *trace.T, encoder)


def _encoder(hidden, components, seed):
    widths = [(width, "tanh") for width in hidden] + [(components, None)]
    layers = [
        keras.layers.Dense(
            width, activation, kernel_initializer=keras.initializers.GlorotUniform(seed + index), dtype="float64"
        )
        for index, (width, activation) in enumerate(widths)
    ]
    return keras.Sequential([keras.Input((1,), dtype="float64"), *layers])


def _bounds(mixture, logits, x):
    """Means over the data of log p(x) and of the bound."""
    weights, means, log_stddevs = mixture
    scaled = (x - means) * tf.exp(-log_stddevs)
    log_joint = tf.nn.log_softmax(weights) - log_stddevs - scaled**2 / 2 - 0.5 * np.log(2 * np.pi)
    log_q = tf.nn.log_softmax(logits)
    elbo = tf.reduce_sum(tf.exp(log_q) * (log_joint - log_q), axis=1)
    return tf.reduce_mean(tf.reduce_logsumexp(log_joint, axis=1)), tf.reduce_mean(elbo)


def _ascend(bounds, variables, steps, learning_rate) -> np.ndarray:
    """Adam on the second of `bounds()`; both before each step and at the end, (steps + 1, 2)."""
    optimizer = keras.optimizers.Adam(number("learning_rate", learning_rate, above=0))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            log_evidence, elbo = bounds()
            loss = -elbo
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return tf.stack([log_evidence, elbo])

    once = step.get_concrete_function()
    trace = [once() for _ in range(steps)]
    return np.array([*trace, tf.stack(bounds())])
