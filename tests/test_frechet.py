"""The Frechet distance against closed forms and SciPy's matrix root."""

import numpy as np
import pytest
import scipy.linalg

from keras_ijae.metrics import FrechetAccumulator, frechet_distance


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


def test_dimensions_that_repeat_or_are_constant_count_as_they_should():
    a, b, rest = _draw(0), _draw(1), np.full((4000, 3), 7.0)
    expected = frechet_distance(a, b)
    assert frechet_distance(np.hstack([a, rest]), np.hstack([b, rest])) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(np.hstack([a, a]), np.hstack([b, b])) == pytest.approx(2 * expected, rel=1e-10)
    assert frechet_distance(np.hstack([a, rest]), np.hstack([b, rest + 2])) == pytest.approx(expected + 12, rel=1e-9)


def _exact(a, b):
    """By the singular values of the rows' own products: no covariance, no squares."""
    first, second = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b))
    means, variances = np.sum((a.mean(0) - b.mean(0)) ** 2), np.sum(first**2) + np.sum(second**2)
    return means + variances - 2 * np.linalg.svd(first @ second.T, compute_uv=False).sum()


def _hard_pairs():
    """Covariances that are badly conditioned or of low rank, on either side."""
    rng = np.random.default_rng(0)
    a, b, scales = rng.normal(size=(400, 100)), rng.normal(size=(400, 100)) + 0.1, np.geomspace(1e-6, 1, 100)
    turn, mild = np.linalg.qr(rng.normal(size=(100, 100)))[0], np.geomspace(1e-3, 1, 100)
    twice = [np.hstack([x, x[:, :30]]) for x in np.maximum([a, b], 0)]
    wide, full = [a * scales, 1.1 * b * scales], rng.normal(size=(400, 130))
    pairs = {
        "scales": wide,
        "falling scales": [x[:, ::-1] for x in wide],
        "turned scales": [x @ turn for x in wide],
        "mild scales": [a * mild, 1.1 * b * mild],
        "scales and none": [wide[0], b],
        "few rows": [a[:60], b[:70]],
        "few rows of one": [a, b[:70]],
        "repeated": twice,
        "repeated in one": [full, twice[0]],
    }
    return list(pairs.items())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*biased")
@pytest.mark.parametrize(("name", "pair"), _hard_pairs())
def test_badly_conditioned_covariances_cost_no_digits_in_either_order_and_for_any_batches(name, pair):
    a, b = pair
    expected = pytest.approx(_exact(a, b), rel=1e-11)
    assert frechet_distance(a, b) == expected and frechet_distance(b, a) == expected
    for sizes in ((1, 7), (64, 400)):
        assert _accumulated(a, sizes[0]).result(_accumulated(b, sizes[1])) == expected


def test_sets_without_any_variance_are_compared_by_their_means():
    assert frechet_distance(np.ones((9, 3)), np.ones((8, 3))) == 0
    assert frechet_distance(np.ones((9, 3)), np.zeros((8, 3))) == 3


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(3), np.array([[np.nan, 1.0, 2.0]] * 5), np.eye(3) * 1e160])
def test_bad_features_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="`fake`"):
        frechet_distance(np.eye(3).repeat(4, 0), bad)


@pytest.mark.parametrize("scale", [1e-90, 1e90])
@pytest.mark.parametrize("by", [frechet_distance, lambda real, fake: FrechetAccumulator(6).update(fake)])
def test_features_whose_fourth_powers_are_no_numbers_are_refused(scale, by):
    with pytest.raises(ValueError, match=r"`(fake|features)` must have its largest value between 1e-70 and 1e\+70"):
        by(_draw(0), scale * _draw(1))


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_a_distance_is_in_squares_of_any_unit_that_is_taken(scale):
    expected = scale**2 * frechet_distance(_draw(0), _draw(1))
    assert frechet_distance(scale * _draw(0), scale * _draw(1)) == pytest.approx(expected, rel=1e-9, abs=0)


def _accumulated(features, batch_size):
    accumulator = FrechetAccumulator(features.shape[1])
    for start in range(0, len(features), batch_size):
        accumulator.update(features[start : start + batch_size])
    return accumulator


