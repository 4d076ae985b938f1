"""Densities with a gradient, fitted to codes by maximum likelihood."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

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

    Raises:
        ValueError: codes of another shape, too few or not finite.
    """
    rng = np.random.default_rng(seed)
    first = checked(draws(0), density.latent_dim)
    density.location.assign(first.mean(axis=0))
    density.deviation.assign(np.sqrt(first.var(axis=0) + NOISE**2))
    order = rng.permutation(len(first))
    held_out, kept = np.split(order, [max(1, len(first) // 10)])
    batch = min(BATCH, len(kept))
    steps = max(PERIOD, len(kept) // batch)
    step, score = _compiled(density)
    best, found, waited = -np.inf, density.get_weights(), 0
    for period in range(-(-STEPS // steps)):
        codes = checked(draws(period), density.latent_dim) if period else first
        codes = codes + NOISE * rng.normal(size=codes.shape)
        for rows in _batches(kept, batch, steps, rng):
            step(tf.constant(codes[rows], tf.float32))
        now = float(score(tf.constant(codes[held_out], tf.float32)))
        waited = 0 if now > best else waited + 1
        if now > best:
            best, found = now, density.get_weights()
        if waited == PATIENCE:
            break
    density.set_weights(found)


def checked(codes: Any, latent_dim: int) -> np.ndarray:
    """Codes as float64, if they are finite and (n, latent_dim), n at least 2; else ValueError."""
    codes = np.asarray(codes, "float64")
    if codes.ndim != 2 or codes.shape[1] != latent_dim or len(codes) < 2:
        raise ValueError(
            f"Argument `codes` must have shape (n, {latent_dim}), n at least 2. Received: shape {codes.shape}"
        )
    if not np.isfinite(codes).all():
        raise ValueError(f"Argument `codes` must be finite. Received: {np.count_nonzero(~np.isfinite(codes))} not")
    return codes


def _batches(rows, batch, steps, rng):
    """`steps` batches of rows, in passes over them in random order."""
    passes = -(-steps * batch // (len(rows) // batch * batch))
    shuffled = np.concatenate([rng.permutation(rows)[: len(rows) // batch * batch] for _ in range(passes)])
    return shuffled[: steps * batch].reshape(steps, batch)


def _compiled(density):
    """One step down, and the score, as functions of codes."""
    weights = density.trainable_variables
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, STEPS), global_clipnorm=10.0)
    adam.build(weights)

    def score(codes):
        return tf.reduce_mean(density.log_prob(codes))

    def step(codes):
        with tf.GradientTape() as tape:
            loss = -score(codes)
        adam.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)

    return tf.function(step, autograph=False), tf.function(score, autograph=False)
