"""Likelihoods against SciPy, TFP and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.distributions import likelihoods
from keras_ijae.distributions.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian, Laplace
from keras_ijae.distributions.tfp import tfp

ERRORS = np.array([[0.1, -0.2, 0.4, -0.05, 0.3]])
SHAPE = (8, 9, 2)


def _params_and_data(shape=(3, *SHAPE)):
    generator = np.random.default_rng(0)
    return generator.normal(size=shape), (generator.uniform(size=shape) > 0.4).astype("float64")


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "likelihood, reference",
    [
        (Bernoulli(), lambda p, x: stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-p)))),
        (Gaussian(0.7), lambda p, x: stats.norm.logpdf(x, p, 0.7)),
        (Gaussian("learned", 0.4, dtype="float64"), lambda p, x: stats.norm.logpdf(x, p, 0.4)),
        (Laplace(0.7), lambda p, x: stats.laplace.logpdf(x, p, 0.7)),
        (Laplace("learned", 0.4, dtype="float64"), lambda p, x: stats.laplace.logpdf(x, p, 0.4)),
    ],
    ids=["bernoulli", "gaussian", "gaussian_learned", "laplace", "laplace_learned"],
)
def test_log_prob_is_scipys_summed_over_dimensions(likelihood, reference, compiled):
    params, x = _params_and_data()
    log_prob = tf.function(likelihood.log_prob, jit_compile=True) if compiled else likelihood.log_prob
    result = log_prob(tf.constant(params), tf.constant(x))
    assert result.dtype == tf.float64
    np.testing.assert_allclose(result, reference(params, x).sum(axis=(1, 2, 3)), rtol=1e-12)
    single = log_prob(tf.constant(params, tf.float32), tf.constant(x, tf.float32))
    assert single.dtype == tf.float32
    np.testing.assert_allclose(single, result, rtol=1e-5)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), Laplace(), DiscretizedLogistic()])
def test_half_precision_parameters_give_float32_log_probabilities(likelihood):
    params, x = (tf.constant(values, tf.float16) for values in _params_and_data())
    assert likelihood.log_prob(params, x).dtype == tf.float32
    assert likelihood.draw(params, tf.fill(params.shape, 0.3)).dtype == tf.float32


@pytest.mark.parametrize(
    "likelihood, rate, optimum, nll",
    [
        (Gaussian("learned", dtype="float64"), 0.5, np.sqrt(0.0605), 0.01638258),
        (Laplace("learned", dtype="float64"), 1.0, 0.21, 0.13249943),
    ],
    ids=["gaussian", "laplace"],
)
def test_learned_scale_descends_to_its_closed_form_optimum(likelihood, rate, optimum, nll):
    optimizer = keras.optimizers.SGD(rate)
    for _ in range(12):
        with tf.GradientTape() as tape:
            loss = -likelihood.log_prob(tf.zeros((1, 5), tf.float64), ERRORS)[0] / 5
        optimizer.apply(tape.gradient(loss, [likelihood.log_scale.value]), [likelihood.log_scale])
    np.testing.assert_allclose(likelihood.scale(), optimum, rtol=1e-7)
    np.testing.assert_allclose(loss, nll, atol=1e-8)


def test_squared_error_is_gaussian_of_variance_one_half():
    params, x = _params_and_data((4, 5))
    rest = 5 * 0.5 * np.log(np.pi)
    expected = ((x - params) ** 2).sum(axis=1) + rest
    np.testing.assert_allclose(-Gaussian(np.sqrt(0.5)).log_prob(params, x), expected, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 0.05, 3.0])
@pytest.mark.parametrize("location", [-0.3, 0.0, 0.501, 1.0])
def test_discretised_logistic_sums_to_one_over_its_levels(location, scale):
    likelihood = DiscretizedLogistic(scale, levels=32)
    grid = np.arange(32.0)[:, None] / 31
    log_prob = likelihood.log_prob(np.full((32, 1), location), grid)
    np.testing.assert_allclose(np.exp(log_prob).sum(), 1.0, atol=1e-12)


def test_discretised_logistic_is_tfps_quantised_logistic():
    tfd = tfp().distributions
    grid, location = np.arange(256.0)[:, None] / 255, np.full((256, 1), 0.4)
    logistic = tfd.Logistic(np.float64(0.4 * 255 - 0.5), np.float64(0.02 * 255))
    reference = tfd.QuantizedDistribution(logistic, low=0.0, high=255.0).log_prob(grid[:, 0] * 255)
    np.testing.assert_allclose(DiscretizedLogistic(0.02).log_prob(location, grid), reference, rtol=1e-9)


def test_bits_per_dim_of_equally_likely_levels_is_their_log2():
    likelihood = DiscretizedLogistic(1e-5, levels=2)
    log_prob = likelihood.log_prob(np.full((1, 3), 0.5), np.array([[0.0, 1.0, 1.0]]))
    np.testing.assert_allclose(likelihood.bits_per_dim(log_prob, (3,)), [1.0], rtol=1e-9)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), Laplace()])
def test_bits_per_dim_of_densities_and_binary_data_is_an_error(likelihood):
    assert not likelihood.has_bits_per_dim
    with pytest.raises(NotImplementedError, match="not of discretised data"):
        likelihood.bits_per_dim(tf.zeros(1), (3,))


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        Gaussian(1e-3),
        Laplace(1e-3),
        DiscretizedLogistic(1e-4),
        DiscretizedLogistic(1e4),
        Gaussian("learned", 2e-5),
        DiscretizedLogistic("learned", initial_scale=2e-5),
    ],
)
def test_log_prob_and_gradients_are_finite_at_extreme_parameters(likelihood):
    params = tf.constant([[-1e4, -50.0, 0.0, 0.5, 1.0, 50.0, 1e4]] * 3)
    x = tf.constant([[0.0] * 7, [1.0] * 7, [0.5] * 7])
    with tf.GradientTape() as tape:
        tape.watch(params)
        log_prob = likelihood.log_prob(params, x)
    gradients = tape.gradient(log_prob, [params, *(v.value for v in likelihood.trainable_variables)])
    for values in [log_prob, *gradients]:
        assert np.isfinite(values).all()


@pytest.mark.parametrize(
    "likelihood, law",
    [
        (Gaussian(0.3), stats.norm(0.5, 0.3)),
        (Laplace(0.3), stats.laplace(0.5, 0.3)),
        (Gaussian("learned", 0.2), stats.norm(0.5, 0.2)),
        (Laplace("learned", 0.2), stats.laplace(0.5, 0.2)),
    ],
)
def test_draws_are_the_inverse_distribution_function(likelihood, law):
    uniform = np.array([[2.0**-24, 0.01, 0.3, 0.5 + 2.0**-24, 0.9, 1 - 2.0**-24]])
    draws = likelihood.draw(tf.fill(uniform.shape, tf.constant(0.5, tf.float64)), uniform)
    np.testing.assert_allclose(draws, law.ppf(uniform), rtol=2e-6)


def test_draws_recover_mean_and_scale():
    uniform = random.uniform((40_000, 1), 0)
    params = tf.fill(uniform.shape, 0.4)
    gaussian, laplace = Gaussian(0.2).draw(params, uniform), Laplace(0.2).draw(params, uniform)
    logistic = DiscretizedLogistic(0.02).draw(params, uniform)
    binary = Bernoulli().draw(tf.fill(uniform.shape, 1.3), uniform)
    for draws, mean, deviation in [
        (gaussian, 0.4, 0.2),
        (laplace, 0.4, 0.2 * np.sqrt(2)),
        (logistic, 0.4, 0.02 * np.pi / np.sqrt(3)),
    ]:
        assert abs(np.mean(draws) - mean) < 5 * deviation / 200
        assert abs(np.std(draws) / deviation - 1) < 0.03
    assert abs(np.mean(binary) - 1 / (1 + np.exp(-1.3))) < 5 * 0.5 / 200
    assert set(np.unique(binary)) == {0.0, 1.0}


def test_discretised_draws_have_the_probabilities_of_log_prob():
    likelihood = DiscretizedLogistic(0.1, levels=5)
    uniform = random.uniform((20_000, 1), 1)
    draws = likelihood.draw(tf.fill(uniform.shape, 0.2), uniform)
    grid = np.arange(5.0)[:, None] / 4
    frequencies = [(np.abs(draws - level) < 1e-6).mean() for level in grid[:, 0]]
    expected = np.exp(likelihood.log_prob(np.full((5, 1), 0.2), grid))
    np.testing.assert_allclose(frequencies, expected, atol=5 * 0.5 / np.sqrt(20_000))


@pytest.mark.parametrize("likelihood", [Gaussian("learned"), Laplace("learned")])
def test_continuous_draws_pass_gradients_to_parameters_and_scale(likelihood):
    uniform = tf.constant([[0.2, 0.7]])
    params = tf.zeros((1, 2))
    with tf.GradientTape() as tape:
        tape.watch(params)
        draws = likelihood.draw(params, uniform)[0, 1]
    to_params, to_scale = tape.gradient(draws, [params, likelihood.log_scale.value])
    np.testing.assert_allclose(to_params, [[0.0, 1.0]])
    np.testing.assert_allclose(to_scale, draws, rtol=1e-3)


def test_mean_of_bernoulli_is_the_probability_and_of_others_the_parameters():
    params = tf.constant([[-2.0, 0.5]])
    np.testing.assert_allclose(Bernoulli().mean(params), 1 / (1 + np.exp([[2.0, -0.5]])), rtol=1e-6)
    for likelihood in (Gaussian(), Laplace(), DiscretizedLogistic()):
        np.testing.assert_array_equal(likelihood.mean(params), params)


def test_attributes_say_what_each_likelihood_is_good_for():
    names = likelihoods.LIKELIHOODS
    made = {name: likelihoods.get(name, SHAPE) for name in names}
    assert {n for n in names if made[n].symmetric} == {
        "gaussian",
        "laplace",
        "cyclic_shift",
        "shift_gaussian",
    }
    assert {n for n in names if made[n].discrete} == {"bernoulli", "discretized_logistic"}
    assert {n for n in names if made[n].has_bits_per_dim} == {"discretized_logistic"}
    assert {n for n in names if not made[n].has_log_prob} == {"cyclic_shift", "shift_gaussian"}
    assert {n for n in names if made[n].image_activation == "linear"} == {"bernoulli"}


@pytest.mark.parametrize("name", list(likelihoods.LIKELIHOODS))
def test_configuration_and_weights_survive_serialisation(name):
    likelihood = likelihoods.get(name, SHAPE)
    for variable in likelihood.variables:
        variable.assign_add(0.7)
    again = likelihoods.get(keras.saving.serialize_keras_object(likelihood), SHAPE)
    again.set_weights(likelihood.get_weights())
    assert again.get_config() == likelihood.get_config()
    uniform = random.uniform((2, *likelihood.noise_shape(SHAPE)), 3)
    params = tf.fill((2, *SHAPE), 0.3)
    np.testing.assert_array_equal(again.draw(params, uniform), likelihood.draw(params, uniform))


@keras.saving.register_keras_serializable("keras_ijae_tests")
class Doubled(likelihoods.Likelihood):
    """A likelihood of a user."""

    @property
    def symmetric(self):
        return True

    def draw(self, params, uniform):
        return params + uniform


def test_a_users_likelihood_is_accepted_and_its_missing_density_explained():
    likelihood = likelihoods.get(Doubled(), (3,))
    assert likelihood.symmetric and likelihood.noise_shape((3,)) == (3,)
    with pytest.raises(NotImplementedError, match="Doubled has no tractable `log_prob`"):
        likelihood.log_prob(tf.zeros((1, 3)), tf.zeros((1, 3)))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: likelihoods.get("gausian", (3,)), "one of .*'gaussian'.*Received: likelihood='gausian'"),
        (lambda: likelihoods.get(Gaussian, (3,)), "Argument `likelihood` must be"),
        (lambda: Gaussian(0.0), "`sigma` must be a finite number > 0.*sigma=0.0"),
        (lambda: Gaussian("lerned"), "`sigma` must be .*'lerned'"),
        (lambda: Gaussian("learned", initial_sigma=-1), "`initial_sigma`.*-1"),
        (lambda: Gaussian(sgma=1.0), "sgma"),
        (lambda: Laplace(float("nan")), "`scale` must be a finite number"),
        (lambda: Laplace(True), "`scale` must be"),
        (lambda: DiscretizedLogistic(levels=1), "`levels` must be an integer >= 2"),
        (
            lambda: Gaussian().log_prob(tf.zeros((2, 3)), tf.zeros((2, 1))),
            "`x` must have the shape of `params`",
        ),
    ],
)
def test_bad_arguments_are_named_in_the_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["gaussian", "laplace"])
@pytest.mark.parametrize("shape", [(5,), (20, 20, 1)], ids=str)
def test_symmetric_likelihoods_by_name_have_the_scale_of_the_default(name, shape):
    assert likelihoods.get_symmetric(name, shape).given_scale == likelihoods.get_symmetric("auto", (5,)).given_scale
    assert likelihoods.get(name, shape).given_scale == 1.0


@pytest.mark.parametrize("shape, shift", [((8, 20, 1), 1), ((16, 16, 3), 2)])
def test_symmetric_likelihoods_by_name_shift_as_far_as_the_default(shape, shift):
    found = [likelihoods.get_symmetric(name, shape) for name in ("auto", "cyclic_shift", "shift_gaussian")]
    assert [likelihood.max_shift for likelihood in found] == [shift] * 3
    assert found[0].get_config() == {**found[1].get_config(), "name": found[0].name}
    assert found[2].sigma == 0.1


def test_a_given_symmetric_likelihood_stays_as_it_is_and_others_are_refused():
    given = Laplace(0.3)
    assert likelihoods.get_symmetric(given, (5,)) is given
    again = likelihoods.get_symmetric(keras.saving.serialize_keras_object(given), (5,))
    assert again.given_scale == 0.3
    for refused in ("bernoulli", "learned_gaussian", Gaussian("learned"), "discretized_logistic"):
        with pytest.raises(ValueError, match="`likelihood` must be symmetric, .* with a fixed scale"):
            likelihoods.get_symmetric(refused, (5,))
    with pytest.raises(ValueError, match="`likelihood` must be one of .*Did you mean 'gaussian'"):
        likelihoods.get_symmetric("gausian", (5,))
    learning = Doubled()
    learning.add_weight(shape=(), name="width")
    with pytest.raises(ValueError, match="`likelihood` must be symmetric, .* with a fixed scale"):
        likelihoods.get_symmetric(learning, (5,))


IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 1))


@pytest.mark.parametrize("likelihood", [Gaussian(), Laplace(), DiscretizedLogistic()], ids=lambda one: one.name)
def test_images_outside_the_unit_interval_show_a_missing_sigmoid(likelihood):
    assert "must lie in [0, 1]: give its last layer the activation 'sigmoid'" in likelihood.output_problem(IMAGES)
    assert likelihood.output_problem(1 / (1 + np.exp(-IMAGES))) == ""
    assert likelihood.output_problem(np.tanh(IMAGES)) != ""
    assert likelihood.output_problem(IMAGES[:, 0, :, 0]) == ""  # vectors may have any range


def test_logits_that_look_like_probabilities_show_a_sigmoid_too_many():
    problem = Bernoulli().output_problem(1 / (1 + np.exp(-IMAGES)))
    assert "look like probabilities" in problem and "the activation 'linear'" in problem
    assert Bernoulli().output_problem(IMAGES) == ""
    assert Bernoulli().output_problem(np.zeros((4, 8, 8, 1))) == ""
    assert "look like probabilities" in Bernoulli().output_problem(np.full((2, 3), 0.5) + [0, 0.1, 0.2])


@pytest.mark.parametrize("likelihood", [Gaussian(), Bernoulli()], ids=lambda one: one.name)
def test_outputs_that_are_not_finite_are_seen(likelihood):
    assert "NaN or infinite" in likelihood.output_problem(np.array([[0.5, np.nan]]))


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), Laplace(), DiscretizedLogistic()])
def test_parameters_of_a_mean_have_that_mean(likelihood):
    mean = tf.constant(np.random.default_rng(0).uniform(1e-5, 1 - 1e-5, size=(5, 7)), tf.float64)
    np.testing.assert_allclose(likelihood.mean(likelihood.params_of_mean(mean)), mean, rtol=1e-12)
    assert likelihood.params_of_mean(tf.cast(mean, tf.float16)).dtype == tf.float32


def test_logits_of_probabilities_are_clipped():
    logits = Bernoulli().params_of_mean(tf.constant([[0.0, 1.0, -0.5, 1.5]], tf.float64))
    np.testing.assert_allclose(logits, np.log(1e-6 / (1 - 1e-6)) * np.array([[1, -1, 1, -1]]), rtol=1e-9)


def test_a_likelihood_that_can_only_be_drawn_from_has_no_density():
    class Drawn(ki.distributions.likelihoods.Likelihood):
        def draw(self, params, uniform):
            return params

    class Dense(Drawn):
        def log_prob(self, params, x):
            return -tf.reduce_sum((x - params) ** 2, axis=1)

    assert (Drawn.has_log_prob, Dense.has_log_prob) == (False, True)
    with pytest.raises(ValueError, match="`likelihood` must have a density"):
        ki.create("vae", (4,), 2, networks="mlp", width=4, likelihood=Drawn())