@pytest.mark.parametrize("mean", [0.0, 1e8])
def test_neither_batch_size_nor_order_of_merging_nor_a_far_mean_change_a_distance(mean):
    a, b = _draw(0) + mean, _draw(1) + mean
    expected = frechet_distance(a - mean, b - mean)
    shards = [_accumulated(part, 300) for part in np.array_split(a, 7)]
    forward, backward = FrechetAccumulator(6), FrechetAccumulator(6)
    for shard in shards:
        forward.merge(shard)
    for shard in shards[::-1]:
        backward.merge(shard)
    reference = _accumulated(b, 999)
    for accumulator in (forward, backward, _accumulated(a, 1), _accumulated(a, 64), _accumulated(a, 4000)):
        assert accumulator.result(reference) == pytest.approx(frechet_distance(a, b), rel=1e-9)
        assert accumulator.result(reference) == pytest.approx(expected, rel=1e-7)  # a - mean itself is rounded
        np.testing.assert_allclose(accumulator.covariance, np.cov(a - mean, rowvar=False), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(accumulator.mean, a.mean(0), rtol=1e-9)
        assert accumulator.count == 4000


def test_float32_features_are_summed_in_float64():
    a, b = _draw(0).astype(np.float32) + np.float32(1000), _draw(1).astype(np.float32) + np.float32(1000)
    expected = frechet_distance(a.astype(np.float64), b.astype(np.float64))
    assert frechet_distance(a, b) == expected
    assert _accumulated(a, 17).result(_accumulated(b, 4000)) == pytest.approx(expected, rel=1e-9)


def test_merging_leaves_the_other_as_it_was_and_an_empty_one_changes_nothing():
    first, second = _accumulated(_draw(0), 100), _accumulated(_draw(1), 100)
    before = second.covariance.copy(), second.mean.copy()
    merged = FrechetAccumulator(6).merge(first).merge(second).merge(FrechetAccumulator(6))
    np.testing.assert_allclose(merged.covariance, np.cov(np.concatenate([_draw(0), _draw(1)]), rowvar=False), rtol=1e-9)
    np.testing.assert_array_equal(second.covariance, before[0])
    np.testing.assert_array_equal(second.mean, before[1])
    merged.update(_draw(2))
    np.testing.assert_array_equal(first.covariance, _accumulated(_draw(0), 100).covariance)


def test_a_saved_reference_is_the_same_with_what_made_it_and_can_go_on(tmp_path):
    a, b = _draw(0), _draw(1)
    accumulator = FrechetAccumulator(6, metadata={"extractor": "inception", "images": 4000})
    accumulator.update(a)
    for name in ("reference.npz", "reference"):
        accumulator.save(tmp_path / "some" / name)
        loaded = FrechetAccumulator.load(tmp_path / "some" / name)
        assert loaded.metadata == {"extractor": "inception", "images": 4000} and loaded.dim == 6
        assert loaded.result(_accumulated(b, 50)) == accumulator.result(_accumulated(b, 50))
    loaded.update(b)
    np.testing.assert_allclose(loaded.covariance, np.cov(np.concatenate([a, b]), rowvar=False), rtol=1e-9)
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == ["reference", "reference.npz"]


def test_an_instance_that_loads_becomes_what_was_saved_and_no_other_shares_it(tmp_path):
    saved = FrechetAccumulator(6, metadata={"extractor": "inception"})
    saved.update(_draw(0))
    saved.save(tmp_path / "a.npz")
    filled = _accumulated(_draw(1), 100)
    assert filled.load(tmp_path / "a.npz") is filled
    assert (filled.count, filled.metadata) == (4000, {"extractor": "inception"})
    np.testing.assert_array_equal(filled.mean, saved.mean)
    np.testing.assert_array_equal(filled.covariance, saved.covariance)
    assert FrechetAccumulator.load(tmp_path / "a.npz") is not FrechetAccumulator.load(tmp_path / "a.npz")
    other = FrechetAccumulator(5)
    with pytest.raises(ValueError, match="`path` must have d = 5. Received: d = 6"):
        other.load(tmp_path / "a.npz")
    assert (other.count, other.dim) == (0, 5)


def test_a_file_that_holds_no_reference_is_refused(tmp_path):
    _accumulated(_draw(0), 100).save(tmp_path / "whole.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:-100])
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "objects.npz", origin=np.array([{}], object))
    for name in ("cut", "text", "other", "objects"):
        with pytest.raises(ValueError, match=f"FrechetAccumulator.save`: .*{name}.npz"):
            FrechetAccumulator.load(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError):
        FrechetAccumulator.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"origin": np.zeros(5)},
        {"origin": np.zeros(7), "offset": np.zeros(5)},
        {"scatter": np.zeros((1, 36))},
        {"scatter": np.full((6, 6), np.nan)},
        {"count": -4},
        {"count": 1.5},
    ],
)
def test_a_file_whose_sums_do_not_belong_together_is_refused(tmp_path, change):
    _accumulated(_draw(0), 100).save(tmp_path / "whole.npz")
    with np.load(tmp_path / "whole.npz") as file:
        np.savez(tmp_path / "changed.npz", **{**file, **change})
    with pytest.raises(ValueError, match="FrechetAccumulator.save`: .*changed.npz"):
        FrechetAccumulator.load(tmp_path / "changed.npz")


