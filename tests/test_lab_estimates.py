"""Divergences from draws, with their standard errors, and on grids; what all divergences refuse."""

import math

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_ijae.distributions.tfp import tfp
from keras_ijae.lab.divergences import (
    forward_kl,
    jeffreys_divergence,
    reverse_kl,
    total_variation,
    wasserstein_1,
)
from keras_ijae.lab.estimates import monte_carlo
from keras_ijae.lab.grids import GridDensity

tfd = tfp().distributions
WIDE = tfd.MultivariateNormalTriL([0.5, -1.0], [[1.4, 0.0], [0.2, 1.0]])
OTHER = tfd.MultivariateNormalTriL([0.0, 0.5], [[1.2, 0.0], [-0.3, 1.4]])


@pytest.mark.slow
def test_draws_agree_with_the_line_and_say_how_far():
    p, q = tfd.MultivariateNormalDiag([0.0, 0.0], [1.0, 1.0]), tfd.MultivariateNormalDiag([0.6, 0.8], [1.0, 1.0])
    exact = {"jensen_shannon": 0.111421482, "total_variation": 0.382924922, "forward_kl": 0.5, "reverse_kl": 0.5}
    for divergence, value in exact.items():
        found = [monte_carlo(divergence, p, q, samples=10_000, seed=seed) for seed in range(8)]
        errors = np.array([(estimate.value - value) / estimate.standard_error for estimate in found])
        assert np.abs(errors).max() < 4 and 0.3 < np.sqrt(np.mean(errors**2)) < 1.8, divergence
    assert total_variation(p, q) == pytest.approx(0.382924922, abs=0.005)
    mixed = monte_carlo("jeffreys", WIDE, OTHER, lam=0.3)
    truth = jeffreys_divergence(WIDE, OTHER, 0.3)
    assert abs(mixed.value - truth) < 4 * mixed.standard_error < 0.1
    more, fewer = (monte_carlo("forward_kl", p, q, samples=n).standard_error for n in (40_000, 10_000))
    assert fewer / more == pytest.approx(2, rel=0.1)


def test_draws_outside_of_a_support_make_kl_infinite():
    normals = tfd.Independent(tfd.Normal([0.0, 1.0], [1.0, 2.0]), 1)
    positive = tfd.Independent(tfd.Exponential([1.0, 2.0]), 1)
    assert forward_kl(normals, positive) == math.inf > reverse_kl(normals, positive) > 0


COINS = [tfd.Independent(tfd.Bernoulli(probs=values), 1) for values in ([0.2, 0.8], [0.5, 0.5])]
CHOICES = [tfd.Categorical(probs=values) for values in ([0.2, 0.8], [0.5, 0.5])]
COIN_KL = math.log(2) + 0.2 * math.log(0.2) + 0.8 * math.log(0.8)


def test_discrete_vectors_have_the_closed_form_and_else_draws():
    assert forward_kl(*COINS) == pytest.approx(2 * COIN_KL, abs=1e-6) and 2 * COIN_KL == pytest.approx(0.3854895)
    pairs = [tfd.Independent(tfd.Categorical(probs=[row, [0.5, 0.5]]), 1) for row in ([0.2, 0.8], [0.5, 0.5])]
    assert forward_kl(*pairs) == pytest.approx(COIN_KL, abs=1e-6)
    masses = np.outer([0.8, 0.2], [0.2, 0.8])
    assert total_variation(*COINS) == pytest.approx(np.abs(masses - 0.25).sum() / 2, abs=0.01)
    counts = [tfd.Independent(tfd.Poisson([rate, 3.0]), 1) for rate in (2.0, 3.0)]
    assert forward_kl(*counts) == pytest.approx(2 * math.log(2 / 3) + 1, abs=0.01)  # TFP has no form for it


