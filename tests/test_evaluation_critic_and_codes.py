"""The independent critic and the statistics of codes, against closed forms."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tiny import affine

import keras_ijae as ki
from keras_ijae.distributions.priors import Sphere, Sticks
from keras_ijae.evaluation import (
    active_codes,
    aggregate_posterior_kl,
    critic_distance,
    independent_critic,
    latent_covariance,
)


def normal(mean, seed, rows=2000):
    return np.random.default_rng(seed).normal(mean, 1.0, (rows, 2)).astype("float32")


@pytest.mark.slow
def test_the_critic_finds_the_wasserstein_distance_of_shifted_gaussians():
    """W1(N(m, I), N(0, I)) = |m|; a single critic is noisy."""
    found = [critic_distance(normal((3.0, 0.0), 0), normal(0.0, 1), steps=400, seed=seed) for seed in range(3)]
    assert np.mean(found) == pytest.approx(3.0, abs=0.4)


@pytest.mark.slow
def test_the_critic_finds_no_distance_on_held_out_rows_of_one_distribution():
    assert abs(critic_distance(normal(0.0, 0), normal(0.0, 1), steps=200)) < 0.15


@pytest.mark.slow
def test_copies_of_the_training_data_are_nearer_to_it_than_to_new_data():
    """Training data that miss one of two modes, and samples that copy them."""
    half, whole = normal((-2.0, 0.0), 0), np.concatenate([normal((-2.0, 0.0), 1, 1000), normal((2.0, 0.0), 2, 1000)])
    np.random.default_rng(0).shuffle(whole)
    found = independent_critic(half[:1000], half[1000:], whole, steps=200)
    assert found.gap == found.validation - found.train
    assert found.gap > 1.5 and abs(found.train) < 0.4


def by_class(seed, rows=1000):
    """A mixture of two modes, stored one after the other."""
    return np.concatenate([normal((-2.0, 0.0), seed, rows), normal((2.0, 0.0), seed + 10, rows)])


@pytest.mark.slow
@pytest.mark.parametrize("stored", ["real", "fake"])
def test_sets_stored_by_class_are_as_near_as_shuffled_ones(stored):
    mixed, sets = np.random.default_rng(0).permutation(by_class(2)), {stored: by_class(1)}
    assert abs(critic_distance(**{"real": mixed, "fake": mixed, **sets}, steps=200)) < 0.5


@pytest.mark.slow
def test_the_larger_of_two_sets_stored_by_class_is_not_cut_to_its_first_classes():
    mixed = np.random.default_rng(0).permutation(by_class(2, 500))
    found = independent_critic(mixed, by_class(1, 2000), mixed[::-1], steps=200)
    assert abs(found.train) < 0.5


@pytest.mark.slow
def test_the_seed_alone_decides_the_critic():
    first, again, other = (critic_distance(normal(1.0, 0, 50), normal(0.0, 1, 50), steps=5, seed=s) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.slow
def test_image_critics_take_the_default_networks():
    images = np.random.default_rng(0).uniform(size=(20, 16, 16, 1))
    assert critic_distance(np.zeros_like(images), images, steps=40) > 0.3


@pytest.mark.parametrize(
    "change, message",
    [
        ({"real": np.zeros((9, 2))}, "`real` must have at least 10 examples. Received: 9"),
        ({"fake": np.full((20, 2), np.nan)}, "`fake` must be finite"),
        ({"fake": np.zeros((20, 3))}, "`real` and `fake` must have one shape"),
        ({"real": np.zeros((20, 2), complex)}, "`real` must be an array of real numbers"),
        ({"real": np.zeros(20)}, r"`real` must have shape \(n, \.\.\.\). Received: shape \(20,\)"),
        ({"fake": np.zeros((20, 2, 2))}, r"`fake` must have shape \(n, features\) or .* Received: shape \(20, 2, 2\)"),
        ({"fake": np.full((20, 4, 4, 1), 2.0)}, r"`fake` must be in \[0, 1\], or uint8"),
        ({"real": tf.data.Dataset.range(20)}, "`real` must be an array of real numbers"),
        ({"steps": 0}, "`steps` must be an integer >= 1. Received: steps=0"),
        ({"steps": 2.5}, "`steps` must be an integer >= 1"),
        ({"steps": "3"}, "`steps` must be an integer >= 1"),
        ({"steps": True}, "`steps` must be an integer >= 1"),
        ({"seed": 1.5}, "`seed` must be an integer"),
        ({"seed": None}, "`seed` must be an integer"),
        ({"progress": 1}, "`progress` must be True or False"),
    ],
)
def test_what_no_critic_can_judge_is_refused(change, message):
    arguments = {"real": np.zeros((20, 2)), "fake": np.zeros((20, 2))} | change
    with pytest.raises(ValueError, match=message):
        critic_distance(**arguments)


@pytest.mark.parametrize("name", ["fake", "train", "validation"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((9, 2)), "`{}` must have at least 10 examples. Received: 9"),
        (np.full((20, 2), np.inf), "`{}` must be finite"),
        (np.zeros((20, 3)), "`fake`, `train` and `validation` must have one shape"),
    ],
)
def test_sets_that_no_critic_can_judge_are_refused_by_their_own_names(name, rows, message):
    sets = dict.fromkeys(("fake", "train", "validation"), np.zeros((20, 2))) | {name: rows}
    with pytest.raises(ValueError, match=message.format(name)):
        independent_critic(**sets)


@pytest.mark.slow
def test_critics_see_bytes_as_the_shares_that_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, size=(20, 6), dtype=np.uint8)
    black, floats = np.zeros(pixels.shape, "float32"), pixels.astype("float32") / 255
    assert critic_distance(pixels, black, steps=2) == critic_distance(floats, black, steps=2)


@pytest.fixture(scope="module")
def linear():
    """q(z|x) = N(A x + a, 1)."""
    kernel = np.array([[1.0, 0.5, 0, 0], [0.0, 2.0, 0, 0]])
    model = ki.models.VAE(
        encoder=affine(kernel, [0.3, -0.2, 0, 0], (2,)),
        decoder=affine(np.eye(2), np.zeros(2), (2,)),
        likelihood="gaussian",
    )
    scale = model.posterior_family.distribution(tf.zeros([1, 4])).stddev().numpy()
    assert np.allclose(scale, 1)
    return model


def test_covariance_and_divergence_of_codes_are_those_of_the_linear_encoder(linear):
    from keras_ijae.distributions.tfp import tfp

    covariance = np.array([[1.0, 0.5], [0.5, 4.25]]) + np.eye(2)
    x = np.random.default_rng(0).normal(size=(40_000, 2)).astype("float32")
    np.testing.assert_allclose(latent_covariance(linear, x), covariance, atol=0.1)
    tfd = tfp().distributions
    exact = tfd.kl_divergence(
        tfd.MultivariateNormalFullCovariance(np.array([0.3, -0.2]), covariance),
        tfd.MultivariateNormalDiag(np.zeros(2), np.ones(2)),
    )
    assert aggregate_posterior_kl(linear, x) == pytest.approx(float(exact), abs=0.05)


NORMAL = np.random.default_rng(0).normal(size=(400, 16)).astype("float32")
FLAT = {
    "constant": np.zeros((5, 2)),
    "as many rows as dimensions": NORMAL[:16],
    "fewer rows": NORMAL[:10],
    "a difference of two, in float32": np.stack([NORMAL[:, 0], NORMAL[:, 1], NORMAL[:, 0] - NORMAL[:, 1]], axis=1),
    "weights that add up to 1": np.random.default_rng(1).dirichlet(np.ones(4), 400).astype("float32"),
}


@pytest.mark.parametrize("codes", FLAT.values(), ids=FLAT)
def test_codes_that_do_not_span_their_space_are_infinitely_far_from_the_prior(codes):
    assert aggregate_posterior_kl(SimpleNamespace(encode=lambda x, seed: codes), None) == float("inf")


def test_codes_that_span_it_narrowly_are_not():
    scales = np.array([1.0, 1e-3])
    found = aggregate_posterior_kl(SimpleNamespace(encode=lambda x, seed: NORMAL[:, :2] * scales), None)
    covariance, mean = np.cov((NORMAL[:, :2] * scales).astype(float), rowvar=False), (NORMAL[:, :2] * scales).mean(0)
    exact = (np.trace(covariance) + mean @ mean - 2 - np.log(np.linalg.det(covariance))) / 2
    assert found == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("prior", [Sphere(128), Sticks(10)], ids=["sphere", "sticks"])
def test_all_dimensions_of_codes_drawn_from_the_prior_are_active_also_where_they_are_bounded(prior):
    codes = np.array(prior.sample(2000, 1))
    model = SimpleNamespace(active_dims=None, prior=prior, posterior_family=None)
    assert active_codes(model, None, codes).all()
    codes[:, 3] *= 0.05
    assert np.flatnonzero(~active_codes(model, None, codes)).tolist() == [3]
    model.posterior_family, model.encode = "explicit", lambda x: codes
    assert np.flatnonzero(~active_codes(model, None, None)).tolist() == [3]


def test_one_row_has_no_covariance(linear):
    with pytest.raises(ValueError, match="at least two rows. Received: 1"):
        latent_covariance(linear, np.zeros((1, 2), "float32"))
