"""Two Gaussians fitted to four: the optima of the reference, the pitfalls, other targets, and the adversarial fit."""

import functools

import numpy as np
import pytest
from systems import quick

from keras_ijae.lab.adversarial_mixture import fit_mixture_adversarially
from keras_ijae.lab.divergences import forward_kl, jensen_shannon, reverse_kl
from keras_ijae.lab.gaussian_mixture import TOY, GaussianMixture
from keras_ijae.lab.mixture import BOUND, IDENTICAL, LOCAL, fit_mixture

A, C = ((0, 1), (2, 3)), ((0, 1, 2), (3,))
LOG4 = np.log(4)
GLOBAL = {
    ("reverse_kl", None): (0.4336978, -3.00030, 0.79957, 3.00002, 1.00155, 5.146584, 0.433698, 0.140564),
    ("jeffreys", 0.3): (0.9140194, -0.28704, 3.08555, 8.00072, 0.19780, 0.980662, 0.885458, 0.174096),
    ("jeffreys", 0.5): (0.9238953, -0.56369, 3.20493, 8.00067, 0.19787, 0.925205, 0.922585, 0.172787),
    ("forward_kl", None): (0.8127813, -1.66602, 4.15880, 8.00062, 0.19714, 0.812781, 1.765717, 0.177357),
    ("jensen_shannon", None): (0.1405643, -3.00032, 0.79957, 3.00050, 1.00274, 5.140397, 0.433698, 0.140564),
}
USUAL = {
    ("jeffreys", 0.3): (1.0765526, -3.19702, 1.33510, 3.35628, 1.69614, 1.754805, 0.785873, 0.176855),
    ("jeffreys", 0.5): (1.1859074, -3.30501, 1.66834, 3.61218, 1.98342, 1.275796, 1.096019, 0.192308),
    ("forward_kl", None): (0.8889189, -4.34694, 2.59432, 4.98481, 2.68256, 0.888919, 3.014718, 0.220798),
}


@functools.cache
def _fit(objective, lam=None, start=None):
    return fit_mixture(objective, lam, start)


def _parameters(fit):
    return np.stack([fit.means, fit.stddevs], axis=1).ravel()


def _holds(fit, value, *numbers):
    assert fit.value == pytest.approx(value, abs=1e-6)
    np.testing.assert_allclose(_parameters(fit), numbers[:4], rtol=0, atol=1.5e-5)
    p, q = TOY.distribution(), fit.mixture.distribution()
    found = [measure(p, q) for measure in (forward_kl, reverse_kl, jensen_shannon)]
    np.testing.assert_allclose(found, numbers[4:], rtol=0, atol=2e-6)  # an integral of its own
    assert fit.strict_minimum and fit.eigenvalues[0] > 0


def test_the_target_has_the_moments_of_the_reference():
    np.testing.assert_allclose(TOY.moments(), [0.25, 5.359618], atol=1e-6)
    np.testing.assert_allclose(TOY.moments([0, 1]), [-4.5, 2.38956], atol=1e-5)
    np.testing.assert_allclose(TOY.moments([2, 3]), [5.0, 2.57216], atol=1e-5)
    x = np.linspace(-20, 20, 41)
    np.testing.assert_allclose(TOY.log_density(x), TOY.distribution().log_prob(x), rtol=1e-12)


@pytest.mark.parametrize("chosen", quick(GLOBAL, []), ids=str)
def test_without_a_start_the_global_optimum_is_found(chosen):
    fit = _fit(*chosen)
    _holds(fit, *GLOBAL[chosen])
    assert fit.basin == (C if chosen[0] in ("jeffreys", "forward_kl") else A) and fit.pitfall is None
    assert all(fit.value < other.value and other.strict_minimum for other in fit.others)


@pytest.mark.parametrize("start", [(-3, 0, 3, 0), (-1, 0, 1, 0), (-5, LOG4, 5, LOG4)], ids=str)
@pytest.mark.parametrize("chosen", USUAL, ids=str)
@pytest.mark.slow
def test_usual_starts_end_in_branch_a_and_say_that_another_is_lower(chosen, start):
    fit = _fit(*chosen, start)
    _holds(fit, *USUAL[chosen])
    assert fit.basin == A and fit.pitfall == LOCAL
    assert fit.others[0].basin == C and fit.others[0].value == pytest.approx(_fit(*chosen).value, abs=1e-9)


