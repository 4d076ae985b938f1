"""Posteriors and priors against closed forms and SciPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_ijae import random
from keras_ijae.distributions import (
    DiagonalGaussian,
    FullGaussian,
    GaussianMixture,
    GeneratedPrior,
    LearnedMixture,
    Posterior,
    Prior,
    Sphere,
    StandardNormal,
    Sticks,
    Uniform,
    VampPrior,
    posteriors,
    priors,
)
from keras_ijae.distributions.posteriors import positive_scale
from keras_ijae.distributions.supports import REALS, holds
from keras_ijae.distributions.tfp import tfp

MEAN = np.array([0.5, -1.0, 2.0])
COVARIANCE = np.array([[2.0, 0.3, -0.2], [0.3, 1.0, 0.1], [-0.2, 0.1, 0.5]])


def _raw(scale):
    """The raw output whose `positive_scale` is `scale`, by bisection."""
    low, high = np.full(np.shape(scale), -50.0), np.full(np.shape(scale), 50.0)
    for _ in range(100):
        middle = (low + high) / 2
        below = positive_scale(tf.constant(middle)).numpy() < scale
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def _full_params():
    """The outputs of an encoder that say N(MEAN, COVARIANCE)."""
    triangle = np.linalg.cholesky(COVARIANCE)
    np.fill_diagonal(triangle, _raw(np.diag(triangle)))
    return np.concatenate([MEAN, tfp().math.fill_triangular_inverse(triangle).numpy()])[None]


def test_full_covariance_kl_is_the_golden_value():
    np.testing.assert_allclose(FullGaussian(3).kl(_full_params()), [2.9372150392], atol=1e-9)


def test_full_covariance_density_and_moments_are_those_asked_for():
    distribution = FullGaussian(3).distribution(_full_params())
    np.testing.assert_allclose(distribution.covariance()[0], COVARIANCE, atol=1e-12)
    z = np.array([[0.3, 0.1, -0.7]])
    np.testing.assert_allclose(
        distribution.log_prob(z), [stats.multivariate_normal.logpdf(z[0], MEAN, COVARIANCE)], rtol=1e-10
    )


def test_diagonal_kl_and_density_are_the_closed_forms():
    mean, scale = np.array([[0.4, -1.2], [0.0, 3.0]]), np.array([[0.5, 2.0], [1.0, 0.01]])
    params = np.concatenate([mean, _raw(scale)], axis=1)
    posterior = DiagonalGaussian(2)
    expected = 0.5 * (mean**2 + scale**2 - 1 - 2 * np.log(scale)).sum(axis=1)
    np.testing.assert_allclose(posterior.kl(params), expected, rtol=1e-10)
    z = np.array([[0.1, 0.2], [0.3, 2.99]])
    np.testing.assert_allclose(
        posterior.distribution(params).log_prob(z), stats.norm.logpdf(z, mean, scale).sum(axis=1), rtol=1e-9
    )


def test_one_dimensional_kl_is_the_reference_value():
    params = np.array([[1.0, _raw(0.5)]])
    np.testing.assert_allclose(DiagonalGaussian(1).kl(params), [0.8181471806], atol=1e-9)


def test_full_and_diagonal_agree_without_correlations():
    raw = np.array([[0.3, -0.4]])
    triangle = tfp().math.fill_triangular_inverse(np.diag(raw[0])).numpy()[None]
    mean, noise = np.array([[1.0, -2.0]]), np.array([[0.6, -0.9]])
    diagonal, full = np.concatenate([mean, raw], axis=1), np.concatenate([mean, triangle], axis=1)
    np.testing.assert_allclose(FullGaussian(2).kl(full), DiagonalGaussian(2).kl(diagonal), rtol=1e-12)
    np.testing.assert_allclose(FullGaussian(2).draw(full, noise), DiagonalGaussian(2).draw(diagonal, noise))


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_zero_outputs_are_the_standard_normal(name):
    posterior = posteriors.get(name, 4)
    params, noise = tf.zeros((2, posterior.units)), random.normal((2, 4), 0)
    np.testing.assert_allclose(posterior.kl(params), [0, 0], atol=1e-6)
    np.testing.assert_allclose(posterior.draw(params, noise), noise, rtol=1e-6)


def test_the_scale_of_zero_is_one_in_full_float64():
    np.testing.assert_allclose(positive_scale(tf.zeros(1, tf.float64)), [1.0], rtol=0, atol=1e-15)


def test_draws_have_the_mean_and_covariance_and_zero_noise_is_the_mean():
    posterior = FullGaussian(3)
    params = np.repeat(_full_params(), 50_000, axis=0)
    draws = posterior.draw(params, random.normal((50_000, 3), 1)).numpy()
    np.testing.assert_allclose(draws.mean(axis=0), MEAN, atol=5 * np.sqrt(2 / 50_000))
    np.testing.assert_allclose(np.cov(draws.T), COVARIANCE, atol=0.07)
    np.testing.assert_array_equal(posterior.draw(params[:2], np.zeros((2, 3))), [MEAN, MEAN])
    np.testing.assert_array_equal(posterior.mean(params[:2]), [MEAN, MEAN])


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_kl_and_gradients_are_finite_at_extreme_parameters_and_equal_under_xla(name):
    posterior = posteriors.get(name, 2)
    params = tf.stack([tf.fill([posterior.units], value) for value in (-1e4, -100.0, 0.0, 100.0, 1e4)])

    def kl_and_gradient(params):
        with tf.GradientTape() as tape:
            tape.watch(params)
            kl = posterior.kl(params)
        return kl, tape.gradient(kl, params)

    eager, compiled = kl_and_gradient(params), tf.function(kl_and_gradient, jit_compile=True)(params)
    for ours, theirs in zip(eager, compiled, strict=True):
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_kl_of_half_precision_outputs_is_float32_and_of_float64_float64():
    for given, expected in [("float16", tf.float32), ("float32", tf.float32), ("float64", tf.float64)]:
        assert DiagonalGaussian(2).kl(tf.ones((1, 4), given)).dtype == expected
        assert FullGaussian(2).draw(tf.ones((1, 5), given), tf.zeros((1, 2))).dtype == expected


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_the_density_of_a_draw_is_that_of_the_code_and_integrates_to_one(name):
    posterior = posteriors.get(name, 2)
    params = np.random.default_rng(0).normal(scale=0.5, size=(1, posterior.units))
    rows, noise = np.repeat(params, 9, 0), random.normal((9, 2), 3)
    z, log_q = posterior.sample_and_log_prob(rows, noise)
    np.testing.assert_array_equal(z, posterior.draw(rows, noise))
    np.testing.assert_allclose(log_q, posterior.log_prob(rows, z), rtol=1e-9)
    grid = np.linspace(-9, 9, 181)
    nodes = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    density = np.exp(posterior.log_prob(np.repeat(params, len(nodes), 0), nodes))
    np.testing.assert_allclose(density.sum() * 0.1**2, 1, atol=1e-4)


@pytest.mark.parametrize("name", ["diagonal", "full"])
def test_posteriors_survive_serialisation(name):
    posterior = posteriors.get(name, 3)
    again = posteriors.get(keras.saving.serialize_keras_object(posterior), 3)
    assert type(again) is type(posterior) and again.units == posterior.units


@pytest.mark.parametrize(
    "prior",
    [StandardNormal(5), Uniform(5, -2.0, 0.7), Sphere(5), Sphere(5, 2.7), LearnedMixture(5, 3)],
    ids=lambda p: p.name,
)
def test_prior_samples_are_prefix_stable_and_bit_equal_in_eager_graph_and_xla(prior):
    long = prior.sample(33, 7).numpy()
    assert long.shape == (33, *prior.event_shape) and long.dtype == np.float32
    np.testing.assert_array_equal(prior.sample(4, 7), long[:4])
    np.testing.assert_array_equal(prior.sample(tf.constant(4), tf.constant(7)), long[:4])
    np.testing.assert_array_equal(tf.function(prior.sample)(tf.constant(33), tf.constant(7)), long)
    np.testing.assert_array_equal(tf.function(lambda: prior.sample(33, 7), jit_compile=True)(), long)
    assert (prior.sample(33, 8).numpy() != long).all()


def test_prior_densities_are_scipys():
    z = np.random.default_rng(0).uniform(-1.9, 0.6, size=(6, 3))
    np.testing.assert_allclose(StandardNormal(3).log_prob(z), stats.norm.logpdf(z).sum(axis=1), rtol=1e-12)
    box = stats.uniform.logpdf(z, -2.0, 2.7).sum(axis=1)
    np.testing.assert_allclose(Uniform(3, -2.0, 0.7).log_prob(z), box, rtol=1e-12)
    np.testing.assert_array_equal(Uniform(1).log_prob([[-1.5], [1.5]]), [-np.inf, -np.inf])


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 16])
def test_sphere_samples_have_norm_one_and_their_density_is_tfps(latent_dim):
    prior = Sphere(latent_dim)
    z = prior.sample(100, 0)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0, atol=1e-6)
    reference = tfp().distributions.SphericalUniform(dimension=latent_dim, batch_shape=[100]).log_prob(z)
    np.testing.assert_allclose(prior.log_prob(z), reference, atol=2e-5)


def test_a_sphere_of_another_radius_has_its_norm_its_surface_and_a_support_of_its_own():
    z = Sphere(3, radius=2.5).sample(50, 0)
    np.testing.assert_allclose(z, 2.5 * Sphere(3).sample(50, 0), rtol=1e-6)
    np.testing.assert_allclose(Sphere(3, 2.5).log_prob(z), -np.log(4 * np.pi * 2.5**2), rtol=1e-6)
    np.testing.assert_allclose(Sphere(1, 2.5).log_prob([[2.5]]), [-np.log(2)], rtol=1e-6)  # two points
    supports = [Sphere(3).support, Sphere(3, 1).support, Sphere(3, 2.5).support, Sphere(3, radius=None).support]
    assert supports[0] == supports[1] == "sphere" and len(set(supports)) == 3
    assert not holds(Sphere(3, 2.5).support, "sphere") and not holds("sphere", Sphere(3, 2.5).support)


@pytest.mark.parametrize(
    "prior",
    [
        *(StandardNormal(4), Uniform(4), Uniform(4, -1.0, 5.0), Sphere(4), Sphere(9, 2.5), Sphere(4, radius=None)),
        *(Sticks(2), Sticks(6), Sticks(16, 2.0), GaussianMixture(3)),
    ],
)
def test_the_variance_of_a_prior_is_that_of_its_samples(prior):
    spread = np.var(prior.sample(20_000, 0), axis=0).mean()
    np.testing.assert_allclose(prior.variance, spread, rtol=0.03)


def test_the_variance_of_a_fitted_mixture_is_that_of_its_codes():
    means, deviations = [[-3.0, 0.0], [5.0, 1.0]], [[0.5, 2.0], [1.0, 0.1]]
    codes = np.random.default_rng(0).normal(means, deviations, (500, 2, 2)).reshape(-1, 2)
    prior = GaussianMixture(2, components=2)
    prior.fit(codes)
    np.testing.assert_allclose(prior.variance, np.var(codes, axis=0).mean(), rtol=1e-4)


def test_a_sphere_is_fitted_at_the_codes_mean_radius():
    codes = np.random.default_rng(0).normal(size=(40, 3)) * [1, 2, 3]
    prior = Sphere(3, radius=None)
    assert prior.can_fit and not Sphere(3).can_fit
    np.testing.assert_allclose(np.linalg.norm(prior.sample(5, 0), axis=1), 1, rtol=1e-6)
    prior.fit(codes)
    radius = np.linalg.norm(codes, axis=1).mean()
    z = prior.sample(5, 0)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), radius, rtol=1e-6)
    np.testing.assert_allclose(prior.log_prob(z), -np.log(4 * np.pi * radius**2), rtol=1e-5)
    assert prior.get_config()["radius"] is None and not prior.trainable_variables


@pytest.mark.parametrize(
    ("radius", "codes", "message"),
    [
        (1.0, np.ones((2, 2)), "`radius` must be None for a sphere that is fitted. Received: 1.0"),
        (None, np.ones((2, 3)), r"`codes` must have shape \(n, 2\), n at least 1. Received: shape \(2, 3\)"),
        (None, np.ones((0, 2)), r"n at least 1. Received: shape \(0, 2\)"),
        (None, np.full((2, 2), np.nan), "`codes` must be finite. Received: 4 not"),
        (None, np.zeros((2, 2)), "`codes` must not be all 0"),
    ],
)
def test_codes_that_have_no_radius_are_refused(radius, codes, message):
    with pytest.raises(ValueError, match=message):
        Sphere(2, radius).fit(codes)


def test_prior_samples_have_the_moments_of_their_law():
    count = 40_000
    for prior, deviation in [
        (StandardNormal(2), 1.0),
        (Uniform(2), np.sqrt(1 / 3)),
        (Sphere(2), np.sqrt(0.5)),
    ]:
        z = prior.sample(count, 3).numpy()
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=5 * deviation / np.sqrt(count))
        np.testing.assert_allclose(np.cov(z.T), deviation**2 * np.eye(2), atol=0.03)


@pytest.mark.parametrize("name", ["normal", "uniform", "sphere"])
def test_priors_survive_serialisation(name):
    prior = priors.get(name, 3)
    again = priors.get(keras.saving.serialize_keras_object(prior), 3)
    assert again.get_config() == prior.get_config()
    np.testing.assert_array_equal(again.sample(2, 0), prior.sample(2, 0))


@pytest.mark.parametrize("bad", [0, -3, 2.5, True, None, "4"])
@pytest.mark.parametrize("make", [StandardNormal, Uniform, Sphere, DiagonalGaussian, FullGaussian])
def test_latent_dim_must_be_a_positive_integer(make, bad):
    with pytest.raises(ValueError, match=f"`latent_dim` must be an integer >= 1. Received: latent_dim={bad!r}"):
        make(bad)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: priors.get("gaussian", 2), "one of .*'normal'.*'gaussian'"),
        (lambda: priors.get(StandardNormal(3), 2), r"event shape \(2,\).*\(3,\)"),
        (lambda: posteriors.get("diag", 2), "one of .*'diagonal'.*'diag'"),
        (lambda: posteriors.get(FullGaussian(3), 2), "latent_dim=2.*latent_dim=3"),
        (lambda: Sphere(2, 0.0), "`radius` must be a finite number > 0, or None. Received: radius=0.0"),
        (lambda: Sphere(2, float("nan")), "`radius` must be a finite number > 0, or None. Received: radius=nan"),
        (lambda: Uniform(2, 1.0, 1.0), "`low` must be below `high`"),
        (lambda: Uniform(2, high=float("inf")), "`high` must be a finite number"),
        (lambda: StandardNormal(2).log_prob(tf.zeros((4, 3))), r"`z` must have shape \(batch, 2\).*\(4, 3\)"),
        (
            lambda: DiagonalGaussian(2).kl(tf.zeros((4, 3))),
            r"`params` must have shape \(batch, 4\).*\(4, 3\)",
        ),
    ],
)
def test_bad_arguments_are_named_in_the_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_prior_without_a_density_or_a_sampler_says_so():
    with pytest.raises(NotImplementedError, match="no density"):
        Prior(2).log_prob(tf.zeros((1, 2)))
    with pytest.raises(NotImplementedError, match="must define `sample"):
        Prior(2).sample(1, 0)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (REALS, REALS, True),
        (REALS, (0, 1), True),
        ((-1, 1), (-1, 1), True),
        ((-1, 1), (0, 1), True),
        ((-1, 1), REALS, False),
        ((0, 1), (-1, 1), False),
        ("sphere", "sphere", True),
        ("sphere", REALS, False),
        (REALS, "sphere", False),
        ("sticks", "sphere", False),
    ],
)
def test_a_prior_fits_where_codes_are_and_has_a_density_of_their_kind(outer, inner, expected):
    assert holds(outer, inner) == expected


def test_what_a_posterior_must_define_it_says():
    for call in (lambda q: q.sample_and_log_prob(None, None), lambda q: q.log_prob(None, None), lambda q: q.kl(None)):
        with pytest.raises(NotImplementedError, match="Posterior"):
            call(Posterior(2))


def test_priors_declare_what_they_can():
    declared = {name: (prior.has_log_prob, prior.can_fit) for name, prior in priors.PRIORS.items()}
    fixed = (True, False)
    fitted = dict.fromkeys(("gmm", "realnvp", "maf"), (True, True))
    vamp = {"vamp": (VampPrior.has_log_prob, True)}  # a property: its model's posterior may have none
    names = ("normal", "uniform", "sphere", "mixture", "sticks", "resampled", "hierarchical")
    assert declared == {**dict.fromkeys(names, fixed), **fitted, **vamp}
    assert (GeneratedPrior.has_log_prob, GeneratedPrior.can_fit) == (False, False)
    for prior in (*priors.PRIORS.values(), GeneratedPrior):
        assert hasattr(prior, "fit") == (bool(prior.can_fit) or prior is Sphere)  # a sphere without a radius can
        assert (prior.log_prob is not Prior.log_prob) == bool(prior.has_log_prob)