@pytest.mark.parametrize("sides", [COINS, CHOICES, [tfd.Bernoulli(probs=value) for value in (0.2, 0.5)]])
def test_draws_of_whole_numbers_are_counted(sides):
    truth = COIN_KL * (2 if sides is COINS else 1)
    found = monte_carlo("forward_kl", *sides)
    assert abs(found.value - truth) < 4 * found.standard_error < 0.02


def test_draws_of_categories_that_the_other_side_lacks_have_no_mass_there():
    few, many = tfd.Categorical(probs=[0.5, 0.5]), tfd.Categorical(probs=[0.2, 0.3, 0.5])
    assert monte_carlo("reverse_kl", few, many, samples=1000).value == math.inf
    for divergence in ("forward_kl", "total_variation"):
        found = monte_carlo(divergence, few, many)
        truth = 0.5 if divergence == "total_variation" else 0.5 * math.log(2.5) + 0.5 * math.log(5 / 3)
        assert abs(found.value - truth) < 4 * found.standard_error < 0.02, divergence
    pairs = [tfd.Independent(tfd.Categorical(probs=[row, row]), 1) for row in ([0.5, 0.5], [0.2, 0.3, 0.5])]
    assert forward_kl(*pairs[::-1]) == math.inf
    assert forward_kl(*pairs) == pytest.approx(math.log(2.5) + math.log(5 / 3), abs=0.01)


def test_repeated_distributions_and_operators_are_rebuilt_in_float64():
    p, q = (tfd.Sample(tfd.Normal(mean, 1.0), 3) for mean in (0.0, 0.1))
    assert forward_kl(p, q) == pytest.approx(3 * 0.1**2 / 2, abs=1e-14)
    round_ = tfd.MultivariateStudentTLinearOperator(5.0, [0.0, 0.0], tf.linalg.LinearOperatorIdentity(2))
    same = tfd.MultivariateStudentTLinearOperator(5.0, [0.0, 0.0], tf.linalg.LinearOperatorDiag([1.0, 1.0]))
    assert total_variation(round_, same) == pytest.approx(0, abs=1e-12)


def test_infinite_bounds_are_no_infinite_parameters():
    p = tfd.TruncatedNormal(0.0, 1.0, 0.0, float("inf"))
    assert forward_kl(p, tfd.HalfNormal(1.0)) == pytest.approx(0, abs=1e-9)
    impossible = tfd.Categorical(logits=[0.0, -float("inf")])
    assert forward_kl(impossible, CHOICES[1]) == pytest.approx(math.log(2))


def test_grids_use_the_trapezoid_rule_and_the_logarithm():
    x = np.linspace(-12, 14, 4001)
    p, q = (GridDensity(x, scipy.stats.norm(*moments).logpdf(x)) for moments in ((0, 1), (1, 2)))
    assert forward_kl(p, q) == pytest.approx(0.443147181, abs=1e-6)
    assert wasserstein_1(p, q) == pytest.approx(1.166630941, abs=1e-5)
    x = np.linspace(-60, 60, 24_001)
    far = [GridDensity(x, scipy.stats.norm(mean, 1).logpdf(x)) for mean in (-45, 45)]
    assert forward_kl(*far) == pytest.approx(90**2 / 2, rel=1e-9)  # the density itself is 0 there in float64


