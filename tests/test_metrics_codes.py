"""Metrics of codes: correlation, activity, discrepancies and the ELBO's terms."""

import itertools

import numpy as np
import pytest
import scipy.stats

from keras_ijae import metrics


def _normal(seed, n, d, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def test_independent_codes_score_the_sampling_floor_whatever_their_scale():
    codes = _normal(0, 10000, 16)
    floor = np.sqrt(2 / (np.pi * 10000))
    assert metrics.nac(codes) == pytest.approx(floor, abs=0.002)
    assert metrics.nac(codes * np.geomspace(1e-3, 1e3, 16) + 5) == pytest.approx(metrics.nac(codes), rel=1e-9)


def test_both_versions_equal_loops_over_the_active_pairs():
    codes = _normal(0, 200, 5) @ _normal(1, 5, 5)
    active = np.array([True, False, True, True, False])
    pairs = list(itertools.permutations(np.flatnonzero(active), 2))
    expected = np.mean([abs(scipy.stats.pearsonr(codes[:, i], codes[:, j])[0]) for i, j in pairs])
    assert metrics.nac(codes, active) == pytest.approx(expected, rel=1e-9)
    centred = codes - codes.mean(0)
    expected = np.mean([abs(centred[:, i] @ centred[:, j] / 199) for i, j in pairs])
    assert metrics.nac(codes, active, kind="covariance") == pytest.approx(expected, rel=1e-9)
    assert metrics.nac(np.stack([codes[:, 0], -2 * codes[:, 0]], 1)) == pytest.approx(1, rel=1e-12)


def test_dimensions_without_variance_are_named_and_can_be_left_out():
    codes = _normal(0, 100, 4)
    codes[:, 2] = 3.0
    with pytest.raises(ValueError, match=r"constant dimensions \[2\]"):
        metrics.nac(codes)
    active = metrics.active_dimensions(codes, "stddev")
    np.testing.assert_array_equal(active, [True, True, False, True])
    assert 0 < metrics.nac(codes, active) < 0.3
    with pytest.raises(ValueError, match="at least two"):
        metrics.nac(codes, np.array([True, False, False, False]))
    with pytest.raises(ValueError, match="booleans of shape"):
        metrics.nac(codes, np.array([0, 1, 3]))
    with pytest.warns(UserWarning, match="biased upwards"):
        metrics.nac(_normal(0, 4, 4))


def test_the_three_definitions_of_activity_differ_where_they_should():
    np.testing.assert_array_equal(metrics.active_dimensions([0.0, 0.0999, 0.1, 0.9], "mask"), [0, 0, 1, 1])
    values = _normal(0, 1000, 1) / np.std(_normal(0, 1000, 1), ddof=1) * [0.05, 0.099, 0.101, 1.0]
    for definition in ("posterior_mean", "stddev"):  # a variance of 0.01 is a deviation of 0.1
        np.testing.assert_array_equal(metrics.active_dimensions(values, definition), [0, 0, 1, 1])
    np.testing.assert_array_equal(metrics.active_dimensions([0.0, 0.0999, 0.1, 0.9]), [0, 0, 1, 1])
    np.testing.assert_array_equal(metrics.active_dimensions(values), metrics.active_dimensions(values, "stddev"))
    np.testing.assert_array_equal(metrics.active_dimensions(values, "posterior_mean", 0.5), [0, 0, 0, 1])
    np.testing.assert_array_equal(metrics.active_dimensions(values, "stddev", 0.06), [0, 1, 1, 1])
    with pytest.raises(ValueError, match="'mask', 'posterior_mean', 'stddev'"):
        metrics.active_dimensions(values, "variance")
    with pytest.raises(ValueError, match="`threshold` must be a finite number. Received: threshold=nan"):
        metrics.active_dimensions(values, "stddev", np.nan)
    with pytest.raises(ValueError, match="a mask"):
        metrics.active_dimensions(values, "mask")


def _slow_mmd(x, y, kernel):
    def mean(pairs):
        return np.mean([kernel(np.sum((a - b) ** 2)) for a, b in pairs])

    cross = mean(itertools.product(x, y))
    return mean(itertools.permutations(x, 2)) + mean(itertools.permutations(y, 2)) - 2 * cross


def test_mmd_equals_the_double_loop_under_both_kernels():
    x, y = _normal(0, 20, 3), _normal(1, 25, 3, 0.7)
    scales = (0.1, 0.2, 0.5, 1, 2, 5, 10)
    expected = _slow_mmd(x, y, lambda s: sum(6 * c / (6 * c + s) for c in scales))
    assert metrics.mmd(x, y) == pytest.approx(expected, rel=1e-10)
    union = np.concatenate([x, y])
    median = np.median([np.sum((a - b) ** 2) for a, b in itertools.combinations(union, 2)])
    assert metrics.mmd(x, y, "rbf") == pytest.approx(_slow_mmd(x, y, lambda s: np.exp(-s / (2 * median))), rel=1e-10)
    expected = _slow_mmd(x, y, lambda s: np.exp(-s / 4) + np.exp(-s / 8))
    assert metrics.mmd(x, y, "rbf", bandwidth=4, scales=(1, 2)) == pytest.approx(expected, rel=1e-10)


def test_mmd_has_the_known_mean_and_deviation_for_normal_codes():
    """100 codes in 8 dimensions: 0 +- 0.0119 for equal distributions, 0.948 +- 0.082 for a shift of 1."""
    for shift, mean, std in ((0.0, 0.0, 0.0119), (1.0, 0.948, 0.082)):
        values = [metrics.mmd(_normal(2 * i, 100, 8), _normal(2 * i + 1, 100, 8, shift)) for i in range(100)]
        assert np.mean(values) == pytest.approx(mean, abs=4 * std / 10 + 0.01 * shift)
        assert np.std(values) == pytest.approx(std, rel=0.3)


def test_rbf_has_its_closed_form_between_gaussians():
    """E exp(-|a - b|^2 / C) = (C / (C + 2 v))^(d/2) exp(-|m|^2 / (C + 2 v)) for a - b ~ N(m, v I)."""
    width, d = 3.0, 2
    within, cross = (width / (width + 4)) ** (d / 2), (width / (width + 4)) ** (d / 2) * np.exp(-0.5 / (width + 4))
    value = metrics.mmd(_normal(0, 4000, d), _normal(1, 4000, d, 0.5), "rbf", bandwidth=width)
    assert value == pytest.approx(2 * within - 2 * cross, abs=0.006)


def test_sliced_wasserstein_in_one_dimension_is_exact_for_sets_of_different_size():
    x, y = _normal(0, 30, 1), 2 * _normal(1, 45, 1)
    fine_x, fine_y = np.sort(np.repeat(x, 3)), np.sort(np.repeat(y, 2))
    expected = np.sqrt(np.mean((fine_x - fine_y) ** 2))
    assert metrics.sliced_wasserstein(x, y, projections=3) == pytest.approx(expected, rel=1e-9)


def test_sliced_wasserstein_of_a_shift_is_its_length_over_the_root_of_the_dimensions():
    x, shift = _normal(0, 500, 9), np.arange(9.0)
    value = metrics.sliced_wasserstein(x, x + shift, projections=20000)
    assert value == pytest.approx(np.linalg.norm(shift) / 3, rel=0.02)
    assert metrics.sliced_wasserstein(x, x[::-1]) == pytest.approx(0, abs=1e-12)
    draws = [metrics.sliced_wasserstein(x, 2 * x, 8, seed) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def _posteriors(n, d, seed=0):
    rng = np.random.default_rng(seed)
    means, stddevs = rng.normal(size=(n, d)), rng.uniform(0.2, 0.9, size=(n, d))
    return rng.normal(size=n) - 5, means, stddevs, means + stddevs * rng.normal(size=(n, d))


def test_the_elbos_terms_equal_slow_loops_and_add_up():
    likelihoods, means, stddevs, codes = _posteriors(40, 3)
    normal = scipy.stats.norm
    own = np.array([normal.logpdf(codes[i], means[i], stddevs[i]).sum() for i in range(40)])
    aggregate = np.array(
        [np.log(np.mean([np.prod(normal.pdf(z, m, s)) for m, s in zip(means, stddevs, strict=True)])) for z in codes]
    )
    prior = normal.logpdf(codes).sum(axis=1)
    terms = metrics.elbo_terms(likelihoods, means, stddevs, codes)
    expected = likelihoods.mean(), (own - aggregate).mean(), (aggregate - prior).mean()
    assert (terms.reconstruction, terms.mutual_information, terms.marginal_kl) == pytest.approx(expected, rel=1e-10)
    assert terms.elbo == pytest.approx((likelihoods + prior - own).mean(), rel=1e-12)
    other = metrics.elbo_terms(likelihoods, means, stddevs, codes, log_priors=prior - 2)
    assert other.marginal_kl == pytest.approx(terms.marginal_kl + 2, rel=1e-10)
    assert other.mutual_information == terms.mutual_information


def test_information_is_0_for_one_posterior_and_log_n_for_separate_ones_and_chunks_change_nothing(monkeypatch):
    likelihoods, means, stddevs, codes = _posteriors(60, 2)
    equal = metrics.elbo_terms(likelihoods, 0 * means, 0 * stddevs + 1, codes)
    assert (equal.mutual_information, equal.marginal_kl) == pytest.approx((0, 0), abs=1e-12)
    apart = metrics.elbo_terms(likelihoods, 100 * means, 1e-3 * stddevs, 100 * means)
    assert apart.mutual_information == pytest.approx(np.log(60), abs=1e-9)
    whole = metrics.elbo_terms(likelihoods, means, stddevs, codes)
    monkeypatch.setattr("keras_ijae.metrics.elbo._NUMBERS", 1)
    assert metrics.elbo_terms(likelihoods, means, stddevs, codes) == whole


def test_the_marginal_kl_and_information_recover_a_linear_gaussian_model():
    """x ~ N(0, 1), z|x ~ N(a x, s^2): I = log((a^2 + s^2) / s^2) / 2 and q(z) = N(0, a^2 + s^2)."""
    rng, a, s = np.random.default_rng(0), 0.8, 0.5
    means = a * rng.normal(size=(4000, 1))
    terms = metrics.elbo_terms(np.zeros(4000), means, np.full((4000, 1), s), means + s * rng.normal(size=(4000, 1)))
    total = a**2 + s**2
    assert terms.mutual_information == pytest.approx(np.log(total / s**2) / 2, abs=0.04)
    assert terms.marginal_kl == pytest.approx((total - 1 - np.log(total)) / 2, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bandwidth": -1}, "`bandwidth` must be a finite number > 0. Received: bandwidth=-1"),
        ({"bandwidth": -2, "scales": [-1]}, "`scales` must be numbers above 0, at least one. Received: .-1"),
        ({"bandwidth": 0.0}, "`bandwidth` must be a finite number > 0"),
        ({"scales": [1, np.inf]}, "`scales` must be finite"),
        ({"scales": []}, "`scales` must be numbers above 0, at least one"),
        ({"scales": 2.0}, "`scales` must be numbers above 0, at least one"),
    ],
)
@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_widths_of_kernels_are_finite_and_above_0(kernel, arguments, message):
    with pytest.raises(ValueError, match=message):
        metrics.mmd(_normal(0, 9, 2), _normal(1, 9, 2), kernel, **arguments)


def test_rows_that_are_mostly_equal_need_a_bandwidth_for_rbf():
    x = np.concatenate([np.zeros((9, 2)), _normal(0, 3, 2)])
    with pytest.raises(ValueError, match="`bandwidth` is needed where most rows of `x` and `y` are equal"):
        metrics.mmd(x, x, "rbf")
    assert np.isfinite(metrics.mmd(x, x, "rbf", bandwidth=1.0))


def test_bad_arguments_are_refused_by_name():
    likelihoods, means, stddevs, codes = _posteriors(10, 2)
    for name, arguments in {
        "stddevs": (likelihoods, means, 0 * stddevs, codes),
        "means": (likelihoods, means[:5], stddevs, codes),
        "log_likelihoods": (likelihoods * np.nan, means, stddevs, codes),
        "codes": (likelihoods, means, stddevs, codes[0]),
    }.items():
        with pytest.raises(ValueError, match=f"`{name}`"):
            metrics.elbo_terms(*arguments)
    with pytest.raises(ValueError, match="'imq', 'rbf'"):
        metrics.mmd(codes, codes, kernel="linear")
    with pytest.raises(ValueError, match="`y`"):
        metrics.mmd(codes, codes * np.inf)
    with pytest.raises(ValueError, match="`projections`"):
        metrics.sliced_wasserstein(codes, codes, projections=0)
