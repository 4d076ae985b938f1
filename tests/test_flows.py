"""Masked maps, RealNVP and MAF against automatic differentiation; their start, their fit, their extremes."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import random
from keras_ijae.distributions import IAF, MAF, GaussianMixture, RealNVP, StandardNormal
from keras_ijae.distributions.priors import _likelihood
from keras_ijae.layers import MaskedAffine, MaskedDense

ORDERS = {
    "autoregressive": [1, 2, 3, 4],
    "reversed": [4, 3, 2, 1],
    "coupling": [0, 1, 0, 1],
    "one dimension": [1],
    "a copy": [0],
}


def moved(layer, size=0.3, seed=0):
    """The layer with weights away from their start."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_variables:
        weight.assign(weight + size * rng.normal(size=weight.shape))
    return layer


def of_rows(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


def jacobian(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.batch_jacobian(y, x).numpy()


def test_a_masked_layer_has_the_connections_of_its_degrees():
    layer = moved(MaskedDense([1, 2, 3], [1, 2, 3, 3]))
    slopes = jacobian(layer, of_rows(5, 3))[0]
    np.testing.assert_array_equal(slopes != 0, [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]])
    np.testing.assert_allclose(slopes, (layer.kernel.numpy() * layer.mask).T)
    strict = moved(MaskedDense([1, 2, 3], [1, 2, 3], strict=True))
    np.testing.assert_array_equal(jacobian(strict, of_rows(5, 3))[0] != 0, np.tri(3, k=-1, dtype=bool))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("context", [0, 2])
def test_a_map_moves_a_dimension_by_those_of_lower_degree_alone_and_comes_back(order, context):
    degrees = np.array(ORDERS[order])
    layer = moved(MaskedAffine(degrees, width=16, context=context))
    x, given = of_rows(7, len(degrees)), of_rows(7, context, seed=1) if context else None
    y, log_det = layer.forward(x, given)
    slopes = jacobian(lambda x: layer.forward(x, given)[0], x)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(slopes)[1], atol=1e-10)
    expected = (degrees[:, None] > degrees) | np.eye(len(degrees), dtype=bool)
    np.testing.assert_array_equal(np.abs(slopes).max(0) > 0, expected)
    np.testing.assert_allclose(layer.inverse(y, given), x, atol=1e-10)
    assert (np.abs(y - x).max(0) > 1e-3).tolist() == (degrees > 0).tolist()
    if context:
        changed = layer.forward(x, given + 1.0)[0]
        assert (np.abs(changed - y).max(0) > 1e-3).tolist() == (degrees > 0).tolist()


