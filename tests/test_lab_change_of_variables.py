"""Densities by change of variables against closed forms, TFP's bijectors, and their own integral."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab import pushforward_log_prob
from keras_ijae.lab.experiments.change_of_variables import generator


def standard(d, dtype="float64"):
    return tfp().distributions.MultivariateNormalDiag(np.zeros(d, dtype), np.ones(d, dtype))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_an_affine_generator_makes_the_gaussian_of_its_mean_and_covariance(d):
    rng = np.random.default_rng(d)
    matrix, shift, z = rng.normal(size=(d, d)), rng.normal(size=d), rng.normal(size=(20, d))
    x, log_p = pushforward_log_prob(lambda z: z @ matrix.T + shift, standard(d), z)
    np.testing.assert_allclose(x, z @ matrix.T + shift)
    expected = scipy.stats.multivariate_normal.logpdf(x, shift, matrix @ matrix.T)
    np.testing.assert_allclose(log_p, np.atleast_1d(expected), rtol=1e-8)


def test_the_exponential_makes_the_log_normal():
    z = np.linspace(-3, 3, 31)[:, None]
    x, log_p = pushforward_log_prob(lambda z: tf.exp(0.7 * z + 0.2), standard(1), z)
    np.testing.assert_allclose(log_p, scipy.stats.lognorm.logpdf(x[:, 0], 0.7, scale=np.exp(0.2)), rtol=1e-10)


def test_a_chain_of_bijectors_has_the_density_that_tfp_gives_it():
    bijectors = tfp().bijectors
    lower = np.array([[1.5, 0, 0], [-0.3, 0.5, 0], [0.2, 0.9, 2.0]])
    chain = bijectors.Chain(
        [
            bijectors.SinhArcsinh(np.float64(0.3), np.float64(1.2)),
            bijectors.Permute([2, 0, 1]),
            bijectors.ScaleMatvecTriL(lower),
            bijectors.Softsign(),
        ]
    )
    z = np.random.default_rng(0).normal(size=(50, 3))
    x, log_p = pushforward_log_prob(chain.forward, standard(3), z)
    expected = tfp().distributions.TransformedDistribution(standard(3), chain).log_prob(x)
    np.testing.assert_allclose(log_p, expected, rtol=1e-8, atol=1e-8)


def test_the_density_of_the_banana_integrates_to_one_and_has_the_moments_of_its_samples():
    """x1 = z1, x2 = z2 exp(sin(z1) / 2) + z1^2 / 2: E x2 = 1 / 2."""
    made, side = generator(), np.linspace(-9, 9, 721)
    grid = np.stack(np.meshgrid(side[:481:1] * 1.35, side * 2.5 + 10, indexing="ij"), axis=-1).reshape(-1, 2)
    x, log_p = pushforward_log_prob(made.forward, standard(2), made.inverse(grid))
    np.testing.assert_allclose(x, grid, atol=1e-8)
    mass = np.exp(log_p) * (side[1] - side[0]) ** 2 * 1.35 * 2.5
    inside = scipy.stats.norm.cdf(grid[:, 0].max())
    np.testing.assert_allclose(mass.sum(), inside, atol=5e-4)
    np.testing.assert_allclose(mass @ grid[:, 1], 0.5, atol=5e-3)


def test_float32_bases_are_served():
    _, log_p = pushforward_log_prob(lambda z: 2 * z, standard(2, "float32"), [[0.5, -1.0]])
    expected = scipy.stats.norm.logpdf([1.0, -2.0], scale=2).sum()
    assert log_p.dtype == np.float32 and log_p[0] == pytest.approx(expected, rel=1e-6)


def test_generators_that_are_no_bijections_are_refused():
    with pytest.raises(ValueError, match=r"`generator` must keep the shape \(1, 2\). Received: \(1, 1\)"):
        pushforward_log_prob(lambda z: z[:, :1], standard(2), [[0.0, 1.0]])
    with pytest.raises(ValueError, match=r"`generator` must be invertible. Received: no inverse at z=\[0. 1.\]"):
        pushforward_log_prob(lambda z: z**2, standard(2), [[2.0, 1.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="`z` must be finite"):
        pushforward_log_prob(lambda z: z, standard(2), [[np.nan, 1.0]])


@pytest.mark.parametrize(
    "base, message",
    [
        (tfp().distributions.Normal(0.0, 1.0), r"`base` must be one distribution.*event_shape=\[\]"),
        (tfp().distributions.MultivariateNormalDiag([[0.0, 0.0]]), r"`base` must be one .*batch_shape=\[1\]"),
        (standard(3), r"`z` must have shape \(1, 3\). Received: shape \(1, 2\)"),
        (None, "`base` must be of type Distribution. Received: base=None"),
    ],
)
def test_bases_of_other_shapes_are_refused(base, message):
    with pytest.raises(ValueError, match=message):
        pushforward_log_prob(lambda z: z, base, [[0.0, 1.0]])
