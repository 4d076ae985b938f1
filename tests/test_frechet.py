"""The Frechet distance against closed forms and SciPy's matrix root."""

import numpy as np
import pytest
import scipy.linalg

from keras_ijae.metrics import frechet_distance


def _draw(seed, n=4000, d=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_equals_the_formula_with_scipys_matrix_root():
    a, b = _draw(0), _draw(1)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(first + second - 2 * root)
    np.testing.assert_allclose(frechet_distance(a, b), expected, rtol=1e-9)


def test_a_shift_costs_its_squared_length_and_a_scale_the_squared_difference_of_deviations():
    a = _draw(2)
    np.testing.assert_allclose(frechet_distance(a, a + [3, 0, 0, 0, 4, 0]), 25, rtol=1e-9)
    x = np.random.default_rng(0).normal(size=(1000, 1))
    np.testing.assert_allclose(frechet_distance(x, 3 * x), 4 * x.var(ddof=1) + 4 * x.mean() ** 2, rtol=1e-9)


def test_is_zero_for_equal_sets_and_symmetric():
    a, b = _draw(3), _draw(4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_fewer_rows_than_dimensions_warn_of_bias():
    with pytest.warns(UserWarning, match="biased"):
        assert frechet_distance(_draw(0, n=4), _draw(1, n=4)) > 0


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(3), np.array([[np.nan, 1.0, 2.0]] * 5)])
def test_bad_features_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="`fake`"):
        frechet_distance(np.eye(3).repeat(4, 0), bad)
