"""Kernel distance, Inception score and the precision-recall curve: closed forms, double loops, directions."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import metrics


def _normal(seed, n, d, shift=0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) + shift


def _slow_kernel_distance(x, y):
    def kernel(a, b):
        return (sum(a[i] * b[i] for i in range(len(a))) / len(a) + 1) ** 3

    def within(points):
        return np.mean([kernel(a, b) for a, b in itertools.permutations(points, 2)])

    return within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_one_block_equals_the_double_loop_for_sets_of_different_size():
    x, y = _normal(0, 30, 5), _normal(1, 40, 5, 0.5)
    score = metrics.kernel_distance(x, y, subset_size=None)
    assert score.mean == pytest.approx(_slow_kernel_distance(x, y), rel=1e-10)
    assert np.isnan(score.std)


def test_a_subset_of_everything_is_the_one_block_and_has_no_deviation():
    x, y = _normal(0, 30, 5), _normal(1, 30, 5, 0.5)
    score = metrics.kernel_distance(x, y, subsets=4, subset_size=30)
    assert score.mean == pytest.approx(metrics.kernel_distance(x, y, subset_size=None).mean, rel=1e-10)
    assert score.std == pytest.approx(0, abs=1e-12)


def test_the_kernel_distance_is_unbiased_and_has_its_closed_form_for_a_shift():
    """With d = 1, E (xy + 1)^3 = E x^3 E y^3 + 3 E x^2 E y^2 + 3 E x E y + 1, by N(m, 1)'s m, m^2 + 1, m^3 + 3 m."""
    moments = [np.array([m, m**2 + 1, m**3 + 3 * m]) for m in (0.0, 0.5)]
    expected = np.sum([3, 3, 1] * (moments[0] - moments[1]) ** 2)
    far = metrics.kernel_distance(_normal(0, 20000, 1), _normal(1, 20000, 1, 0.5), subsets=200, subset_size=500)
    assert far.mean == pytest.approx(expected, rel=0.1)
    equal = metrics.kernel_distance(_normal(0, 20000, 8), _normal(1, 20000, 8), subsets=200, subset_size=100)
    assert abs(equal.mean) < 4 * equal.std / np.sqrt(200)


def test_subsets_follow_the_seed_and_are_drawn_without_replacement():
    x, y = _normal(0, 300, 4), _normal(1, 300, 4)
    first, again, other = (metrics.kernel_distance(x, y, 5, 100, seed) for seed in (0, 0, 1))
    assert first == again and first != other
    with_copies = np.repeat(x[:100], 2, axis=0)[::2]  # 100 different rows: a draw of 100 without replacement is all
    assert metrics.kernel_distance(with_copies, with_copies[::-1], 3, 100).std == pytest.approx(0, abs=1e-12)


def test_a_small_set_is_used_whole_with_a_warning():
    x, y = _normal(0, 30, 5), _normal(1, 40, 5)
    with pytest.warns(UserWarning, match="only 30 rows"):
        metrics.kernel_distance(x, y)


def test_the_inception_score_of_sure_and_even_predictions_is_the_number_of_classes_and_of_equal_ones_is_1():
    sure = np.tile(np.eye(10), (50, 1))
    for splits in (1, 10):
        assert metrics.inception_score(sure, splits).mean == pytest.approx(10, rel=1e-12)
    assert metrics.inception_score(np.full((50, 10), 0.1)).mean == pytest.approx(1, rel=1e-12)
    assert metrics.inception_score(sure[np.arange(500) % 10 == 3]).mean == pytest.approx(1, rel=1e-12)


