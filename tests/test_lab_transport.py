"""Optimal transport against all permutations, SciPy's assignment, the closed form on the line, and its dual."""

import itertools

import numpy as np
import pytest
import scipy.optimize

from keras_ijae.lab import kantorovich_rubinstein, optimal_transport, wasserstein_1d

X, A = np.array([(0.0, 0.0), (2.0, 0.0), (1.0, 2.0)]), (0.5, 0.3, 0.2)
Y, B = np.array([(0.0, 1.0), (2.0, 1.0), (3.0, 0.0), (1.0, 3.0)]), (0.25, 0.25, 0.3, 0.2)


def euclidean(x, y):
    return np.linalg.norm(x[:, None] - y, axis=-1)


def check(found, a, b, cost):
    """A feasible plan and feasible potentials of one value are both optimal."""
    scale = np.abs(cost).max()
    u, v = found.potentials
    assert found.plan.min() >= 0
    np.testing.assert_allclose(found.plan.sum(axis=1), a, atol=1e-9)
    np.testing.assert_allclose(found.plan.sum(axis=0), b, atol=1e-9)
    assert np.all(u[:, None] + v <= cost + 1e-12 * scale)
    np.testing.assert_allclose(found.value, np.sum(found.plan * cost), rtol=1e-12)
    np.testing.assert_allclose(np.dot(a, u) + np.dot(b, v), found.value, rtol=0, atol=1e-8 * scale)


def test_the_plan_between_points_of_the_plane_its_dual_and_the_best_lipschitz_function_cost_1_309():
    found = optimal_transport(A, B, euclidean(X, Y))
    check(found, A, B, euclidean(X, Y))
    np.testing.assert_allclose(found.value, 1.3090169944, atol=1e-10)
    np.testing.assert_allclose(found.plan, [[0.25, 0.25, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 0.2]], atol=1e-12)
    dual = kantorovich_rubinstein(X, A, Y, B)
    np.testing.assert_allclose(dual.value, 1.3090169944, atol=1e-10)
    slopes = np.abs(dual.potential[:, None] - dual.potential) - euclidean(dual.points, dual.points)
    assert len(dual.points) == 7 and slopes.max() <= 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_uniform_weights_cost_what_the_best_permutation_costs(seed):
    cost = np.random.default_rng(seed).normal(size=(6, 6))
    best = min(cost[np.arange(6), list(order)].mean() for order in itertools.permutations(range(6)))
    uniform = np.full(6, 1 / 6)
    found = optimal_transport(uniform, uniform, cost)
    check(found, uniform, uniform, cost)
    np.testing.assert_allclose(found.value, best, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 7), (40, 25), (60, 60)])
def test_plan_and_potentials_are_optimal_for_any_sizes_weights_and_scales(rows, columns, scale):
    """Weights of Dirichlet(0.1) go down to 1e-19 and below, and one is 0."""
    rng = np.random.default_rng(rows)
    a, b = rng.dirichlet(np.full(rows, 0.1)), rng.dirichlet(np.ones(columns))
    a[0] *= rows == 1
    a /= a.sum()
    cost = scale * rng.normal(size=(rows, columns))
    check(optimal_transport(a, b, cost), a, b, cost)


def test_a_larger_uniform_problem_agrees_with_the_assignment_of_scipy():
    rng = np.random.default_rng(0)
    cost = euclidean(rng.normal(size=(120, 3)), rng.normal(size=(120, 3)))
    rows, columns = scipy.optimize.linear_sum_assignment(cost)
    uniform = np.full(120, 1 / 120)
    np.testing.assert_allclose(optimal_transport(uniform, uniform, cost).value, cost[rows, columns].mean(), rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_dual_over_the_union_of_points_has_the_value_of_the_plan(seed):
    """Points on a coarse lattice, so that some are of both distributions and some are repeated."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 3, (9, 2)).astype(float), rng.integers(1, 4, (6, 2)).astype(float)
    a, b = rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(6))
    np.testing.assert_allclose(
        kantorovich_rubinstein(x, a, y, b).value, optimal_transport(a, b, euclidean(x, y)).value, atol=1e-9
    )


def test_the_distance_on_the_line_is_0_925_and_that_of_the_cheapest_plan_for_others():
    assert wasserstein_1d((0, 1, 3), (0.2, 0.5, 0.3), (-1, 0.5, 2, 4), [0.25] * 4) == pytest.approx(0.925, abs=1e-12)
    rng = np.random.default_rng(0)
    for n, m in ((1, 1), (1, 6), (17, 9)):
        x, y, a, b = rng.normal(size=n), 3 * rng.normal(size=m), rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
        plan = optimal_transport(a, b, np.abs(x[:, None] - y))
        np.testing.assert_allclose(wasserstein_1d(x, a, y, b), plan.value, atol=1e-10)


def test_order_and_repetition_of_points_do_not_matter_and_equal_distributions_are_0_apart():
    value = wasserstein_1d([3, 0, 1, 1], [0.3, 0.2, 0.1, 0.4], [4, 2, 0.5, -1], [0.25] * 4)
    assert value == pytest.approx(0.925, abs=1e-12)
    assert wasserstein_1d([0, 1], [0.5, 0.5], [1, 0, 0], [0.5, 0.25, 0.25]) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    "a, b, cost, message",
    [
        ([0.5, 0.6], [1.0], [[1], [1]], r"`a` must be weights >= 0 that sum to 1. Received: .* sum 1.1"),
        ([0.5, 0.5], [0.9], [[1], [1]], r"`b` must be weights .* sum 0.9"),
        ([1.5, -0.5], [1.0], [[1], [1]], r"`a` must be weights .* smallest -0.5"),
        ([0.5, 0.5], [1.0], [[1, 1]], r"`cost` must have shape \(2, 1\). Received: shape \(1, 2\)"),
        ([0.5, 0.5], [1.0], [[1], [np.nan]], r"`cost` must be finite. Received: \[nan\]"),
        ([np.nan, 0.5], [1.0], [[1], [1]], r"`a` must be finite"),
        ([[0.5, 0.5]], [1.0], [[1], [1]], r"`a` must have rank 1"),
    ],
)
def test_bad_transport_problems_are_refused_by_name_and_value(a, b, cost, message):
    with pytest.raises(ValueError, match=message):
        optimal_transport(a, b, cost)


def test_bad_points_are_refused_by_name():
    with pytest.raises(ValueError, match=r"`b` must be weights .* sum 3"):
        wasserstein_1d([0, 1], [0.5, 0.5], [0, 1], [1, 2])
    with pytest.raises(ValueError, match=r"`y` must have shape \(2,\). Received: shape \(3,\)"):
        wasserstein_1d([0, 1], [0.5, 0.5], [0, 1, 2], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"`y` must have shape \(1, 2\). Received: shape \(1, 3\)"):
        kantorovich_rubinstein([[0, 1]], [1], [[0, 1, 2]], [1])
