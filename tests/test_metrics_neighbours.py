"""Distances, precision and recall, density and coverage, against double loops over pairs."""

import tracemalloc

import numpy as np
import pytest

from keras_ijae import metrics
from keras_ijae.evaluation import nearest_distances
from keras_ijae.metrics import _distances


def _normal(seed, n, d, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def _matrix(first, second):
    first, second = first.astype(np.float64), second.astype(np.float64)
    return np.array([np.sqrt(np.sum((a - second) ** 2, axis=1)) for a in first])


def _radii(points, k):
    """To the k-th nearest other point."""
    return np.array([sorted(np.delete(row, i))[k - 1] for i, row in enumerate(_matrix(points, points))])


def _slow(real, fake, precision_k, density_k):
    gaps, n, m = _matrix(real, fake), len(real), len(fake)
    of_real, of_fake, wide = _radii(real, precision_k), _radii(fake, precision_k), _radii(real, density_k)
    precision = np.mean([any(gaps[i, j] <= of_real[i] for i in range(n)) for j in range(m)])
    recall = np.mean([any(gaps[i, j] <= of_fake[j] for j in range(m)) for i in range(n)])
    density = np.mean([sum(gaps[i, j] < wide[i] for i in range(n)) / density_k for j in range(m)])
    coverage = np.mean([any(gaps[i, j] < wide[i] for j in range(m)) for i in range(n)])
    return precision, recall, density, coverage


@pytest.fixture(params=["one tile", "many tiles"])
def tiles(request, monkeypatch):
    if request.param == "many tiles":  # the least side is 64
        monkeypatch.setattr(_distances, "_NUMBERS", 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_four_numbers_equal_double_loops(tiles, dtype):
    real, fake = _normal(0, 150, 6, dtype), 0.8 * _normal(1, 140, 6, dtype) + dtype(0.3)
    expected = _slow(real, fake, 3, 5)
    assert vars(metrics.prdc(real, fake)) == pytest.approx(
        dict(zip(("precision", "recall", "density", "coverage"), expected, strict=True)), abs=1e-12
    )
    pr, dc = metrics.precision_recall(real, fake), metrics.density_coverage(real, fake)
    assert (pr.precision, pr.recall, dc.density, dc.coverage) == pytest.approx(expected, abs=1e-12)
    pr, dc = metrics.precision_recall(real, fake, k=7), metrics.density_coverage(real, fake, 2)
    assert (pr.precision, pr.recall, dc.density, dc.coverage) == pytest.approx(_slow(real, fake, 7, 2), abs=1e-12)


@pytest.mark.parametrize("name", ["far", "clusters", "outlier", "grid", "tiny", "huge", "constant"])
def test_numbers_hard_for_float32_change_nothing(tiles, name):
    real, fake = _normal(0, 130, 4), _normal(1, 140, 4)
    places = 1e5 * np.random.default_rng(2).integers(0, 3, size=(2, 140, 1))
    change = {
        "far": lambda x, i: x + 1e7,
        "clusters": lambda x, i: x + places[i, : len(x)],
        "outlier": lambda x, i: np.concatenate([x[1:], [[1e6] * 4]]),
        "grid": lambda x, i: np.round(2 * x),
        "tiny": lambda x, i: 1e-30 * x,
        "huge": lambda x, i: 1e30 * x,
        "constant": lambda x, i: np.ones_like(x),
    }[name]
    real, fake = change(real, 0), change(fake, 1)
    assert tuple(vars(metrics.prdc(real, fake)).values()) == pytest.approx(_slow(real, fake, 3, 5), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e23, 1e37])
@pytest.mark.parametrize("where", [0, 1], ids=["real", "fake"])
def test_one_point_so_far_that_all_others_vanish_beside_it_changes_nothing_else(tiles, dtype, size, where):
    sets = [_normal(0, 70, 2, dtype), _normal(1, 75, 2, dtype)]
    sets[where][-1] = size
    assert tuple(vars(metrics.prdc(*sets)).values()) == pytest.approx(_slow(*sets, 3, 5), abs=1e-12)


@pytest.mark.slow
def test_independent_normals_in_many_dimensions_score_as_the_double_loop_and_not_1():
    real, fake = _normal(0, 300, 1000, np.float32), _normal(1, 300, 1000, np.float32)
    scores = metrics.prdc(real, fake, precision_k=5)
    assert tuple(vars(scores).values()) == pytest.approx(_slow(real, fake, 5, 5), abs=1e-12)
    assert scores.precision < 0.8 and scores.recall < 0.8 and scores.density == pytest.approx(1, abs=0.25)


def test_identical_sets_score_1_and_disjoint_ones_0():
    x = _normal(0, 400, 16, np.float32)
    assert vars(metrics.prdc(x, x)) == {"precision": 1, "recall": 1, "density": 1, "coverage": 1}
    assert vars(metrics.prdc(x, x + 100)) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_a_dropped_mode_costs_recall_and_coverage_and_a_spurious_one_precision_and_density():
    left, right = _normal(0, 200, 2), _normal(1, 200, 2) + 50
    more_left = np.concatenate([_normal(2, 200, 2), _normal(3, 200, 2)])
    dropped = metrics.prdc(np.concatenate([left, right]), more_left)
    assert dropped.precision > 0.9 and dropped.recall < 0.55 and dropped.coverage < 0.55 and dropped.density > 0.8
    spurious = metrics.prdc(more_left, np.concatenate([left, right]))
    assert spurious.precision < 0.55 and spurious.recall > 0.9 and spurious.coverage > 0.7 and spurious.density < 0.6


def test_an_outlier_of_the_data_raises_precision_but_hardly_density():
    real, fake = np.concatenate([_normal(0, 300, 2), [[40.0, 40.0]]]), _normal(1, 300, 2) + 20
    scores = metrics.prdc(real, fake)
    assert scores.precision == 1 and scores.density < 0.25 and scores.coverage < 0.01


@pytest.mark.parametrize("k", [1, 4])
def test_nearest_neighbours_equal_a_sort_of_all_distances(tiles, k):
    queries, references = _normal(0, 90, 3), np.round(_normal(1, 200, 3), 1)
    found, gaps = metrics.nearest_neighbours(queries, references, k), _matrix(queries, references)
    order = np.argsort(gaps, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(found.indices, order)
    np.testing.assert_allclose(found.distances, np.take_along_axis(gaps, order, 1), rtol=1e-12)


def test_neighbours_are_exact_for_copies_and_take_images_of_either_kind():
    images = np.random.default_rng(0).integers(0, 256, size=(70, 5, 4, 3), dtype=np.uint8)
    found = metrics.nearest_neighbours(images[::-1], images)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(70)[::-1])
    np.testing.assert_array_equal(found.distances, 0)
    floats = images.astype(np.float32) / 255
    np.testing.assert_array_equal(nearest_distances(floats[:5], floats), np.zeros(5))
    np.testing.assert_array_equal(metrics.nearest_neighbours(floats, images).distances, 0)
    with pytest.raises(ValueError, match="`k` must be an integer from 1 to 70"):
        metrics.nearest_neighbours(images, images, 71)
    with pytest.raises(ValueError, match="one shape"):
        metrics.nearest_neighbours(images, images[:, :4])


def test_open_questions_are_few_for_features_of_images_size():
    """What the speed rests on: nearly all pairs are decided by the estimates."""
    real, fake = _normal(0, 256, 2048), _normal(1, 256, 2048)
    tile, radii = next(_distances.Pairs(real, fake).tiles()), _distances.nearest(real, None, 5)[1][:, -1]
    low, high = tile.low, tile.low + tile.row_slack[:, None] + tile.column_slack
    exact = _matrix(real[:9], fake[:9]) ** 2 / tile.pairs.unit**2
    assert (low[:9, :9] <= exact).all() and (exact <= high[:9, :9]).all()
    limits = radii[:, None] / tile.pairs.unit**2
    assert np.mean((low <= limits) & (high >= limits)) < 0.01


def _peak(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("modes", [1, 10])
@pytest.mark.slow
def test_memory_of_collapsed_samples_grows_with_their_number_and_not_with_its_square(monkeypatch, modes):
    monkeypatch.setattr(_distances, "_NUMBERS", 2**11)
    monkeypatch.setattr(_distances, "_STRIP", 2**12)

    def peak(n):
        collapsed = np.repeat(_normal(2, modes, 16), n // modes, axis=0)
        return _peak(lambda: metrics.prdc(_normal(0, n, 16), collapsed))

    few, many = peak(400), peak(800)
    assert many < 2.3 * few and many < 6e6


def test_ties_are_in_the_order_of_the_rows_where_only_the_first_are_kept(monkeypatch):
    monkeypatch.setattr(_distances, "_NUMBERS", 1)
    monkeypatch.setattr(_distances, "_STRIP", 100)
    places = np.random.default_rng(0).integers(0, 2, size=(400, 2)).astype(float)
    found = metrics.nearest_neighbours(places[:90], places, 5)
    order = np.argsort(_matrix(places[:90], places), axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(found.indices, order)


@pytest.mark.parametrize("metric", ["precision_recall", "density_coverage", "prdc"])
def test_sets_too_small_for_k_are_refused(metric):
    with pytest.raises(ValueError, match="less than the rows"):
        getattr(metrics, metric)(_normal(0, 3, 2), _normal(1, 30, 2))