@pytest.mark.slow
def test_other_minima_are_reported():
    others = _fit("reverse_kl").others
    np.testing.assert_allclose([fit.value for fit in others[:3]], [0.6359277, 0.7127666, 0.7797870], atol=1e-6)
    np.testing.assert_allclose(_parameters(others[2]), [-8, 0.2, -2.99686, 0.8052], atol=2e-5)
    values = [fit.value for fit in _fit("jeffreys", 0.3).others]
    np.testing.assert_allclose(values[:3], [1.0240469, 1.0649745, 1.0765526], atol=1e-6)
    values = [fit.value for fit in _fit("forward_kl").others]
    np.testing.assert_allclose(values[:3], [0.8889189, 1.0082874, 1.0229000], atol=1e-6)
    assert _fit("jensen_shannon").others[0].value == pytest.approx(0.1715851, abs=1e-6)


@pytest.mark.slow
def test_the_branches_cross_where_the_reference_says():
    values = {}
    for lam in (0.1665, 0.1670):
        fit = _fit("jeffreys", lam)
        values[lam] = {other.basin: other.value for other in (*fit.others[::-1], fit)}
        assert fit.basin == (A if lam < 0.16675173 else C)
    gaps = [values[lam][A] - values[lam][C] for lam in (0.1665, 0.1670)]
    assert 0.1665 + 0.0005 * gaps[0] / (gaps[0] - gaps[1]) == pytest.approx(0.16675173, abs=1e-6)


@pytest.mark.slow
def test_from_one_start_forward_kl_falls_and_reverse_kl_rises_with_lam():
    fits = [_fit("jeffreys", lam, (-3, 0, 3, 0)) for lam in (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)]
    p = TOY.distribution()
    forward, reverse = ([f(p, fit.mixture.distribution()) for fit in fits] for f in (forward_kl, reverse_kl))
    np.testing.assert_allclose(forward, [5.147, 2.921, 1.755, 1.276, 1.054, 0.889], atol=6e-4)
    np.testing.assert_allclose(reverse, [0.434, 0.518, 0.786, 1.096, 1.423, 3.015], atol=6e-4)


@pytest.mark.slow
def test_jeffreys_at_its_ends_is_the_two_directions():
    for lam, direction in ((0.0, "reverse_kl"), (1.0, "forward_kl")):
        fits = fit_mixture("jeffreys", lam, (-3, 0, 3, 0), 1), fit_mixture(direction, None, (-3, 0, 3, 0), 1)
        assert fits[0].value == pytest.approx(fits[1].value, abs=1e-12)


@pytest.mark.slow
def test_identical_components_stay_identical_and_that_is_reported():
    fit = fit_mixture("forward_kl", start=(0, 0, 0, 0), restarts=1)
    assert fit.pitfall == IDENTICAL and not fit.strict_minimum and fit.value == pytest.approx(0.9860498, abs=1e-6)
    np.testing.assert_allclose(_parameters(fit), np.sqrt([0.25**2, 28.7255] * 2), atol=1e-4)
    np.testing.assert_allclose(fit.eigenvalues, [0, 0.017, 0.147, 0.250], atol=1e-3)
    split = fit_mixture("forward_kl", start=(0.2, np.log(28.7255), 0.3, np.log(28.7255)), restarts=1)
    assert split.value == pytest.approx(0.8889189, abs=1e-6) and split.basin == A


@pytest.mark.slow
def test_a_component_that_runs_to_a_bound_is_no_minimum():
    fit = fit_mixture("jensen_shannon", start=(16, -5, -8, -3), restarts=1)
    assert fit.pitfall is not None and (not fit.strict_minimum or fit.pitfall == BOUND)


@pytest.mark.parametrize("chosen", [("forward_kl",), ("reverse_kl",), ("jensen_shannon",), ("jeffreys", 0.4)], ids=str)
@pytest.mark.slow
def test_a_target_that_the_model_can_be_is_found_exactly(chosen):
    target = GaussianMixture([0.5, 0.5], [3.0, -1.0], [0.7, 1.9])
    fit = fit_mixture(*chosen, target=target)
    assert fit.value == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(_parameters(fit), [-1, 1.9, 3, 0.7], atol=1e-5)


@pytest.mark.slow
def test_units_do_not_matter():
    moved = GaussianMixture(TOY.weights, 100 + 0.01 * TOY.means, 0.01 * TOY.stddevs)
    fit, moved_fit = (fit_mixture("jeffreys", 0.3, restarts=4, target=target) for target in (TOY, moved))
    assert moved_fit.value == pytest.approx(fit.value, abs=1e-9) and moved_fit.basin == fit.basin
    np.testing.assert_allclose(moved_fit.means, 100 + 0.01 * fit.means, rtol=1e-9)
    np.testing.assert_allclose(moved_fit.stddevs, 0.01 * fit.stddevs, rtol=1e-6)