@pytest.mark.parametrize(
    "p, q, message",
    [
        ([0.5, 0.6], [0.5, 0.5], "`p`.*1.1"),
        ([0.5, 0.5], [1.5, -0.5], "`q`.*-0.5"),
        ([0.5, np.nan], [0.5, 0.5], "`p`.*nan"),
        ([1.0], [0.5, 0.5], "1 and 2"),
        ([1.0], tfd.Normal(0.0, 1.0), "`p`.*one kind"),
        (tfd.Normal(0.0, -1.0), tfd.Normal(0.0, 1.0), "`p`.*-1.0"),
        (tfd.Normal(0.0, 1.0), tfd.Normal(0.0, 0.0), "`q`.*'scale': 0.0"),
        (tfd.Normal(0.0, 1.0), tfd.Normal(float("nan"), 1.0), "`q.loc`.*nan"),
        (tfd.Normal([0.0, 1.0], 1.0), tfd.Normal(0.0, 1.0), "`p`.*batch_shape"),
        (tfd.Categorical(probs=[0.5, 0.6]), tfd.Categorical(probs=[0.5, 0.5]), r"`p`.*0.6"),
        (tfd.MultivariateNormalDiag([0.0], [-1.0]), tfd.MultivariateNormalDiag([0.0], [1.0]), "scale_diag.*-1.0"),
        (tfd.MultivariateNormalDiag([0.0], [1.0]), tfd.Normal(0.0, 1.0), r"\(1,\) and \(\)"),
        (tfd.Normal(0.0, float("inf")), tfd.Normal(0.0, 1.0), "`p.scale`.*inf"),
        (tfd.Normal(0.0, 1.0), tfd.Normal(float("inf"), 1.0), "`q.loc`.*inf"),
        (tfd.Gamma(float("inf"), 1.0), tfd.Gamma(1.0, 1.0), "`p.concentration`.*inf"),
        (tfd.Poisson(1.0), tfd.Poisson(float("inf")), "`q.rate`.*inf"),
        (tfd.Empirical([1.0, 2.0]), tfd.Empirical([1.0, 3.0]), "`p`.*Empirical.*FiniteDiscrete"),
        ([0.5, 0.5], ["0.5", "0.5"], r"`q`.*real numbers.*'0.5'"),
        ([0.5, 0.5 + 1j], [0.5, 0.5], "`p`.*real numbers.*1j"),
        ([0.5, [0.5]], [0.5, 0.5], r"`p`.*real numbers.*\[0.5, \[0.5\]\]"),
        ([0.5, 0.5], None, "`q`.*real numbers.*None"),
    ],
)
def test_bad_arguments_are_named(p, q, message):
    with pytest.raises(ValueError, match=message):
        forward_kl(p, q)
    with pytest.raises(ValueError, match=message):
        total_variation(p, q)


def test_a_density_that_does_not_integrate_to_one_is_refused():
    class Unnormalised(tfd.Normal):
        def _log_prob(self, x):
            return super()._log_prob(x) + 0.1

    with pytest.raises(ValueError, match="`q`.*1.10517"):
        total_variation(tfd.Normal(0.0, 1.0), Unnormalised(0.0, 1.0))


@pytest.mark.parametrize("lam", [-0.1, 1.1, float("nan"), "0.3", True, None])
def test_lam_outside_of_the_unit_interval_is_refused(lam):
    with pytest.raises(ValueError, match="`lam`"):
        jeffreys_divergence([1.0], [1.0], lam)


def test_what_has_no_wasserstein_distance_says_where_to_go():
    with pytest.raises(ValueError, match="wasserstein_1d"):
        wasserstein_1([0.5, 0.5], [0.2, 0.8])
    with pytest.raises(ValueError, match="optimal_transport"):
        wasserstein_1(WIDE, OTHER)
    with pytest.raises(ValueError, match="one of each"):
        wasserstein_1(tfd.Deterministic(0.0), tfd.Normal(0.0, 1.0))


def test_bad_grids_are_refused():
    x = np.linspace(-8, 8, 801)
    log_density = scipy.stats.norm.logpdf(x)
    others = log_density + 0.1, log_density[1:], np.full(801, np.nan), ["a"] * 801
    for bad in ((x[::-1], log_density), *((x, other) for other in others)):
        with pytest.raises(ValueError, match="Argument `"):
            GridDensity(*bad)
    with pytest.raises(ValueError, match="one grid"):
        forward_kl(GridDensity(x, log_density), GridDensity(x[100:], scipy.stats.norm.logpdf(x[100:], 1)))
    with pytest.raises(ValueError, match="`divergence`"):
        monte_carlo("kl", WIDE, OTHER)
    with pytest.raises(ValueError, match="`lam`"):
        monte_carlo("jeffreys", WIDE, OTHER)