FLOWS = {
    f"{kind.__name__}({d}, {depth})": (kind, d, depth)
    for kind, d, depth in [(RealNVP, 1, 2), (RealNVP, 2, 3), (RealNVP, 5, 4), (MAF, 1, 2), (MAF, 4, 2)]
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_the_normal_changed_by_its_maps_and_comes_back(name):
    kind, d, depth = FLOWS[name]
    prior, noise = moved(kind(d, depth, width=16)), of_rows(6, d)
    prior.location.assign(np.arange(d)), prior.deviation.assign(np.linspace(0.5, 2.0, d))
    z = prior._from_normal(noise)
    slopes = jacobian(prior._from_normal, noise)
    exact = StandardNormal(d).log_prob(noise) - np.linalg.slogdet(slopes)[1]
    np.testing.assert_allclose(prior.log_prob(z), exact, rtol=0, atol=1e-8)
    np.testing.assert_allclose(prior.log_prob(tf.cast(z, tf.float32)), exact, rtol=0, atol=1e-3)
    normal = tf.cast(random.normal((6, d), 4), tf.float64)
    np.testing.assert_allclose(prior.sample(6, 4), prior._from_normal(normal), rtol=1e-6)
    if d > 1:
        assert np.abs(z - noise * prior.deviation - prior.location).max() > 0.05


@pytest.mark.parametrize("latent_dim", [2, 3, 8, 11])
def test_every_dimension_is_moved_by_every_other_one(latent_dim):
    by_pairs = np.zeros((latent_dim, latent_dim), bool)
    prior = RealNVP(latent_dim, depth=2 * (latent_dim - 1).bit_length())
    for each in prior.maps:
        degrees = np.array(each.degrees)
        by_pairs |= degrees[:, None] > degrees
        assert max(degrees) <= 1
    assert (by_pairs | np.eye(latent_dim, dtype=bool)).all()
    orders = [each.degrees for each in MAF(latent_dim).maps]
    assert all(a == b[::-1] for a, b in itertools.pairwise(orders)) and sorted(orders[0]) == list(
        range(1, latent_dim + 1)
    )


@pytest.mark.parametrize("kind", [RealNVP, MAF])
def test_a_new_flow_is_the_standard_normal_and_learns_from_there(kind):
    prior, z = kind(5), of_rows(9, 5)
    with tf.GradientTape() as tape:
        log_prob = prior.log_prob(z)
        value = tf.reduce_sum(log_prob * z[:, 0])
    np.testing.assert_allclose(log_prob, StandardNormal(5).log_prob(z), atol=1e-6)
    np.testing.assert_allclose(prior.sample(9, 1), StandardNormal(5).sample(9, 1), rtol=1e-6)
    slopes = tape.gradient(value, [each.last.bias.value for each in prior.maps])
    assert all(np.abs(slope).max() > 1e-3 for slope in slopes)


def test_the_start_is_a_function_of_the_seed_or_of_keras_seed():
    one, same, other = (RealNVP(3, 2, seed=seed).maps[0].first.kernel.numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    keras.utils.set_random_seed(5)
    first = MAF(3, 2).get_weights()
    keras.utils.set_random_seed(5)
    for a, b in zip(first, MAF(3, 2).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [30.0, 1e3])
@pytest.mark.parametrize("kind", [RealNVP, MAF])
def test_values_and_gradients_are_finite_where_weights_and_codes_are_huge(kind, size):
    prior = moved(kind(4), size)
    z = tf.constant([[1e6, -1e6, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [-1e6, 1e-6, 1e6, 1e6]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        log_prob = prior.log_prob(z)
    slopes = tape.gradient(log_prob, [z, *[weight.value for weight in prior.trainable_variables]])
    assert np.isfinite(log_prob).all() and all(np.isfinite(slope).all() for slope in slopes)
    assert np.isfinite(prior.sample(100, 0)).all()


@pytest.mark.parametrize("size", [30.0, 1e3])
def test_draws_of_the_posterior_are_finite_where_weights_and_outputs_are_huge(size):
    posterior = moved(IAF(4), size)
    given = tf.constant([[1e4] * posterior.units, [-1e4] * posterior.units, [0.0] * posterior.units])
    with tf.GradientTape() as tape:
        tape.watch(given)
        z, log_q = posterior.sample_and_log_prob(given, random.normal((3, 4), 0))
    slopes = tape.gradient([z, log_q], [given, *[weight.value for weight in posterior.trainable_variables]])
    assert all(np.isfinite(value).all() for value in (z, log_q, *slopes))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [RealNVP, MAF])
def test_compiled_by_xla_samples_are_the_same_bits_and_densities_agree(kind):
    prior = moved(kind(4, width=16))
    z = prior.sample(300, 1)
    np.testing.assert_array_equal(tf.function(lambda: prior.sample(300, 1), jit_compile=True)(), z)
    np.testing.assert_allclose(tf.function(prior.log_prob, jit_compile=True)(z), prior.log_prob(z), atol=1e-4)


def test_the_posterior_at_zero_outputs_is_the_standard_normal_and_its_order_is_turned_round():
    posterior, noise = IAF(3), random.normal((5, 3), 0)
    z, log_q = posterior.sample_and_log_prob(tf.zeros((5, posterior.units)), noise)
    np.testing.assert_allclose(z, noise, atol=1e-6)
    np.testing.assert_allclose(log_q, StandardNormal(3).log_prob(noise), atol=1e-5)
    assert [each.degrees for each in posterior.maps] == [[1, 2, 3], [3, 2, 1]] * 2
    assert posterior.units == 6 + 32 and IAF(3, context=0).units == 6


def test_the_posterior_is_the_gaussian_less_the_determinant_of_its_maps():
    posterior = moved(IAF(4, depth=3, width=16, context=2))
    given, noise = 0.5 * of_rows(6, posterior.units), of_rows(6, 4, seed=1)
    z, log_q = posterior.sample_and_log_prob(given, noise)
    slopes = jacobian(lambda noise: posterior.draw(given, noise), noise)
    exact = StandardNormal(4).log_prob(noise) - np.linalg.slogdet(slopes)[1]
    np.testing.assert_allclose(log_q, exact, rtol=0, atol=1e-8)
    np.testing.assert_allclose(posterior.log_prob(given, z), exact, rtol=0, atol=1e-8)


# The fit ------------------------------------------------------------------------------------------------------------


def ring(rows, seed=0):
    """Codes on a ring about (3, 0), of radius 2: nothing for a Gaussian."""
    rng = np.random.default_rng(seed)
    angle, radius = 2 * np.pi * rng.random(rows), 2 + 0.2 * rng.normal(size=rows)
    return np.stack([3 + radius * np.cos(angle), radius * np.sin(angle)], 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [RealNVP, MAF])
def test_a_fitted_flow_is_likelier_than_a_gaussian_and_draws_what_it_was_fitted_to(kind):
    prior, gaussian, unseen = kind(2, width=32), GaussianMixture(2, 1), ring(2000, seed=1)
    prior.fit(ring(5000)), gaussian.fit(ring(5000))
    exact = np.mean(-np.log(2 * np.pi * 2 * 0.2 * np.sqrt(2 * np.pi * np.e)))  # about: the radius hardly varies
    assert np.mean(gaussian.log_prob(unseen)) + 0.4 < np.mean(prior.log_prob(unseen)) < exact + 0.1
    radius = np.linalg.norm(prior.sample(2000, 0) - np.array([3, 0]), axis=1)
    np.testing.assert_allclose(radius.mean(), 2, atol=0.1)


def brief(monkeypatch, steps=40, period=20):
    """Fits of few steps."""
    monkeypatch.setattr(_likelihood, "STEPS", steps), monkeypatch.setattr(_likelihood, "PERIOD", period)


def small():
    return RealNVP(2, depth=2, width=8)


@pytest.mark.slow
def test_a_fit_is_a_function_of_codes_and_seed_whatever_the_weights_were(monkeypatch):
    brief(monkeypatch)
    first, second, other = small(), moved(small()), small()
    first.fit(ring(100), seed=3), second.fit(ring(100), seed=3), other.fit(ring(100), seed=4)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.maps[0].first.kernel, other.maps[0].first.kernel)
    np.testing.assert_allclose(first.location, ring(100).mean(0), rtol=1e-5)
    np.testing.assert_allclose(first.deviation, np.sqrt(ring(100).var(0) + 1e-6), rtol=1e-5)
    frozen = RealNVP(2, depth=2, width=8, trainable=False)
    frozen.fit(ring(100), seed=3)
    np.testing.assert_array_equal(frozen.maps[0].last.kernel, first.maps[0].last.kernel)


def test_codes_are_drawn_anew_in_each_period(monkeypatch):
    brief(monkeypatch)
    passes = []
    small().fit(lambda number: passes.append(number) or ring(100, seed=number))
    assert passes == [0, 1]


def test_what_was_likeliest_on_codes_held_out_stays_and_the_fit_ends_when_nothing_is(monkeypatch):
    brief(monkeypatch, steps=4000)
    prior, codes = RealNVP(2, depth=2, width=64), ring(40)
    passes = []
    prior.fit(lambda number: passes.append(number) or codes)
    assert len(passes) < 60  # of 200
    assert np.mean(prior.log_prob(ring(500, seed=1))) > -5.0  # learned by heart it is below -20


@pytest.mark.slow
def test_codes_on_a_plane_or_a_point_make_a_density_about_it(monkeypatch):
    brief(monkeypatch)
    flat, point = np.stack([np.linspace(-1, 1, 60), np.full(60, 0.7)], 1), np.full((60, 2), -2.0)
    for codes in (flat, point):
        prior = small()
        prior.fit(codes)
        drawn = prior.sample(200, 0).numpy()
        assert np.isfinite(prior.log_prob(codes)).all()
        np.testing.assert_allclose(drawn[:, 1], codes[0, 1], atol=0.02)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((5, 3)), r"`codes` must have shape \(n, 2\), n at least 2. Received: shape \(5, 3\)"),
        (np.zeros((1, 2)), r"n at least 2. Received: shape \(1, 2\)"),
        (np.full((5, 2), np.nan), "`codes` must be finite. Received: 10 not"),
    ],
)
def test_codes_that_cannot_be_fitted_are_refused_and_nothing_has_changed(codes, message):
    prior = small()
    before = prior.get_weights()
    with pytest.raises(ValueError, match=message):
        prior.fit(codes)
    for a, b in zip(before, prior.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", [MAF, RealNVP])
def test_codes_of_one_dimension_are_not_fitted_by_what_could_only_be_a_gaussian(kind):
    with pytest.raises(ValueError, match=f"`prior` must be another than a flow .* 'gmm' .* Received: {kind.__name__}"):
        kind(1).fit(np.zeros((9, 1)))


@pytest.mark.parametrize("make", [small, lambda: MAF(3, 2, 8, seed=4), lambda: IAF(3, 2, 8, context=4, seed=1)])
def test_configurations_are_whole(make):
    made = make()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    assert again.get_config() == made.get_config()
    again.set_weights(made.get_weights())
    layer = MaskedAffine([1, 2], 4, seed=3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    np.testing.assert_array_equal(again.first.kernel, layer.first.kernel)
    dense = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer.first))
    np.testing.assert_array_equal(dense.kernel, layer.first.kernel)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MAF(2, depth=0), "`depth` must be an integer >= 1. Received: depth=0"),
        (lambda: RealNVP(2, width=1.5), "`width` must be an integer >= 1. Received: width=1.5"),
        (lambda: IAF(2, context=-1), "`context` must be an integer >= 0. Received: context=-1"),
        (lambda: MaskedAffine([1, -1]), "`degrees` must be an integer >= 0. Received: degrees=-1"),
        (lambda: MAF(2).log_prob(np.zeros((3, 4))), r"`z` must have shape \(batch, 2\)"),
        (lambda: IAF(2).draw(np.zeros((3, 4)), np.zeros((3, 2))), r"`params` must have shape \(batch, 36\)"),
        (lambda: MAF(2, seed=-1), "`seed` must be an integer from 0"),
    ],
    ids=range(7),
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
