"""Wasserstein critics: W_1 estimated by a network of bounded slope."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae import losses
from keras_ijae.checks import choice, number, whole
from keras_ijae.lab._checks import of_vectors
from keras_ijae.random import fold, uniform

JUDGED = 20_000
"""Fresh samples on which a trained critic is judged."""


@dataclasses.dataclass(frozen=True, eq=False)
class Critic:
    """What `train_critic` found.

    Attributes:
        difference: E_p f - E_q f, on fresh samples.
        slope: the largest ||df / dx|| at fresh samples of p and q and between them.
        value: difference / slope, the estimate: f / slope is 1-Lipschitz where it was looked at, so this is
            a lower bound of W_1 but for the sampling.
        network: the Keras model f, (n, d) -> (n, 1).
    """

    difference: float
    slope: float
    value: float
    network: keras.Model


def train_critic(
    p: Any,
    q: Any,
    constraint: str = "penalty",
    *,
    penalty: float = 10.0,
    clip: float = 0.03,
    width: int = 32,
    activation: str = "leaky_relu",
    steps: int = 1500,
    learning_rate: float = 2e-3,
    batch_size: int = 256,
    seed: int = 0,
) -> Critic:
    """Raises E_p f(x) - E_q f(y) for a network f whose slope is held down, on fresh samples in each step.

    Clipped weights hold the slope below an unknown bound, so only the quotient `value` estimates W_1. The gradient
    penalty pulls the slope to 1, and it ends somewhat above: W s - penalty (s - 1)^2 is largest at
    s = 1 + W / (2 penalty). A strong penalty also walls off the slopes -1 from 1: where the best f rises and falls, a
    critic that began as a line may stay one; a penalty below 1 lets it turn, and the quotient corrects the slope.

    Args:
        p, q: TFP distributions with event shape (d,).
        constraint: "penalty", on the mean of (||df / dx|| - 1)^2 between samples of p and q; or "clip", all weights are
            cut to [-clip, clip] after each step.
        penalty: its weight, above 0.
        clip: above 0.
        width: of f's two hidden layers.
        activation: of these, a name that Keras knows.
        steps: how many.
        learning_rate: of Adam (beta_1 = 0.5, beta_2 = 0.9).
        batch_size: samples of each distribution per step.
        seed: of the weights and the samples.

    Raises:
        ValueError: an unknown constraint, batches, distributions of other or different event shapes, numbers out of
            range.

    References:
        Arjovsky, Chintala & Bottou 2017, algorithm 1; Gulrajani et al. 2017, eq. 3.
    """
    choice("constraint", constraint, ("penalty", "clip"))
    shapes = [(of_vectors(name, side),) for name, side in (("p", p), ("q", q))]
    if shapes[0] != shapes[1]:
        raise ValueError(f"Arguments `p` and `q` must have one event shape (d,). Received: {shapes[0]} and {shapes[1]}")
    numbers = {"penalty": penalty, "clip": clip, "learning_rate": learning_rate}
    penalty, clip, learning_rate = (number(name, value, above=0) for name, value in numbers.items())
    network = _network(shapes[0], whole("width", width), activation, seed)
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.5, beta_2=0.9)
    weights = network.trainable_variables
    draw = _drawing(p, q, whole("batch_size", batch_size))

    optimizer.build(weights)

    @tf.function
    def train():
        for step in tf.range(whole("steps", steps)):
            real, fake, mix = draw(fold(seed, step))
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(network(fake)) - tf.reduce_mean(network(real))
                if constraint == "penalty":
                    loss += penalty * losses.wasserstein_gradient_penalty(network, real, fake, mix)
            optimizer.apply(tape.gradient(loss, weights), weights)
            if constraint == "clip":
                for weight in weights:
                    weight.assign(tf.clip_by_value(weight, -clip, clip))

    train.get_concrete_function()()
    return _judge(network, *_drawing(p, q, JUDGED)(fold(seed, "judge")))


def slopes(network: keras.Model, x: tf.Tensor) -> np.ndarray:
    """||df / dx|| at each of x (n, d): (n,)."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(network(x))
    return np.linalg.norm(tape.gradient(total, x), axis=1)


def _judge(network, real, fake, mix) -> Critic:
    difference = float(tf.reduce_mean(network(real)) - tf.reduce_mean(network(fake)))
    between = mix[:, None] * real + (1 - mix[:, None]) * fake
    slope = float(slopes(network, tf.concat([real, fake, between], 0)).max())
    return Critic(difference, slope, difference / slope if slope else 0.0, network)


def _drawing(p, q, count):
    """A function of a key: samples of p and q, (count, d), and uniform numbers (count,)."""

    def draw(key):
        real, fake = (tf.cast(side.sample(count, fold(key, name)), tf.float32) for side, name in ((p, "p"), (q, "q")))
        return real, fake, uniform([count], fold(key, "mix"))

    return draw


def _network(shape, width, activation, seed):
    layers = [
        keras.layers.Dense(units, act, kernel_initializer=keras.initializers.GlorotUniform(seed + index))
        for index, (units, act) in enumerate([(width, activation), (width, activation), (1, None)])
    ]
    return keras.Sequential([keras.Input(shape), *layers])
