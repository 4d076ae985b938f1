"""The density of what an invertible generator makes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_ijae.lab._checks import of_rank, of_vectors, sized


def pushforward_log_prob(generator: Callable, base: Any, z: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """x = G(z) and its log density, log p(x) = log p(z) - log |det dG / dz|, for each z.

    The Jacobian is differentiated automatically and its determinant taken whole: exact for any invertible G, at a
    cost that grows with d^3; flows choose G so that the determinant is a product.

    Args:
        generator: G, maps (n, d) to (n, d), each row by itself; invertible (only a Jacobian that vanishes is noticed).
        base: TFP distribution of z with event shape (d,).
        z: (n, d), converted to the base's dtype.

    Returns:
        x (n, d) and log p(x) (n,).

    Raises:
        ValueError: a base that is a batch or not of vectors; a z of another shape or not finite; a G that
            changes d, or whose Jacobian has no inverse at a z.

    References:
        Dinh, Sohl-Dickstein & Bengio: Density estimation using real NVP (2017), eqs 2 and 3.
    """
    z = of_rank("z", z, 2)
    z = tf.constant(sized("z", z, len(z), of_vectors("base", base)), base.dtype)
    with tf.GradientTape() as tape:
        tape.watch(z)
        x = generator(z)
    if x.shape != z.shape:
        raise ValueError(f"Argument `generator` must keep the shape {tuple(z.shape)}. Received: {tuple(x.shape)}")
    sign, log_det = np.linalg.slogdet(tape.batch_jacobian(x, z).numpy())
    if not np.all(sign):
        raise ValueError(
            f"Argument `generator` must be invertible. Received: no inverse at z={z.numpy()[np.argmin(abs(sign))]}"
        )
    return x.numpy(), base.log_prob(z).numpy() - log_det
