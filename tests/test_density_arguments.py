"""What priors and posteriors of all kinds cannot take is refused by name, before TensorFlow or NumPy speaks."""

import numpy as np
import pytest
import tensorflow as tf

from keras_ijae import random
from keras_ijae.distributions import (
    IAF,
    DiagonalGaussian,
    FullGaussian,
    GaussianMixture,
    HierarchicalPrior,
    LearnedMixture,
    PlanarFlow,
    Posterior,
    Prior,
    RealNVP,
    ResampledPrior,
    Sphere,
    StandardNormal,
    StickBreaking,
    Sticks,
    TwoStage,
    Uniform,
)


class Own(Prior):
    """A user's."""

    def sample(self, n, seed):
        return random.normal((n, self.latent_dim), seed)

    def log_prob(self, codes):
        return -tf.reduce_sum(codes**2, axis=1)


class OwnPosterior(Posterior):
    """A user's."""

    units = 2

    def sample_and_log_prob(self, params, eps):
        return params + eps, -tf.reduce_sum(eps**2, axis=1)

    def log_prob(self, params, z):
        return -tf.reduce_sum((z - params) ** 2, axis=1)


PRIORS = [
    StandardNormal(2),
    Uniform(2),
    Sphere(2),
    GaussianMixture(2, 2),
    LearnedMixture(2, 2),
    RealNVP(2, 2, 4),
    ResampledPrior(2, 4, 8, 16),
    HierarchicalPrior(2, 2, 2, 4, 1),
    TwoStage(2, 4, 1, 1),
    Sticks(2),
    Own(2),
]
POSTERIORS = [
    DiagonalGaussian(2),
    FullGaussian(2),
    PlanarFlow(2, 2),
    IAF(2, 2, 4, 3),
    StickBreaking(2),
    OwnPosterior(2),
]
NO_NUMBERS = ["a", None, {"a": 1}, object(), b"x", tf.zeros([2, 2], tf.complex64), 2**70]
NO_ROWS = [*NO_NUMBERS, tf.ragged.constant([[1.0, 2.0], [3.0]]), np.zeros((3, 3)), np.zeros(2)]
priors = pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
posteriors = pytest.mark.parametrize("posterior", POSTERIORS, ids=lambda posterior: type(posterior).__name__)


def refused(function, argument, *given):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must "):
        function(*given)


@priors
def test_numbers_of_samples_that_are_none_are_refused(prior):
    for n in (
        "a",
        None,
        True,
        -1,
        1.5,
        np.nan,
        [],
        {},
        np.zeros(2),
        tf.constant(-1),
        tf.constant([3]),
        tf.constant(1.5),
    ):
        refused(prior.sample, "n", n, 0)
    z = prior.sample(3, 0)
    for n in (np.int64(3), tf.constant(3), tf.Variable(3)):
        np.testing.assert_array_equal(prior.sample(n, seed=0), z)


@priors
def test_seeds_that_are_none_are_refused(prior):
    for seed in (
        "a",
        None,
        True,
        1.5,
        1e30,
        np.nan,
        [1, 2],
        np.zeros(2),
        2**63,
        tf.constant(1.5),
        tf.constant([1] * 3),
    ):
        refused(prior.sample, "seed", 3, seed)
    assert prior.sample(3, random.fold(0, "z")).shape == prior.sample(n=3, seed=-(2**63)).shape == (3, 2)


def test_inside_a_graph_numbers_are_tensors_and_keywords_are_taken():
    drawn = tf.function(lambda n, seed: Own(2).sample(seed=seed, n=n))(tf.constant(4), tf.constant(1))
    np.testing.assert_array_equal(drawn, Own(2).sample(4, 1))


@pytest.mark.parametrize("prior", [prior for prior in PRIORS if prior.has_log_prob], ids=lambda p: type(p).__name__)
def test_codes_that_are_none_are_refused(prior):
    noise = [np.zeros((1, 4), "float32")] * isinstance(prior, HierarchicalPrior)
    for z in NO_ROWS:
        refused(prior.log_prob, "z", z, *noise)
    assert prior.log_prob([[0.25, 0.75]], *noise).dtype == tf.float32
    assert prior.log_prob(np.array([[0.25, 0.75]]), *noise).dtype == tf.float64


@posteriors
def test_parameters_noise_and_codes_that_are_none_are_refused(posterior):
    params, noise, z = np.zeros((3, posterior.units)), np.zeros((3, posterior.noise_dim)), np.full((3, 2), 0.5)
    for wrong in [*NO_NUMBERS, tf.ragged.constant([[1.0, 2.0], [3.0]]), np.zeros((3, 9)), np.zeros(2)]:
        refused(posterior.draw, "params", wrong, noise)
        refused(posterior.draw, "noise", params, wrong)
        refused(posterior.sample_and_log_prob, "noise", params, wrong)
    refused(posterior.draw, "noise", params, noise[:2])
    if posterior.has_log_prob:
        for wrong in [*NO_ROWS, z[:2]]:
            refused(posterior.log_prob, "z", params, wrong)
        assert posterior.log_prob(params, z.astype("float32")).dtype == tf.float64
    assert posterior.draw(params.astype("float32"), noise).dtype == tf.float32