def test_the_inception_score_equals_a_slow_loop_with_the_marginal_of_each_split():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(6), size=103)
    values = []
    for part in (rows[103 * i // 10 : 103 * (i + 1) // 10] for i in range(10)):
        marginal = sum(part) / len(part)
        values.append(
            np.exp(np.mean([sum(p * np.log(p / q) for p, q in zip(row, marginal, strict=True)) for row in part]))
        )
    score = metrics.inception_score(rows)
    assert (score.mean, score.std) == pytest.approx((np.mean(values), np.std(values)), rel=1e-12)
    assert score.mean < metrics.inception_score(rows, splits=1).mean  # few rows to a split: a marginal near to each


@pytest.mark.parametrize(
    ("eval_shares", "ref_shares", "f8", "f1_8"),
    [
        ((0.5, 0.5, 0), (0, 0.5, 0.5), 0.5, 0.5),
        ((1, 0), (0.5, 0.5), 0.503863, 0.984829),  # a mode dropped
        ((0.5, 0.5), (1, 0), 0.984829, 0.503863),  # a spurious one
        ((0.4, 0.3, 0.2, 0.1), (0.25, 0.25, 0.25, 0.25), 0.977404, 0.990802),
    ],
)
def test_curves_of_known_histograms(eval_shares, ref_shares, f8, f1_8):
    curve = metrics.prd_of_histograms(real=ref_shares, fake=eval_shares)
    assert curve.f_beta == pytest.approx((f8, f1_8), abs=1e-6)
    assert (curve.recall_like, curve.precision_like) == curve.f_beta
    assert len(curve.precision) == 1001


def test_precision_and_recall_of_clusters_say_which_side_is_missing():
    left, right = _normal(0, 250, 3), _normal(1, 250, 3, 60)
    both, half = np.concatenate([left, right]), np.concatenate([_normal(2, 250, 3), _normal(3, 250, 3)])
    dropped = metrics.precision_recall_distribution(both, half, clusters=6, runs=3)
    spurious = metrics.precision_recall_distribution(half, both, clusters=6, runs=3)
    assert dropped.recall_like < 0.6 < 0.9 < dropped.precision_like
    assert spurious.precision_like < 0.6 < 0.9 < spurious.recall_like
    assert dropped.recall_like == pytest.approx(spurious.precision_like, abs=0.02)


def test_a_curve_is_1_for_equal_sets_0_for_disjoint_ones_and_a_mean_over_runs():
    x = _normal(0, 300, 4)
    equal = metrics.precision_recall_distribution(x, x, runs=2)
    assert equal.f_beta == pytest.approx((1, 1), abs=1e-6)
    apart = metrics.precision_recall_distribution(x, x + 1000, runs=2)
    assert apart.f_beta == (0, 0) and apart.precision.max() == 0


@pytest.mark.parametrize("size", [1e19, 1e25, 1e37])
def test_diverged_samples_in_float32_are_no_data(size):
    real, fake = (_normal(seed, 300, 4).astype(np.float32) for seed in (0, 1))
    curve = metrics.precision_recall_distribution(real, np.clip(fake, -3, 3) * np.float32(size), runs=2)
    assert curve.precision_like < 0.1


@pytest.mark.slow
def test_the_runs_of_neighbouring_seeds_have_nothing_in_common():
    x, y = _normal(0, 300, 4), _normal(1, 300, 4)
    one, two, again, neighbour = (
        metrics.precision_recall_distribution(x, y, runs=n, seed=i) for n, i in ((1, 0), (2, 0), (2, 0), (1, 1))
    )
    np.testing.assert_array_equal(two.precision, again.precision)
    for name in ("precision", "recall"):
        second = 2 * getattr(two, name) - getattr(one, name)
        assert np.abs(second - getattr(one, name)).max() > 0.001
        assert np.abs(second - getattr(neighbour, name)).max() > 0.001


@pytest.mark.parametrize("name", ["kernel_distance", "precision_recall_distribution", "sliced_wasserstein"])
@pytest.mark.parametrize("seed", [-1, 0.5])
def test_seeds_that_are_none_are_refused_by_name(name, seed):
    with pytest.raises(ValueError, match="`seed` must be an integer >= 0"):
        getattr(metrics, name)(_normal(0, 1000, 2), _normal(1, 1000, 2), seed=seed)


@pytest.mark.parametrize(
    "bad", [np.ones((9, 3), complex), np.full((9, 3), "a"), np.full((9, 3), None), 1e160 * np.eye(3)]
)
def test_what_is_no_real_number_or_has_no_square_is_refused_by_name(bad):
    for metric in (metrics.kernel_distance, metrics.density_coverage, metrics.mmd):
        with pytest.raises(ValueError, match="`real`|`x`"):
            metric(bad, _normal(0, 9, 3))
    with pytest.raises(ValueError, match="`fake` must have its largest value between 1e-140 and 1e"):
        metrics.density_coverage(_normal(0, 9, 3), 1e-200 * _normal(1, 9, 3))
    with pytest.raises(ValueError, match=r"`fake` must have its largest value between 1e-46 and 1e\+46"):
        metrics.kernel_distance(_normal(0, 9, 3), 1e60 * _normal(1, 9, 3))
    with pytest.raises(ValueError, match="`real` must have no masked values"):
        metrics.density_coverage(np.ma.masked_greater(_normal(0, 9, 3), 0), _normal(1, 9, 3))


def test_numbers_of_other_kinds_count_as_the_floats_that_they_are():
    x, y = np.round(10 * _normal(0, 40, 3)), np.round(10 * _normal(1, 40, 3))
    expected = metrics.mmd(x, y)
    for kind in (np.int64, np.int8, np.float16, tf.bfloat16.as_numpy_dtype):
        assert metrics.mmd(x.astype(kind), y.astype(kind)) == pytest.approx(expected, rel=1e-12)
    assert metrics.mmd(tf.cast(x, tf.bfloat16), tf.cast(y, tf.bfloat16)) == pytest.approx(expected, rel=1e-12)
    assert metrics.frechet_distance(x > 0, y > 0) == metrics.frechet_distance(1.0 * (x > 0), 1.0 * (y > 0))


def test_bad_arguments_are_refused():
    x = _normal(0, 60, 3)
    with pytest.raises(ValueError, match="take 50 rows of each"):
        metrics.precision_recall_distribution(x, x[:50])
    with pytest.raises(ValueError, match="`probabilities` must be at least 0 with rows that sum to 1"):
        metrics.inception_score(np.full((20, 4), 0.3))
    with pytest.raises(ValueError, match="`probabilities`"):
        metrics.inception_score(np.tile([1.5, -0.5], (20, 1)))
    with pytest.raises(ValueError, match="`splits` must be an integer from 1 to 5"):
        metrics.inception_score(np.full((5, 2), 0.5))
    with pytest.raises(ValueError, match="`real` must be probabilities"):
        metrics.prd_of_histograms([0.5, 0.6], [0.5, 0.5])
    with pytest.raises(ValueError, match="`subset_size`"):
        metrics.kernel_distance(x, x, subset_size=1)


@pytest.mark.parametrize(
    "metric", ["kernel_distance", "precision_recall", "density_coverage", "precision_recall_distribution", "prdc"]
)
@pytest.mark.parametrize(
    "bad", [np.zeros((1, 3)), np.zeros(30), np.full((30, 3), np.nan), np.zeros((30, 4)), np.zeros((30, 0))]
)
def test_features_of_another_kind_are_refused_by_name(metric, bad):
    with pytest.raises(ValueError, match="`fake`"):
        getattr(metrics, metric)(_normal(0, 30, 3), bad)


@pytest.mark.parametrize("name", ["frechet_distance", "kernel_distance", "mmd", "sliced_wasserstein"])
def test_distances_are_small_for_equal_sets_and_grow_for_dropped_and_spurious_modes_and_most_for_disjoint_sets(name):
    """Given as tensors, too."""

    def distance(first, second):
        options = {"subset_size": None} if name == "kernel_distance" else {}
        value = getattr(metrics, name)(tf.constant(first), tf.constant(second), **options)
        return value.mean if name == "kernel_distance" else value

    left, right = _normal(0, 400, 3, -2), _normal(1, 400, 3, 2)
    both, again = np.concatenate([left, right]), np.concatenate([_normal(2, 400, 3, -2), _normal(3, 400, 3, 2)])
    apart = np.concatenate([_normal(4, 800, 3, 12)])
    equal, dropped, spurious = distance(both, again), distance(both, left), distance(left, both)
    assert isinstance(equal, float)
    assert abs(equal) < 0.15 * min(dropped, spurious)
    assert max(dropped, spurious) < distance(both, apart)


def test_the_inception_score_counts_classes_but_does_not_see_copies():
    five = np.tile(np.eye(10)[:5], (100, 1))
    assert metrics.inception_score(five).mean == pytest.approx(5, rel=1e-12)
    assert metrics.inception_score(np.repeat(np.eye(10), 50, 0), splits=1).mean == pytest.approx(10, rel=1e-12)
