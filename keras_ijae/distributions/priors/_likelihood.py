"""Densities with a gradient, fitted to codes by maximum likelihood."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.progress import tracked

BATCH, RATE, STEPS = 512, 3e-3, 2000
PERIOD = 100  # steps, or as many as one pass has: after each, codes are drawn anew and those held out are scored
PATIENCE = 4  # periods without a better score
NOISE = 1e-3  # deviation of what is added to codes


def fit(density: Any, draws: Callable[[int], np.ndarray], seed: int) -> None:
    """Change the weights of a density with `location` and `deviation` to those under which codes are the likeliest.

    Codes are standardised by `location` and `deviation`. A tenth of them is held out; the rest is gone through by Adam
    in batches of 512, at a rate that falls from 0.003 to 0 by a cosine in 2000 steps; it ends earlier where those held
    out have not become likelier in 4 periods of 100 steps (or one pass, where that is longer). The weights
    that they were likeliest under stay. Noise of deviation 0.001 is added to codes, as 1e-6 is to the variances of
    "gmm", so that no density grows without end where they lie on a plane.

    Args:
        density: a `Flow`.
        draws: number of a period -> codes (n, latent_dim), finite, n at least 2, of the same rows each time.
        seed: of batches and noise.
    """
    rng = np.random.default_rng(seed)
    first = draws(0)
    density.location.assign(first.mean(axis=0))
    density.deviation.assign(np.sqrt(first.var(axis=0) + NOISE**2))
    held_out, kept = np.split(rng.permutation(len(first)), [max(1, len(first) // 10)])
    batch = min(BATCH, len(kept))
    steps = max(PERIOD, len(kept) // batch)
    flat, step, score = _functions(density)
    best, found, waited, state = -np.inf, flat, 0, (flat, tf.zeros_like(flat), tf.zeros_like(flat), tf.zeros([]))
    for period in tracked(range(-(-STEPS // steps)), "density of the codes"):
        codes = draws(period) if period else first
        codes = tf.constant(codes + NOISE * rng.normal(size=codes.shape), tf.float32)
        for rows in _batches(kept, batch, steps, rng):
            state = step(tf.gather(codes, rows), *state)
        now = float(score(tf.gather(codes, held_out), state[0]))
        waited = 0 if now > best else waited + 1
        if now > best:
            best, found = now, state[0]
        if waited == PATIENCE:
            break
    for weight, value in zip(density.trainable_variables, _values(density, found), strict=True):
        weight.assign(value)


def _batches(rows, batch, steps, rng):
    """`steps` batches of rows, in passes over them in random order."""
    passes = -(-steps * batch // (len(rows) // batch * batch))
    shuffled = np.concatenate([rng.permutation(rows)[: len(rows) // batch * batch] for _ in range(passes)])
    return shuffled[: steps * batch].reshape(steps, batch)


def _values(density, flat):
    """The weights out of one vector of all."""
    shapes = [weight.shape for weight in density.trainable_variables]
    parts = tf.split(flat, [math.prod(shape) for shape in shapes])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]


def _functions(density):
    """All weights in one vector; one step of Adam, and the score, as functions of codes and of such.

    No variable is changed meanwhile: under several replicas that would be no matter of one function.
    """
    flat = tf.concat([tf.reshape(tf.convert_to_tensor(w), [-1]) for w in density.trainable_variables], 0)
    location, deviation = (weight.numpy() for weight in (density.location, density.deviation))

    def score(codes, flat):
        values = [*zip(density.trainable_variables, _values(density, flat), strict=True)]
        with keras.StatelessScope([*values, (density.location, location), (density.deviation, deviation)]):
            return tf.reduce_mean(density.log_prob(codes))

    def step(codes, flat, mean, square, count):
        with tf.GradientTape() as tape:
            tape.watch(flat)
            loss = -score(codes, flat)
        slope = tf.clip_by_norm(tape.gradient(loss, flat), 10.0)
        rate = RATE * (1 + tf.cos(math.pi * tf.minimum(count / STEPS, 1.0))) / 2
        mean, square, count = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2, count + 1
        change = mean / (1 - 0.9**count) / (tf.sqrt(square / (1 - 0.999**count)) + 1e-7)
        return flat - rate * change, mean, square, count

    return flat, tf.function(step, autograph=False), tf.function(score, autograph=False)
