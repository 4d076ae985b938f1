"""The source of noise: equal everywhere, prefix-stable, and of the law that it claims."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_ijae import random

DRAWS = {"normal": random.normal, "uniform": random.uniform}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_eager_graph_and_xla_agree_bit_for_bit(draw):
    def function(seed):
        return draw([64, 5], random.fold(seed, "name", 3))

    eager = function(tf.constant(7)).numpy()
    assert eager.dtype == np.float32
    for jit in (False, True):
        np.testing.assert_array_equal(tf.function(function, jit_compile=jit)(tf.constant(7)), eager)


@pytest.mark.parametrize("key", [[0, 0], [5, -7], [2**31 - 1, -(2**31)]])
@pytest.mark.parametrize("jit", [None, False, True])
def test_the_bits_are_those_of_tensorflows_philox(key, jit):
    function = lambda key: random._bits([9, 3], key)  # noqa: E731
    key = tf.constant(key, tf.int32)
    expected = tf.random.stateless_uniform([9, 3], key, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
    found = function(key) if jit is None else tf.function(function, jit_compile=jit)(key)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_the_first_rows_do_not_depend_on_the_number_of_rows(draw):
    whole = draw([1000, 3, 2], 5).numpy()
    for rows in (1, 7, 64, 999):
        np.testing.assert_array_equal(draw([rows, 3, 2], 5), whole[:rows])
        np.testing.assert_array_equal(draw([tf.constant(rows), 3, 2], 5), whole[:rows])


def test_normals_have_the_law_of_the_normal():
    sample = random.normal([200_000], 0).numpy()
    for moment, (expected, deviation) in {1: (0, 1), 2: (1, 2**0.5), 3: (0, 15**0.5), 4: (3, 96**0.5)}.items():
        assert abs(np.mean(sample.astype("float64") ** moment) - expected) < 4 * deviation / 200_000**0.5
    assert stats.kstest(sample, "norm").pvalue > 0.01
    assert abs(np.corrcoef(sample[:-1], sample[1:])[0, 1]) < 4 / 200_000**0.5


def test_uniforms_have_the_law_of_the_uniform_and_stay_inside_the_open_interval():
    sample = random.uniform([200_000], 1).numpy()
    assert stats.kstest(sample, "uniform").pvalue > 0.01
    assert 0 < sample.min() and sample.max() < 1


def test_the_extremes_of_the_bits_give_finite_normals_and_uniforms_inside_the_interval(monkeypatch):
    extremes = tf.constant([0, 2**32 - 1], tf.uint32)
    monkeypatch.setattr(random, "_bits", lambda shape, key: extremes)
    uniform, normal = random.uniform([2], 0).numpy(), random.normal([2], 0).numpy()
    assert 0 < uniform[0] < 1e-6 and 1 - 1e-6 < uniform[1] < 1
    np.testing.assert_allclose(normal, stats.norm.ppf([2.0**-24, 1 - 2.0**-24]), rtol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**40 + 3, -(2**62)])
def test_a_python_integer_and_a_tensor_are_the_same_seed(seed):
    expected = random.uniform([8], seed)
    np.testing.assert_array_equal(random.uniform([8], tf.constant(seed, tf.int64)), expected)
    if -(2**31) <= seed < 2**31:
        np.testing.assert_array_equal(random.uniform([8], tf.constant(seed, tf.int32)), expected)
    for place in ("a", 3, seed):
        as_tensor = place if isinstance(place, str) else tf.constant(place, tf.int64)
        np.testing.assert_array_equal(random.fold(seed, place), random.fold(tf.constant(seed, tf.int64), as_tensor))


def keys_of(seeds, places):
    return {tuple(random.fold(seed, *place).numpy()) for seed in seeds for place in places}


def test_seeds_names_and_their_order_all_give_different_keys():
    names = [("a",), ("b",), ("ab",), ("a", "b"), ("b", "a"), ("a", 0), ("a", 1), ("a", -1), ("a", 2**32), ("a", 0, 0)]
    assert len(keys_of((0, 1, -1, 2**32), names)) == 4 * len(names)


def test_a_seed_and_a_number_do_not_change_places():
    numbers = [(), (0,), (1,), (-1,), (2**32,), (0, 0), (0, "a")]
    assert len(keys_of((0, 1, -1, 2**32), numbers)) == 4 * len(numbers)


def test_neighbouring_keys_give_independent_draws():
    draws = np.stack([random.normal([4000], random.fold(0, "train", step)).numpy() for step in range(12)])
    correlations = np.corrcoef(draws)[np.triu_indices(12, 1)]
    assert np.abs(correlations).max() < 4.5 / 4000**0.5


def test_replicas_draw_their_slices_of_the_global_draw():
    key = random.fold(0, "train", 4)
    alone = random.Draws(key, 12)
    drawers = {
        "normal": lambda draws: draws.normal("code", 3),
        "uniform": lambda draws: draws.uniform("shift", 2),
        "rows": lambda draws: draws.rows("z", lambda n, seed: random.normal([n, 5], seed)),
    }
    for draw in drawers.values():
        parts = [draw(random.Draws(key, 4, 4 * replica, 12)) for replica in range(3)]
        np.testing.assert_array_equal(np.concatenate(parts), draw(alone))
        assert all(part.shape[0] == 4 for part in parts)


def test_draws_of_different_names_differ_and_come_in_the_type_asked_for():
    draws = random.Draws(random.fold(0), 4, dtype="float64")
    a, b = draws.normal("a", 3), draws.normal("b", 3)
    assert a.dtype == tf.float64 and not np.intersect1d(a, b).size
    np.testing.assert_array_equal(a, tf.cast(random.normal([4, 3], random.fold(random.fold(0), "a")), tf.float64))


def test_shared_noise_is_the_same_on_all_replicas_and_rows_are_not():
    first, second = (random.Draws(random.fold(0, "run"), 3, 3 * replica, 6) for replica in (0, 1))
    np.testing.assert_array_equal(first.shared("prior", 5, 2), second.shared("prior", 5, 2))
    assert first.shared("prior", 5, 2).shape == (5, 2)
    assert not np.array_equal(first.normal("prior", 2), second.normal("prior", 2))
