"""Divergences against closed forms, SciPy's quadrature and slow sums; infinities; draws and their standard errors."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.divergences import (
    forward_kl,
    jeffreys_divergence,
    jensen_shannon,
    reverse_kl,
    total_variation,
    wasserstein_1,
)
from keras_ijae.lab.gaussian_mixture import TOY, GaussianMixture
from keras_ijae.lab.grids import GridDensity

tfd = tfp().distributions
tfb = tfp().bijectors
LOG2 = math.log(2)


def _full(mean, cov):
    return tfd.MultivariateNormalTriL(mean, np.linalg.cholesky(cov))


WIDE = _full([0.5, -1.0, 2.0], [[2, 0.3, -0.2], [0.3, 1, 0.1], [-0.2, 0.1, 0.5]])
OTHER = _full([0.0, 0.5, 1.0], [[1.5, -0.4, 0], [-0.4, 2, 0.3], [0, 0.3, 1]])


@pytest.mark.parametrize(
    "mean, stddev, tv, forward, reverse, js, w1",
    [
        (1.0, 1.0, 0.382924922, 0.5, 0.5, 0.111421482, 1.0),
        (1.0, 2.0, 0.390065660, 0.443147181, 1.306852819, 0.128174973, 1.166630941),
        (3.0, 0.5, 0.957412832, 18.806852819, 4.818147181, 0.630867987, 3.0),
    ],
)
def test_gaussians_have_the_values_of_the_reference(mean, stddev, tv, forward, reverse, js, w1):
    p, q = tfd.Normal(0.0, 1.0), tfd.Normal(mean, stddev)
    found = [total_variation(p, q), forward_kl(p, q), reverse_kl(p, q), jensen_shannon(p, q), wasserstein_1(p, q)]
    np.testing.assert_allclose(found, [tv, forward, reverse, js, w1], rtol=0, atol=1e-9)
    assert jensen_shannon(p, q, halves=False) == pytest.approx(2 * js, abs=2e-9)


def test_jeffreys_weighs_the_forward_direction_by_lam():
    p, q = tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 0.5)
    assert forward_kl(p, q) == pytest.approx(2.8068528194, abs=1e-10)
    assert reverse_kl(p, q) == pytest.approx(0.8181471806, abs=1e-10)
    assert jeffreys_divergence(p, q, 0.3) == pytest.approx(1.4147588723, abs=1e-10)


def test_a_direction_of_weight_zero_does_not_count_though_it_is_infinite():
    p, q = [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]
    assert jeffreys_divergence(p, q, 1.0) == pytest.approx(LOG2)
    assert jeffreys_divergence(p, q, 0.999) == math.inf == reverse_kl(p, q)


def test_full_covariances_have_the_closed_form():
    assert forward_kl(WIDE, OTHER) == pytest.approx(1.6957179362, abs=1e-10)
    unit = tfd.MultivariateNormalDiag(np.zeros(3), np.ones(3))
    assert forward_kl(WIDE, unit) == pytest.approx(2.9372150392, abs=1e-10)


def test_python_numbers_keep_their_digits_though_tfp_rounds_them():
    p, q = tfd.Normal(0.1, 0.2), tfd.Normal(0.3, 0.7)
    exact = math.log(0.7 / 0.2) + (0.2**2 + 0.2**2) / (2 * 0.7**2) - 0.5
    assert forward_kl(p, q) == pytest.approx(exact, abs=1e-14)


def _by_scipy(function, points=()):
    """An integral over the line, cut at `points`."""
    edges = [-np.inf, *points, np.inf]
    return sum(
        scipy.integrate.quad(function, a, b, epsabs=1e-11, epsrel=1e-9, limit=400)[0]
        for a, b in zip(edges, edges[1:], strict=False)
    )


@pytest.mark.slow
def test_quadrature_agrees_with_scipys():
    p, q = tfd.Laplace(0.3, 0.8), tfd.StudentT(3.5, -0.5, 1.2)
    laplace, student = scipy.stats.laplace(0.3, 0.8), scipy.stats.t(3.5, -0.5, 1.2)
    cuts = sorted([*np.linspace(-6, 6, 25), 0.3])

    def logs(x):
        return -abs(x - 0.3) / 0.8 - math.log(1.6), student.logpdf(x)

    def kl(a, b):
        return math.exp(a) * (a - b)

    def js(x):
        a, b = logs(x)
        middle = np.logaddexp(a, b) - LOG2
        return (kl(a, middle) + kl(b, middle)) / 2

    expected = {
        forward_kl: _by_scipy(lambda x: kl(*logs(x)), cuts),
        reverse_kl: _by_scipy(lambda x: kl(*logs(x)[::-1]), cuts),
        jensen_shannon: _by_scipy(js, cuts),
        total_variation: _by_scipy(lambda x: abs(laplace.pdf(x) - student.pdf(x)) / 2, cuts),
        wasserstein_1: _by_scipy(lambda x: abs(laplace.cdf(x) - student.cdf(x)), cuts),
    }
    for function, value in expected.items():
        assert function(p, q) == pytest.approx(value, rel=1e-7), function.__name__


@pytest.mark.slow
def test_mixtures_are_integrated_through_every_component():
    p = TOY.distribution()
    q = GaussianMixture([0.5, 0.5], [-1.66602, 8.00062], [4.15880, 0.19714]).distribution()
    assert forward_kl(p, q) == pytest.approx(0.8127813, abs=1e-6)
    x = np.linspace(-40, 40, 160_001)
    grid = [GridDensity(x, d.log_prob(x).numpy()) for d in (p, q)]
    for function in (reverse_kl, jensen_shannon, total_variation, wasserstein_1):
        assert function(p, q) == pytest.approx(function(*grid), rel=1e-6), function.__name__


def test_narrow_peaks_far_apart_are_found_however_light():
    assert forward_kl(tfd.Normal(-8.0, 0.2), tfd.Normal(8.0, 0.2)) == pytest.approx(16**2 / 2 / 0.2**2)
    p = GaussianMixture([0.5, 0.5], [-800, 800], [1e-3, 1e-3]).distribution()
    q = GaussianMixture([1 - 1e-9, 1e-9], [-800, 800], [1e-3, 1e-3]).distribution()
    assert total_variation(p, q) == pytest.approx(0.5 - 1e-9, abs=1e-12)
    assert forward_kl(p, q) == pytest.approx(0.5 * math.log(0.5 / (1 - 1e-9)) + 0.5 * math.log(0.5e9), rel=1e-10)
    assert wasserstein_1(p, q) == pytest.approx((0.5 - 1e-9) * 1600, rel=1e-9)


def test_supports_that_differ_make_kl_infinite_and_leave_the_others_finite():
    p, q = tfd.Uniform(0.0, 1.0), tfd.Uniform(0.5, 2.0)
    assert forward_kl(p, q) == reverse_kl(p, q) == math.inf
    assert total_variation(p, q) == pytest.approx(2 / 3, abs=1e-12)
    assert wasserstein_1(p, q) == pytest.approx(0.75, abs=1e-12)
    half = 0.5 * LOG2 + 0.5 * math.log(2 / (1 + 2 / 3))
    other = 2 / 3 * LOG2 + 1 / 3 * math.log(2 * (2 / 3) / (1 + 2 / 3))
    assert jensen_shannon(p, q) == pytest.approx((half + other) / 2, abs=1e-12)
    exponential, normal = tfd.Exponential(1.0), tfd.Normal(0.0, 1.0)
    assert reverse_kl(exponential, normal) == math.inf
    assert forward_kl(exponential, normal) == pytest.approx(math.log(2 * math.pi) / 2, abs=1e-12)


def test_disjoint_supports_are_at_the_ends():
    p, q = tfd.Uniform(0.0, 1.0), tfd.Uniform(3.0, 4.0)
    assert (forward_kl(p, q), total_variation(p, q)) == (math.inf, pytest.approx(1, abs=1e-12))
    assert jensen_shannon(p, q) == pytest.approx(LOG2, abs=1e-12)
    assert wasserstein_1(p, q) == pytest.approx(3, abs=1e-12)


def test_integrals_that_diverge_are_infinite():
    cauchy, normal = tfd.Cauchy(0.0, 1.0), tfd.Normal(0.0, 1.0)
    assert forward_kl(cauchy, normal) == wasserstein_1(cauchy, normal) == math.inf
    assert 0 < reverse_kl(cauchy, normal) < 1
    assert wasserstein_1(cauchy, tfd.Cauchy(1.0, 1.0)) == pytest.approx(1, rel=1e-9)


def test_singular_densities_are_integrated_up_to_their_bounds():
    arcsine = tfd.Beta(0.5, 0.5)
    assert forward_kl(arcsine, tfd.Uniform(0.0, 1.0)) == pytest.approx(math.log(4 / math.pi), abs=1e-6)
    assert reverse_kl(arcsine, tfd.Uniform(0.0, 1.0)) == pytest.approx(math.log(math.pi) - 1, abs=1e-9)
    assert wasserstein_1(tfd.Gamma(0.05, 1.0), tfd.Exponential(1.0)) == pytest.approx(0.95, abs=1e-9)


def test_vectors_agree_with_a_slow_sum():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(7))
    p[2], q[5] = 0, 0
    p, q = p / p.sum(), q / q.sum()
    forward = js = tv = 0.0
    for a, b in zip(p, q, strict=True):
        forward += a * math.log(a / b) if a and b else math.inf if a else 0
        js += sum(c * math.log(2 * c / (a + b)) / 2 for c in (a, b) if c)
        tv += abs(a - b) / 2
    assert forward_kl(p, q) == forward == math.inf
    np.testing.assert_allclose([jensen_shannon(p, q), total_variation(p, q)], [js, tv], rtol=1e-12)
    p, q = [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]
    assert forward_kl(p, q) == pytest.approx(LOG2)
    assert [f([1.0], [1.0]) for f in (forward_kl, reverse_kl, jensen_shannon, total_variation)] == [0, 0, 0, 0]


@pytest.mark.slow
def test_counts_are_summed_over_all_their_mass():
    p, q = tfd.Poisson(3.0), tfd.Poisson(5.0)
    assert forward_kl(p, q) == pytest.approx(3 * math.log(3 / 5) + 2, abs=1e-12)
    assert reverse_kl(p, q) == pytest.approx(5 * math.log(5 / 3) - 2, abs=1e-12)
    assert wasserstein_1(p, q) == pytest.approx(2, abs=1e-10)
    assert forward_kl(tfd.Poisson(1e6), tfd.Poisson(1.001e6)) == pytest.approx(
        1e6 * math.log(1 / 1.001) + 1e3, rel=1e-6
    )
    geometric = tfd.Geometric(probs=0.3)
    k = np.arange(200)
    masses = scipy.stats.poisson(3).pmf(k), 0.3 * 0.7**k
    assert total_variation(p, geometric) == pytest.approx(np.abs(np.subtract(*masses)).sum() / 2, abs=1e-12)
    assert forward_kl(tfd.Binomial(10.0, probs=0.3), p) < math.inf == reverse_kl(tfd.Binomial(10.0, probs=0.3), p)


def test_categories_of_different_numbers_meet_on_all_of_them():
    p, q = tfd.Categorical(probs=[0.5, 0.5]), tfd.Categorical(probs=[0.2, 0.3, 0.5])
    assert total_variation(p, q) == pytest.approx(0.5) and reverse_kl(p, q) == math.inf
    assert forward_kl(p, q) == pytest.approx(0.5 * math.log(2.5) + 0.5 * math.log(5 / 3), rel=1e-12)
    coin = tfd.Bernoulli(probs=0.3)
    assert forward_kl(coin, tfd.Bernoulli(probs=0.6)) == pytest.approx(
        0.3 * LOG2 * -1 + 0.7 * math.log(7 / 4), rel=1e-7
    )
    one_hot = [tfd.OneHotCategorical(probs=values) for values in ([0.2, 0.8], [0.5, 0.5])]
    assert total_variation(*one_hot) == pytest.approx(0.3, rel=1e-6)


def test_points_that_approach_stay_singular_and_only_wasserstein_sees_it():
    for shift in (1.0, 0.125):
        p, q = tfd.Deterministic(0.0), tfd.Deterministic(shift)
        assert forward_kl(p, q) == math.inf
        assert jensen_shannon(p, q, halves=False) == pytest.approx(2 * LOG2)
        assert (total_variation(p, q), wasserstein_1(p, q)) == (1, shift)
    point, normal = tfd.Deterministic(0.0), tfd.Normal(0.0, 1.0)
    assert (forward_kl(point, normal), jensen_shannon(point, normal)) == (math.inf, pytest.approx(LOG2))
    assert total_variation(normal, point) == 1


def test_a_distribution_is_at_no_distance_from_itself():
    for p in (TOY.distribution(), tfd.Poisson(2.0), WIDE, tfd.SinhArcsinh(0.0, 1.0, 0.5)):
        for function in (forward_kl, reverse_kl, jensen_shannon, total_variation):
            assert function(p, p) == pytest.approx(0, abs=1e-12), function.__name__


def test_transformed_distributions_agree_with_what_they_are():
    moved = tfd.TransformedDistribution(tfd.Normal(0.0, 1.0), tfb.Shift(2.0)(tfb.Scale(0.5)))
    assert forward_kl(moved, tfd.Normal(0.0, 1.0)) == pytest.approx(2 + 0.125 - 0.5 + LOG2, rel=1e-9)
    assert wasserstein_1(moved, tfd.Normal(2.0, 0.5)) == pytest.approx(0, abs=1e-12)
    mixed = tfd.Mixture(tfd.Categorical(probs=[0.3, 0.7]), [tfd.Normal(0.0, 1.0), tfd.Uniform(5.0, 6.0)])
    assert total_variation(mixed, tfd.Uniform(5.0, 6.0)) == pytest.approx(0.3, abs=1e-6)