@priors
def test_numbers_seeds_and_keys_are_taken_from_arrays_too(prior):
    key = random.fold(0, "z")
    for n, seed in ((np.array(3), np.array(3)), (np.array(3, "uint8"), np.int64(3)), (3, np.array(3, "int8"))):
        np.testing.assert_array_equal(prior.sample(n, seed), prior.sample(3, 3))
    np.testing.assert_array_equal(prior.sample(3, key.numpy()), prior.sample(3, key))
    for wrong in (np.array(1.5), np.array(True), np.array("a"), np.array([3])):
        refused(prior.sample, "n", wrong, 0)
        refused(prior.sample, "seed", 3, wrong)
    refused(prior.sample, "n", np.array(-1), 0)
    for seed in (np.zeros(2, "int64"), np.zeros(2, "float32"), np.zeros(3, "int32"), np.array(2**63, "uint64")):
        refused(prior.sample, "seed", 3, seed)


def test_an_own_method_has_its_defaults():
    class Seeded(StandardNormal):
        def sample(self, n=4, seed=7):
            return super().sample(n, seed)

    class Central(DiagonalGaussian):
        def draw(self, params, noise=None):
            return super().draw(params, tf.zeros_like(params[:, :2]) if noise is None else noise)

    np.testing.assert_array_equal(Seeded(2).sample(), StandardNormal(2).sample(4, 7))
    np.testing.assert_array_equal(Seeded(2).sample(seed=1), StandardNormal(2).sample(4, 1))
    params = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_array_equal(Central(2).draw(params), params[:, :2])
    refused(Seeded(2).sample, "n", "a")
    refused(Central(2).draw, "params", params[:, :3])
    refused(Central(2).draw, "noise", params, params)


class Passing:
    """Hands on what it is given."""

    def log_prob(self, z):
        return super().log_prob(z)


class Mixed(Passing, StandardNormal):
    """Its own method is the one of a class that knows no priors."""


class Starred(StandardNormal):
    """Hands on what it is given, without names."""

    def log_prob(self, *given, **named):
        return super().log_prob(*given, **named)


class Another(StandardNormal):
    """Calls the method of its base by the name of another one, and a broken one by its own."""

    def log_prob(self, z):
        raise ArithmeticError("after the check")

    def density(self, z):
        return tf.exp(super().log_prob(z))


def test_codes_are_checked_by_whatever_method_they_come_to_the_density():
    z, another = np.zeros((3, 5)), Another(2)
    with pytest.raises(ArithmeticError, match="after the check"):
        another.log_prob(z[:, :2])
    for function in (Mixed(2).log_prob, Starred(2).log_prob, another.log_prob, another.density):
        refused(function, "z", z)
        refused(tf.function(function), "z", z)
    for function in (Mixed(2).log_prob, Starred(2).log_prob):
        np.testing.assert_array_equal(function(z=z[:, :2]), StandardNormal(2).log_prob(z[:, :2]))
    np.testing.assert_allclose(another.density(z[:, :2]), np.full(3, 0.5 / np.pi))


def test_what_an_own_method_hands_on_is_its_own_affair():
    class Scaled(DiagonalGaussian):
        def __init__(self, latent_dim):
            super().__init__(latent_dim)
            self.noise_dim = 2 * latent_dim

        def sample_and_log_prob(self, params, noise):
            if tf.reduce_all(noise == 0):  # by TensorFlow in a graph
                noise += 1
            return super().sample_and_log_prob(params, noise[:, :2] + noise[:, 2:])

    params, noise = np.full((3, 4), 2.0), np.zeros((3, 4))
    expected, posterior = DiagonalGaussian(2).draw(params, noise[:, :2] + 2), Scaled(2)
    for draw in (posterior.draw, tf.function(posterior.draw)):
        np.testing.assert_allclose(draw(params, noise), expected)
        refused(draw, "noise", params, noise[:, :2])


def test_checks_leave_nothing_in_a_graph():
    def operations(function):
        example = tf.TensorSpec((3, 2)), tf.TensorSpec((3, 2))
        return len(tf.function(lambda a, b: function(a, b)).get_concrete_function(*example).graph.get_operations())

    prior = StandardNormal(2)
    bare = type(prior).log_prob.__wrapped__
    assert operations(lambda z, _: Mixed(2).log_prob(z)) == operations(lambda z, _: bare(prior, z))


@pytest.mark.parametrize("prior", [prior for prior in PRIORS if prior.can_fit], ids=lambda p: type(p).__name__)
def test_codes_to_fit_that_are_no_numbers_are_refused(prior):
    for codes in ("a", b"x", {}, object(), [[1.0, 2.0], [3.0]], lambda number: "a", np.zeros((3, 3)), None):
        refused(prior.fit, "codes", codes)


@pytest.mark.parametrize("seed", [True, "a", 1.5, -1])
@pytest.mark.parametrize("kind", [IAF, RealNVP])
def test_seeds_of_a_start_are_checked_before_they_are_used(kind, seed):
    with pytest.raises(ValueError, match="`seed` must be an integer from 0"):
        kind(2, 2, 4, seed=seed)
