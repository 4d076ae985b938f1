"""Gradients of three generator objectives, and single Gaussians fitted to mixtures, against independent integrals."""

import math

import numpy as np
import pytest
from systems import quick

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.divergences import jensen_shannon, reverse_kl
from keras_ijae.lab.estimates import monte_carlo
from keras_ijae.lab.gaussian_mixture import GaussianMixture
from keras_ijae.lab.generator_objectives import (
    divergence_gradient,
    generator_gradient,
    train_discriminator,
    trained_gradient,
)
from keras_ijae.lab.unimodal import IsotropicMixture, fit_gaussian

tfd = tfp().distributions
REFERENCE = {"minimax": 0.397972867, "non_saturating": 0.602027133, "log_ratio": 1.0}
SKEWED = GaussianMixture([0.3, 0.7], [-1.5, 1.0], [0.6, 1.1])
BIMODAL = IsotropicMixture([0.6, 0.4], [[-2.0], [2.0]], [0.6, 0.8])
PLANE = IsotropicMixture([0.7, 0.3], [[0.0, 0.0], [3.0, 2.0]], [1.0, 0.5])


@pytest.mark.parametrize("objective", REFERENCE)
def test_gradients_have_the_values_of_the_reference(objective):
    assert generator_gradient(objective, 1.0)[0] == pytest.approx(REFERENCE[objective], abs=1e-9)
    assert divergence_gradient(objective, 1.0)[0] == pytest.approx(REFERENCE[objective], abs=1e-9)


def _divergence(objective, mean, stddev, data):
    p, q = data.distribution(), tfd.Normal(mean, stddev)
    twice_js, kl = 2 * jensen_shannon(p, q), reverse_kl(p, q)
    return {"minimax": twice_js, "non_saturating": kl - twice_js, "log_ratio": kl}[objective]


