"""What three objectives of a generator really lower, exactly and with a discriminator that was trained."""

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import random
from keras_ijae.checks import choice, instance, number, whole
from keras_ijae.lab import _quadrature
from keras_ijae.lab.adversarial_mixture import discriminator_network
from keras_ijae.lab.gaussian_mixture import GaussianMixture
from keras_ijae.losses import discriminator_loss, generator_loss
from keras_ijae.losses.adversarial import OBJECTIVES

NORMAL = GaussianMixture([1.0], [0.0], [1.0])
"""The data p = N(0, 1)."""


def generator_gradient(objective: str, mean: float, stddev: float = 1.0, data: GaussianMixture = NORMAL) -> np.ndarray:
    """Gradient of E_q[L(l(x))] in (mean, stddev) of q = N(mean, stddev^2), with the optimal discriminator held fixed.

    The samples are x = mean + stddev * e, so it is the integral of q L'(l) l'(x) (1, e) with l = log p - log q; L' is
    the derivative of `keras_ijae.losses.generator_loss`. It equals the gradient of 2 JSD(p, q) for `minimax`, of
    KL(q || p) - 2 JSD(p, q) for `non_saturating`, of KL(q || p) for `log_ratio`, JSD with its halves: compare
    `divergence_gradient`.

    Args:
        objective: `minimax`, `non_saturating` or `log_ratio`.
        mean, stddev: of the model q.
        data: p.

    Returns:
        (2,), nats per unit.

    Raises:
        ValueError: an unknown objective, a mean that is not finite, a standard deviation that is not positive, data
            that are no `GaussianMixture`.

    References:
        Goodfellow et al. 2014, section 3; Arjovsky & Bottou 2017, theorem 2.5.

    Example:
        >>> round(float(ki.lab.generator_gradient("log_ratio", 1.0)[0]), 6)
        1.0
    """
    choice("objective", objective, OBJECTIVES)
    x, weights, log_q, standard = _nodes(mean, stddev, data)
    logits = data.log_density(x) - log_q
    slope = _score(data, x) + standard / stddev
    terms = weights * np.exp(log_q) * _loss_slope(objective, logits) * slope
    return np.array([terms.sum(), (terms * standard).sum()])


def divergence_gradient(objective: str, mean: float, stddev: float = 1.0, data: GaussianMixture = NORMAL) -> np.ndarray:
    """Gradient in (mean, stddev) of the divergence that `objective` lowers: the integral of (dq) g, no discriminator.

    g is log(q/m) for 2 JSD, m = (p + q)/2; log(q/p) for KL(q || p); their difference for KL(q || p) - 2 JSD.

    Arguments, result and errors as in `generator_gradient`.
    """
    choice("objective", objective, OBJECTIVES)
    x, weights, log_q, standard = _nodes(mean, stddev, data)
    log_p = data.log_density(x)
    kl, twice_js = log_q - log_p, log_q - np.logaddexp(log_p, log_q) + np.log(2)
    integrand = {"minimax": twice_js, "non_saturating": kl - twice_js, "log_ratio": kl}[objective]
    terms = weights * np.exp(log_q) * integrand / stddev
    return np.array([(terms * standard).sum(), (terms * (standard**2 - 1)).sum()])


def train_discriminator(
    mean: float, stddev: float = 1.0, data: GaussianMixture = NORMAL, steps: int = 1000, seed: int = 0
) -> keras.Model:
    """A network trained to tell draws of p from samples of q = N(mean, stddev^2) by `discriminator_loss`.

    Args:
        mean, stddev: of q.
        data: p.
        steps: of Adam, each on 2,048 new draws of both.
        seed: the network is a function of it.

    Returns:
        x (n, 1) -> logits (n, 1).
    """
    number("mean", mean), number("stddev", stddev, above=0), whole("steps", steps)
    instance("data", data, GaussianMixture)
    network = discriminator_network(seed=seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps), 0.5, 0.99)
    optimizer.build(network.trainable_variables)
    key, weights = random.fold(seed, "discriminator"), np.cumsum(data.weights)[:-1].astype(np.float32)

    @tf.function
    def step(number: tf.Tensor) -> None:
        keys = [random.fold(key, number, name) for name in ("part", "data", "model")]
        parts = tf.searchsorted(tf.constant(weights), random.uniform([2048], keys[0]))
        means, stddevs = (tf.gather(tf.constant(v, tf.float32), parts) for v in (data.means, data.stddevs))
        real = means + stddevs * random.normal([2048], keys[1])
        fake = mean + stddev * random.normal([2048], keys[2])
        with tf.GradientTape() as tape:
            logits = network(tf.concat([real, fake], 0)[:, None], training=True)
            loss = discriminator_loss(*tf.split(logits, 2))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)

    for index in range(steps):
        step(tf.constant(index))
    return network


def trained_gradient(
    objective: str, discriminator: keras.Model, mean: float, stddev: float = 1.0, samples: int = 100_000, seed: int = 0
) -> np.ndarray:
    """`generator_gradient` as a GAN has it: through a trained discriminator, over samples of q = N(mean, stddev^2).

    Args:
        objective: `minimax`, `non_saturating` or `log_ratio`.
        discriminator: x (n, 1) -> logits (n, 1), not trained any further.
        mean, stddev: of the model q.
        samples: how many.
        seed: of the samples.

    Returns:
        (2,), the gradient in (mean, stddev).
    """
    choice("objective", objective, OBJECTIVES)
    point = tf.Variable([number("mean", mean), number("stddev", stddev, above=0)], dtype=tf.float32)
    noise = random.normal([whole("samples", samples), 1], random.fold(seed, "gradient"))
    with tf.GradientTape() as tape:
        loss = generator_loss(discriminator(point[0] + point[1] * noise, training=False), objective)
    return tape.gradient(loss, point).numpy().astype(np.float64)


def _nodes(mean: float, stddev: float, data: GaussianMixture) -> tuple[np.ndarray, ...]:
    """Points and weights that hold all of q, log q there, and (x - mean) / stddev."""
    mean, stddev = number("mean", mean), number("stddev", stddev, above=0)
    narrow = min(stddev, instance("data", data, GaussianMixture).stddevs.min())
    edges = np.linspace(mean - 40 * stddev, mean + 40 * stddev, int(np.ceil(80 * stddev / narrow)) + 1)
    x, weights = (values.ravel() for values in _quadrature.nodes(edges[:-1], edges[1:]))
    standard = (x - mean) / stddev
    return x, weights, -(standard**2) / 2 - np.log(stddev * np.sqrt(2 * np.pi)), standard


def _loss_slope(objective: str, logits: np.ndarray) -> np.ndarray:
    """L'(l) at each logit, (n,): of the library's own loss, which is a mean."""
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = generator_loss(logits, objective)
    return tape.gradient(loss, logits).numpy() * len(logits)


def _score(data: GaussianMixture, x: np.ndarray) -> np.ndarray:
    """d log p / dx, (n,)."""
    standard = (x[:, None] - data.means) / data.stddevs
    with np.errstate(divide="ignore"):
        logs = np.log(data.weights)
    logs = logs - standard**2 / 2 - np.log(data.stddevs)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return -(shares * standard / data.stddevs).sum(axis=1) / shares.sum(axis=1)