@pytest.mark.slow
def test_other_targets_are_fitted_better_than_from_random_starts():
    target = GaussianMixture([0.25, 0.4, 0.35], [-5.0, 1.0, 4.5], [1.2, 0.4, 0.5])
    rng = np.random.default_rng(0)
    for chosen in (("jeffreys", 0.2), ("jensen_shannon", None)):
        best = fit_mixture(*chosen, target=target)
        starts = rng.uniform([-6, -1, -6, -1], [6, 2, 6, 2], (4, 4))
        assert all(fit_mixture(*chosen, start, 1, target).value > best.value - 1e-9 for start in starts)
        p, q = target.distribution(), best.mixture.distribution()
        value = jensen_shannon(p, q) if chosen[1] is None else 0.2 * forward_kl(p, q) + 0.8 * reverse_kl(p, q)
        assert best.value == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"objective": "kl"}, "`objective`.*'kl'"),
        ({"objective": "jeffreys"}, "`lam`"),
        ({"objective": "jeffreys", "lam": 1.2}, "`lam`.*1.2"),
        ({"objective": "jeffreys", "lam": float("nan")}, "`lam`.*nan"),
        ({"objective": "forward_kl", "lam": 0.5}, "`lam`.*0.5"),
        ({"objective": "forward_kl", "start": (0, 0, 0)}, r"`start`.*\(3,\)"),
        ({"objective": "forward_kl", "start": (0, 0, 100, 0)}, "`start`.*100"),
        ({"objective": "forward_kl", "start": (0, np.nan, 0, 0)}, "`start`.*nan"),
        ({"objective": "forward_kl", "restarts": 0}, "`restarts`.*0"),
        (
            {"objective": "forward_kl", "target": [1]},
            r"`target` must be of type GaussianMixture. .*=\[1\]",
        ),
        ({"objective": "forward_kl", "start": "abcd"}, "`start`.*'abcd'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_mixture(**arguments)


@pytest.mark.parametrize(
    "parts, message",
    [
        (([0.5, 0.6], [0, 1], [1, 1]), "`weights`.*1.1"),
        (([0.5, 0.5], [0, 1], [1, -1]), "`stddevs`.*-1"),
        (([0.5, 0.5], [0, 1], [1, 0]), "`stddevs`.*0"),
        (([0.5, 0.5], [0, 1, 2], [1, 1]), "`means`"),
        (([0.5, 0.5], [0, np.nan], [1, 1]), "`means`.*nan"),
    ],
)
def test_bad_mixtures_are_named(parts, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(*parts)


@pytest.mark.slow
def test_a_model_that_can_be_the_target_ends_at_0_and_never_below():
    """Rounding pulls the two directions to either side of 0."""
    target = GaussianMixture([0.5, 0.5], [-2, 2], [0.5, 1])
    for objective in ("forward_kl", "reverse_kl"):
        fit = fit_mixture(objective, target=target, start=(-2, -LOG4, 2, 0), restarts=1)
        assert 0 <= fit.value < 1e-15, objective
        np.testing.assert_allclose(_parameters(fit), [-2, 0.5, 2, 1], atol=1e-6)


def test_scales_that_no_grid_holds_are_refused():
    with pytest.raises(ValueError, match="`target`"):
        fit_mixture("forward_kl", target=GaussianMixture([0.5, 0.5], [-1e6, 1e6], [1e-3, 1e-3]))


@pytest.mark.slow
def test_a_learned_discriminator_leads_to_the_same_branch():
    exact, steps = _fit("jeffreys", 0.1, (-3, 0, 3, 0)), []
    fit = fit_mixture_adversarially(0.1, steps=150, progress=steps.append)
    np.testing.assert_allclose(fit.means, exact.means, atol=0.1)
    np.testing.assert_allclose(fit.stddevs, exact.stddevs, atol=0.15)
    assert steps[-1] == 150 and fit.trace.shape == (150, 4)
    x = np.array([-4.0, -3.0, -2.0, 2.0, 3.0, 4.0])
    logits = fit.discriminator(x[:, None], training=False).numpy().ravel()
    np.testing.assert_allclose(logits, TOY.log_density(x) - fit.mixture.log_density(x), atol=0.35)


@pytest.mark.slow
def test_the_adversarial_fit_is_a_function_of_its_seed():
    first, same, other = (fit_mixture_adversarially(0.5, steps=3, seed=seed).trace for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-4


def test_bad_arguments_of_the_adversarial_fit_are_named():
    for arguments, name in (
        ({"lam": -0.1}, "lam"),
        ({"lam": 0.1, "start": [0]}, "start"),
        ({"lam": 0.1, "steps": 2}, "steps"),
        ({"lam": 0.1, "target": [1]}, "target"),
    ):
        with pytest.raises(ValueError, match=f"`{name}`"):
            fit_mixture_adversarially(**arguments)