@pytest.mark.parametrize("objective", quick(REFERENCE, ["non_saturating"]))  # whose divergence is made of the others'
def test_each_objective_has_the_slope_of_its_divergence(objective):
    mean, stddev, h = 0.4, 0.8, 1e-4
    slopes = [
        (_divergence(objective, *above, SKEWED) - _divergence(objective, *below, SKEWED)) / (2 * h)
        for above, below in (
            ((mean + h, stddev), (mean - h, stddev)),
            ((mean, stddev + h), (mean, stddev - h)),
        )
    ]
    np.testing.assert_allclose(generator_gradient(objective, mean, stddev, SKEWED), slopes, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(divergence_gradient(objective, mean, stddev, SKEWED), slopes, rtol=1e-6, atol=1e-7)


def test_far_from_the_data_minimax_alone_vanishes():
    assert 0 < generator_gradient("minimax", 10.0)[0] < 1e-4
    assert generator_gradient("non_saturating", 10.0)[0] == pytest.approx(10, abs=1e-4)
    assert generator_gradient("log_ratio", 10.0)[0] == pytest.approx(10, abs=1e-8)


def test_at_the_data_all_gradients_are_nothing():
    for objective in REFERENCE:
        np.testing.assert_allclose(generator_gradient(objective, 0.0), [0, 0], atol=1e-12)


@pytest.mark.slow
def test_a_trained_discriminator_has_nearly_the_gradients_of_the_optimal_one():
    discriminator = train_discriminator(1.0, steps=300)
    for objective, value in REFERENCE.items():
        assert trained_gradient(objective, discriminator, 1.0)[0] == pytest.approx(value, abs=0.05), objective
    x = np.array([[-1.0], [0.5], [2.0]])
    np.testing.assert_allclose(discriminator(x, training=False).numpy(), 0.5 - x, atol=0.15)


def test_bad_arguments_of_the_gradients_are_named():
    for call in (generator_gradient, divergence_gradient):
        for arguments, message in (
            (("kl", 1.0), "`objective`.*'kl'"),
            (("tfgan:least_squares", 1.0), "`objective` must be one of 'minimax', 'non_saturating', 'log_ratio'"),
            (("minimax", float("nan")), "`mean`.*nan"),
            (("minimax", 1.0, 0.0), "`stddev`.*0"),
            (("minimax", 1.0, 1.0, None), "`data` must be of type GaussianMixture. Received: data=None"),
        ):
            with pytest.raises(ValueError, match=message):
                call(*arguments)
    with pytest.raises(ValueError, match="`steps`"):
        train_discriminator(1.0, steps=0)
    with pytest.raises(ValueError, match="`data`.*None"):
        train_discriminator(1.0, data=None)


def test_forward_kl_takes_the_moments():
    fit = fit_gaussian("forward_kl", BIMODAL)
    mean = 0.6 * -2 + 0.4 * 2
    variance = 0.6 * (0.36 + (-2 - mean) ** 2) + 0.4 * (0.64 + (2 - mean) ** 2)
    assert fit.mean[0] == pytest.approx(mean, abs=1e-6) and fit.stddev == pytest.approx(math.sqrt(variance), abs=1e-6)
    assert fit.others == ()
    mean = np.array([0.9, 0.6])
    spread = 0.7 * (1 + (mean @ mean) / 2) + 0.3 * (0.25 + ((np.array([3, 2]) - mean) ** 2).sum() / 2)
    fit = fit_gaussian("forward_kl", PLANE)
    np.testing.assert_allclose([*fit.mean, fit.stddev], [*mean, math.sqrt(spread)], atol=1e-6)


def test_reverse_kl_takes_one_mode_or_the_other():
    fit = fit_gaussian("reverse_kl", IsotropicMixture([0.6, 0.4], [[-6.0], [6.0]], [0.5, 0.7]))
    modes = [fit, *fit.others]
    heavy, light = (next(m for m in modes if abs(m.mean[0] - place) < 0.01) for place in (-6, 6))
    assert (
        heavy is fit and heavy.stddev == pytest.approx(0.5, abs=1e-3) and light.stddev == pytest.approx(0.7, abs=1e-3)
    )
    assert heavy.value == pytest.approx(-math.log(0.6), abs=1e-4) and light.value == pytest.approx(
        -math.log(0.4), abs=1e-4
    )


def test_equal_modes_give_minima_alone_and_no_saddle_between_them():
    fit = fit_gaussian("reverse_kl", IsotropicMixture([0.5, 0.5], [[-6.0], [6.0]], [0.5, 0.5]))
    found = sorted([fit, *fit.others], key=lambda optimum: optimum.mean[0])
    np.testing.assert_allclose([optimum.mean[0] for optimum in found if optimum.value < 0.7], [-6, 6], atol=1e-6)
    p = GaussianMixture([0.5, 0.5], [-6, 6], [0.5, 0.5]).distribution()
    for optimum in found:
        for shift in (-0.05, 0.05):
            assert reverse_kl(p, tfd.Normal(optimum.mean[0] + shift, optimum.stddev)) > optimum.value


@pytest.mark.slow
@pytest.mark.parametrize("objective, measure", [("reverse_kl", reverse_kl), ("jensen_shannon", jensen_shannon)])
def test_fits_on_the_line_are_minima_of_the_divergence(objective, measure):
    p = GaussianMixture(BIMODAL.weights, BIMODAL.means[:, 0], BIMODAL.stddevs).distribution()
    fit = fit_gaussian(objective, BIMODAL)
    for optimum in (fit, *fit.others):
        value = measure(p, tfd.Normal(optimum.mean[0], optimum.stddev))
        assert optimum.value == pytest.approx(value, abs=1e-8)
        for shift, factor in ((0.02, 1), (-0.02, 1), (0, 1.01), (0, 0.99)):
            assert measure(p, tfd.Normal(optimum.mean[0] + shift, optimum.stddev * factor)) > value
    assert fit.value == min(optimum.value for optimum in (fit, *fit.others))


@pytest.mark.slow
def test_fits_in_the_plane_have_the_divergence_of_tfps_distributions():
    components = tfd.MultivariateNormalDiag(PLANE.means, PLANE.stddevs[:, None] * np.ones(2))
    p = tfd.MixtureSameFamily(tfd.Categorical(probs=PLANE.weights), components)
    for objective in ("forward_kl", "reverse_kl", "jensen_shannon"):
        fit = fit_gaussian(objective, PLANE)
        q = tfd.MultivariateNormalDiag(fit.mean, fit.stddev * np.ones(2))
        estimate = monte_carlo(objective, p, q)
        assert abs(estimate.value - fit.value) < 4 * estimate.standard_error < 0.05, objective


def test_mmd_agrees_with_draws_and_its_fit_is_a_minimum():
    fit = fit_gaussian("mmd", PLANE, bandwidth=1.5)
    rng = np.random.default_rng(0)

    def draws_p(n):
        k = rng.choice(2, n, p=PLANE.weights)
        return PLANE.means[k] + PLANE.stddevs[k, None] * rng.normal(size=(n, 2))

    def kernel(x, y):
        return np.exp(-((x - y) ** 2).sum(axis=1) / (2 * 1.5**2))

    def draws_q(n):
        return fit.mean + fit.stddev * rng.normal(size=(n, 2))

    n = 400_000
    terms = (
        kernel(draws_p(n), draws_p(n)) - 2 * kernel(draws_p(n), draws_q(n)) + kernel(draws_q(n), draws_q(n))
    )  # independent pairs
    assert abs(terms.mean() - fit.value) < 4 * terms.std() / math.sqrt(n)
    same = fit_gaussian("mmd", IsotropicMixture([1.0], [[0.5, -1.0]], [0.7]))
    np.testing.assert_allclose([same.value, *same.mean, same.stddev], [0, 0.5, -1.0, 0.7], atol=1e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("kl", BIMODAL), "`objective`"),
        (("mmd", BIMODAL, 0.0), "`bandwidth`.*0"),
        (("forward_kl", SKEWED), "`target` must be of type IsotropicMixture. Received: target=GaussianMixture"),
    ],
)
def test_bad_arguments_of_the_fits_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_gaussian(*arguments)


@pytest.mark.parametrize(
    "parts, message",
    [
        (([0.5, 0.4], [[0.0], [1.0]], [1, 1]), "`weights`.*0.9"),
        (([0.5, 0.5], [[0.0], [1.0]], [1, 0]), "`stddevs`.*0"),
        (([0.5, 0.5], [[0.0] * 3] * 2, [1, 1]), "`means`"),
    ],
)
def test_bad_isotropic_mixtures_are_named(parts, message):
    with pytest.raises(ValueError, match=message):
        IsotropicMixture(*parts)
