"""Densities with a gradient, fitted to codes by maximum likelihood."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_ijae.distributions.priors import _adam
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
    state, step, score = _functions(density)
    best, found, waited = -np.inf, state.flat, 0
    for period in tracked(range(-(-STEPS // steps)), "density of the codes"):
        codes = draws(period) if period else first
        codes = tf.constant(codes + NOISE * rng.normal(size=codes.shape), found.dtype)
        for rows in _batches(kept, batch, steps, rng):
            state = step(tf.gather(codes, rows), state)
        now = float(score(tf.gather(codes, held_out), state.flat))
        waited = 0 if now > best else waited + 1
        if now > best:
            best, found = now, state.flat
        if waited == PATIENCE:
            break
    _adam.assign(_adam.values(density.trainable_variables, found))


def _batches(rows, batch, steps, rng):
    """`steps` batches of rows, in passes over them in random order."""
    passes = -(-steps * batch // (len(rows) // batch * batch))
    shuffled = np.concatenate([rng.permutation(rows)[: len(rows) // batch * batch] for _ in range(passes)])
    return shuffled[: steps * batch].reshape(steps, batch)


def _functions(density):
    """A state of Adam; one step of it, and the score, as functions of codes and of a state or its vector of weights."""
    location, deviation = (weight.numpy() for weight in (density.location, density.deviation))

    def score(codes, flat):
        values = _adam.values(density.trainable_variables, flat)
        with keras.StatelessScope([*values, (density.location, location), (density.deviation, deviation)]):
            return tf.reduce_mean(density.log_prob(codes))

    def step(codes, state):
        with tf.GradientTape() as tape:
            tape.watch(state.flat)
            loss = -score(codes, state.flat)
        return _adam.moved(state, tf.clip_by_norm(tape.gradient(loss, state.flat), 10.0), RATE, STEPS)

    first = _adam.start(density.trainable_variables)
    return first, tf.function(step, autograph=False), tf.function(score, autograph=False)
