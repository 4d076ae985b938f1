"""Dai & Wipf 2019: the linear VAE with a learned scalar variance finds the principal components and the exact bound.

Data have a covariance with the eigenvalues 4, 2, 1, .5, .25, exactly, from ten points.
"""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize
from tiny import affine, float64, signs  # noqa: F401

from keras_ijae.distributions import likelihoods
from keras_ijae.game import Batch
from keras_ijae.models import VAE

EIGENVALUES = np.array([4, 2, 1, 0.5, 0.25])
POINTS = np.concatenate([np.diag(np.sqrt(5 * EIGENVALUES)), -np.diag(np.sqrt(5 * EIGENVALUES))])


def linear(latent_dim, likelihood):
    draw = np.random.default_rng(0).normal
    encoder = affine(0.1 * draw(size=(5, 2 * latent_dim)), np.zeros(2 * latent_dim), (5,))
    decoder = affine(0.5 * draw(size=(latent_dim, 5)), np.zeros(5), (latent_dim,))
    return VAE(encoder=encoder, decoder=decoder, likelihood=likelihood)


def bound(model):
    """The expected ELBO of the data, exact: it is quadratic in the codes' noise."""
    nodes = signs(model.latent_dim)
    x, code = np.repeat(POINTS, len(nodes), 0), np.tile(nodes, (len(POINTS), 1))
    log_likelihood, kl = model.bound_terms(Batch(tf.constant(x)), {"code": tf.constant(code)}, training=True)
    return tf.reduce_mean(log_likelihood - kl)


def maximise(model):
    """The largest expected ELBO over all that the model learns, by L-BFGS."""
    weights = model.trainable_variables

    @tf.function(autograph=False)
    def slope():
        with tf.GradientTape() as tape:
            loss = -bound(model)
        return loss, tape.gradient(loss, [weight.value for weight in weights])

    def loss(flat):
        parts = np.split(flat, np.cumsum([math.prod(weight.shape) for weight in weights])[:-1])
        for weight, part in zip(weights, parts, strict=True):
            weight.assign(part.reshape(weight.shape))
        value, gradients = slope()
        return float(value), np.concatenate([np.ravel(gradient) for gradient in gradients])

    start = np.concatenate([np.ravel(weight) for weight in weights])
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 9000, "ftol": 0, "gtol": 1e-9}
    )
    loss(found.x)
    return -found.fun


def kl_by_dimension(model):
    posterior = model.posterior_family.distribution(model.parameters(tf.constant(POINTS)))
    mu, scale = posterior.mean(), posterior.stddev()
    return np.mean((mu**2 + scale**2 - 1) / 2 - tf.math.log(scale), 0)


def log_likelihood(variances):
    """Of the data under N(0, diag(variances))."""
    return -np.sum(np.log(2 * np.pi * np.array(variances)) + EIGENVALUES / variances) / 2


@pytest.mark.usefixtures("float64")
def test_the_learned_variance_is_the_mean_of_what_two_components_leave_and_the_bound_is_the_exact_log_likelihood():
    """(1 + .5 + .25) / 3 = .58333333, and -7.32591869 nats."""
    model = linear(2, likelihoods.get("learned_gaussian", (5,)))
    found = maximise(model)
    assert float(model.likelihood.scale()) ** 2 == pytest.approx(0.58333333, abs=2e-8)
    assert found == pytest.approx(-7.32591869, abs=1e-8)
    assert found == pytest.approx(log_likelihood([4, 2, *[0.5833333333333334] * 3]), abs=1e-9)
    rec = model.reconstruct(POINTS, seed=None)
    np.testing.assert_allclose(rec[:, 2:], 0, atol=1e-4)  # the components of small variance are left out


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "variance, active, elbo",
    [(1.5, 2, -7.82594443), pytest.param(0.75, 3, -7.34673136, marks=pytest.mark.slow)],
)
def test_under_a_fixed_variance_as_many_dimensions_are_active_as_eigenvalues_are_above_it(variance, active, elbo):
    model = linear(4, likelihoods.Gaussian(variance**0.5))
    found = maximise(model)
    assert found == pytest.approx(elbo, abs=1e-8)
    assert found == pytest.approx(log_likelihood(np.maximum(EIGENVALUES, variance)), abs=1e-8)
    kl = np.sort(kl_by_dimension(model))[::-1]
    expected = np.log(EIGENVALUES[:active] / variance) / 2
    np.testing.assert_allclose(kl[:active], expected, atol=1e-3)
    np.testing.assert_allclose(kl[active:], 0, atol=1e-3)