def test_an_accumulator_made_from_numbers_leaves_them_alone():
    numbers = _accumulated(_draw(0), 100).to_array()
    before = numbers.copy()
    made = FrechetAccumulator.from_array(numbers)
    made.update(_draw(1))
    np.testing.assert_array_equal(numbers, before)
    np.testing.assert_allclose(made.covariance, np.cov(np.concatenate([_draw(0), _draw(1)]), rowvar=False), rtol=1e-9)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (np.zeros(48), r"must have shape \(\(d \+ 1\)\^2,\). Received: shape \(48,\)"),
        (np.zeros((7, 7)), r"must have shape .* Received: shape \(7, 7\)"),
        (np.zeros(1), r"must have shape .* Received: shape \(1,\)"),
        (np.full(49, -2.0), "must begin with a number of rows. Received: -2.0"),
        (np.full(49, np.nan), "must be finite"),
    ],
)
def test_numbers_of_no_accumulator_are_refused(numbers, message):
    with pytest.raises(ValueError, match=f"`numbers` {message}"):
        FrechetAccumulator.from_array(numbers)


@pytest.mark.parametrize(
    ("d", "n", "expected"), [(16, 500, 0.329), (16, 5000, 0.0352), (64, 500, 4.40), (64, 5000, 0.44)]
)
def test_the_bias_of_finite_samples_is_the_known_one(d, n, expected):
    """Two samples of n rows from N(0, I_d)."""
    rng = np.random.default_rng(0)
    values = [frechet_distance(rng.normal(size=(n, d)), rng.normal(size=(n, d))) for _ in range(320 // d)]
    assert np.mean(values) == pytest.approx(expected, rel=0.1)


def test_missing_modes_and_spurious_ones_both_cost_distance():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(1000, 3)), rng.normal(size=(1000, 3)) + 8
    both, again = np.concatenate([left, right]), np.concatenate([rng.normal(size=(1000, 3)), right + 0.01])
    assert frechet_distance(both, left) > 40 > 1 > frechet_distance(both, again)
    assert frechet_distance(left, both) > 40


def test_an_accumulator_refuses_what_it_cannot_compare():
    accumulator = FrechetAccumulator(6)
    with pytest.raises(ValueError, match="d = 6. Received: d = 5"):
        accumulator.update(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="`features` must be finite"):
        accumulator.update(np.full((4, 6), np.inf))
    with pytest.raises(ValueError, match="`features`"):
        accumulator.update(np.zeros((0, 6)))
    assert accumulator.count == 0
    accumulator.update(_draw(0, n=1))
    full = _accumulated(_draw(0), 100)
    with pytest.raises(ValueError, match="`self` must have seen at least two rows. Received: 1"):
        accumulator.result(full)
    with pytest.raises(ValueError, match="`other`"):
        full.merge(FrechetAccumulator(5))
    for method in (full.merge, full.result):
        with pytest.raises(ValueError, match="`other` must be a FrechetAccumulator. Received: ndarray"):
            method(_draw(1))
    accumulator.update(_draw(1, n=3))
    with pytest.warns(UserWarning, match="`other` has 4 rows for 6 dimensions: the distance is biased upwards"):
        full.result(accumulator)
    with pytest.raises(ValueError, match="`dim`"):
        FrechetAccumulator(0)


def test_accumulators_stand_for_the_features_that_they_have_seen():
    a, b = np.random.default_rng(0).normal(size=(2, 200, 4))
    seen = FrechetAccumulator(4)
    seen.update(b)
    assert frechet_distance(a, seen) == frechet_distance(a, b) == pytest.approx(frechet_distance(seen, a))
    with pytest.raises(ValueError, match="`fake` must have d = 3. Received: d = 4"):
        frechet_distance(a[:, :3], seen)
