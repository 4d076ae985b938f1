"""AVB against its paper: losses, the KL of the linear Gaussian case and its gradient, a target recovered."""

import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import (  # noqa: F401
    affine,
    check_samples,
    float64,
    inject,
    loss_gradient,
    network,
    play_phase,
    quadratic,
    signs,
    train_on_gaussian,
)

from keras_ijae import random
from keras_ijae.distributions.priors import GaussianMixture
from keras_ijae.models import AVB

mean, log, sigmoid = tf.reduce_mean, tf.math.log, tf.sigmoid
X, Z, XI = (3,), (2,), (2,)
A, B = 0.6, 0.8  # q(z|x) = N(.6 x, .64)
KL, SLOPES = 0.22314355, [A, -0.45]  # E KL(q(z|x) || N(0, 1)) = -log .8, and its derivatives by A and by B


def small(kinds=("plain", "plain"), **arguments):
    players, judge = kinds
    return AVB(
        encoder=network(players, [X, XI], Z),
        decoder=network(players, [Z], X, seed=10),
        posterior_discriminator=network(judge, [X, Z], (1,), seed=20),
        **{"likelihood": "gaussian", "ema": None, **arguments},
    )


def data(rows=5):
    return np.random.default_rng(0).normal(size=(rows, *X))


def retyped(model, x, beta):
    """Mescheder et al. 2017 in probabilities, with P(prior) = sigma(D)."""
    x, pairs = tf.constant(x), model.contrast_codes

    def h(x, xi):
        return model.encoder([x, tf.cast(xi, x.dtype)], training=True)

    def d(z):
        return model.posterior_discriminator([x, z], training=True)

    def log_normal(z, mu=0.0, sigma=1.0):
        return tf.reduce_sum(-((z - mu) ** 2) / (2 * sigma**2) - log(2 * np.pi * sigma**2 + 0 * z) / 2, axis=1)

    if pairs:  # held fixed
        nodes = model.contrast_noise().numpy()
        codes = np.stack([h(x, np.tile(xi, (len(x), 1))) for xi in nodes])
        mu, sigma = codes.mean(axis=0), np.sqrt(codes.var(axis=0) + 1e-4)

    def losses(phase, noise):
        def judge():
            z = h(x, noise["code"])
            return -mean(log(sigmoid(d(noise["z"])))) - mean(log(1 - sigmoid(d((z - mu) / sigma if pairs else z))))

        def players():
            z = h(x, noise["code"])
            kl = -d((z - mu) / sigma if pairs else z)[:, 0]
            if pairs:
                kl += log_normal(z, mu, sigma) - log_normal(z)
            return mean(beta * kl - log_normal(x, model.decoder(z, training=True)))

        found = {"posterior_discriminator": judge, "auto_encoder": players}
        return found if phase == "all" else {phase: found[phase]}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, beta, codes, steps",
    [
        (("plain", "spectral"), 0.7, 4, 1),
        pytest.param(("batch", "plain"), 1.0, None, 1, marks=pytest.mark.slow),
        pytest.param(("plain", "plain"), 0.7, None, 2, marks=pytest.mark.slow),
        pytest.param(("plain", "batch"), 1.0, 2, 2, marks=pytest.mark.slow),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds, beta, codes, steps):
    model, x = small(kinds, beta=beta, contrast_codes=codes, discriminator_steps=steps), data()
    turns, logs = check_one_step(model, x, retyped(model, x, beta))
    judge = "posterior_discriminator"
    assert [turn.phase for turn in turns] == (["all"] if steps == 1 else [judge, judge, "auto_encoder"])
    assert len({turn.noise["code"].numpy().tobytes() for turn in turns}) == len(turns)
    assert {"kl_estimate_sum", "log_likelihood_density_nats_sum", f"{judge}_accuracy"} <= set(logs)


# The linear Gaussian case: x ~ N(0, 1), z = A x + B xi, D the best -------------------------------------------------


def analytic(codes=None, beta=1.0):
    """The linear Gaussian model with the best D, and data at all nodes (x, xi); p(x|z) does not depend on z."""
    discriminator = quadratic(np.zeros((2, 2)), sizes=(1, 1))
    about = {"likelihood": "gaussian", "contrast_codes": codes, "beta": beta, "ema": None}
    model = AVB(
        encoder=affine([[A], [B]], sizes=(1, 1)),
        decoder=affine([[0.0]], [0.0]),
        posterior_discriminator=discriminator,
        **about,
    )
    layer = discriminator.layers[-1]
    if codes is None:  # D = log N(z; 0, 1) - log N(z; A x, B^2)
        layer.a = np.array([[A**2, -A], [-A, 1 - B**2]]) / B**2
        layer.c = np.log(B)
    else:  # z~ ~ N(0, (B / sigma)^2)
        ratio = B / np.sqrt(B**2 * spread(model) + 1e-4)
        layer.a, layer.c = np.diag([0.0, 1 / ratio**2 - 1]), np.log(ratio)
    nodes = signs(2)
    inject(model, code=nodes[:, 1:], z=nodes[:, 1:])
    return model, nodes[:, :1]


def spread(model):
    return np.var(model.contrast_noise().numpy().astype("float64"))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("codes", [None, 2, 6])
def test_the_best_discriminator_tells_the_kl_of_the_linear_gaussian_case(codes):
    """E T* = .22314355 nats; adaptive contrast gives the same, whatever its mu and sigma are."""
    model, x = analytic(codes)
    estimate = play_phase(model, x, model.noise(None), "all").logs["kl_estimate_sum"]
    np.testing.assert_allclose(estimate, KL, atol=1e-8)
    assert codes is None or abs(spread(model) - 1) > 1e-3  # sigma is not B


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("codes", [None, 2, 6])
@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_with_that_discriminator_held_fixed_the_encoder_has_the_gradient_of_the_kl(codes, beta):
    model, x = analytic(codes, beta)
    (slope,) = loss_gradient(model, x, model.noise(None), "all", "auto_encoder", model.encoder.trainable_variables)
    np.testing.assert_allclose(slope[:, 0], beta * np.array(SLOPES), atol=1e-8)


@pytest.mark.usefixtures("float64")
def test_the_weight_of_the_kl_is_read_at_run_time():
    model, x = analytic()
    at = {}
    for beta in (0.0, 2.0):
        model.beta.assign(beta)
        at[beta] = play_phase(model, x, model.noise(None), "all").losses["auto_encoder"]
    np.testing.assert_allclose(at[2.0] - at[0.0], 2 * KL, atol=1e-8)


def test_the_noise_of_the_contrast_is_that_of_the_seed_and_of_nothing_else():
    model, same, other = (small(contrast_codes=4, seed=seed) for seed in (0, 0, 1))
    nodes = model.contrast_noise().numpy()
    np.testing.assert_array_equal(nodes, same.contrast_noise())
    assert not np.array_equal(nodes, other.contrast_noise())
    np.testing.assert_allclose(nodes.mean(axis=0), 0, atol=1e-7)
    assert nodes.shape == (4, 2)


def test_evaluation_names_what_is_an_estimate_and_claims_no_bound():
    model, x = small(contrast_codes=4), data(8).astype("float32")
    model.compile(run_eagerly=True)
    found = model.evaluate(x, batch_size=8, verbose=0, return_dict=True)
    assert {"kl_estimate_sum", "log_likelihood_density_nats_sum"} <= set(found)
    assert not any("elbo" in name or "kl_nats" in name for name in found)
    assert found["loss"] == found["squared_error_sum"]


def test_values_stay_finite_where_codes_are_huge_or_have_no_spread():
    x = data().astype("float32")
    for scale in (0.0, 1e6):
        model = small(contrast_codes=4)
        model.encoder.set_weights([scale * weight for weight in model.encoder.get_weights()])
        noise = {name: value.numpy() for name, value in model.noise(random.Draws(random.fold(3), 5)).items()}
        played = play_phase(model, x, noise, "all")
        assert all(np.isfinite(value) for value in {**played.losses, **played.logs}.values())


def test_a_learned_prior_moves_where_its_density_is_in_the_loss():
    with pytest.raises(ValueError, match="`prior` has weights to learn, which no move of AVB changes"):
        small(prior="mixture")
    assert "prior" in small(prior="mixture", contrast_codes=2).moves[0].networks


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"contrast_codes": 3}, "`contrast_codes` must be an even number, or None. Received: contrast_codes=3"),
        ({"contrast_codes": 0}, "`contrast_codes` must be an integer >= 2. Received: contrast_codes=0"),
        ({"contrast_codes": 2.0}, "`contrast_codes` must be an integer >= 2. Received: contrast_codes=2.0"),
        ({"beta": -1.0}, "`beta` must be a finite number >= 0. Received: beta=-1.0"),
        ({"discriminator_steps": 0}, "`discriminator_steps` must be an integer >= 1. Received"),
        ({"likelihood": "gausian"}, "`likelihood` must be one of .*'gaussian'"),
        (
            {"prior": "uniform"},
            "`prior` must have a density wherever codes of implicit .*Received: Uniform",
        ),
        ({"prior": "sphere"}, "`prior` must have a density wherever codes of implicit .*Received: Sphere"),
        ({"encoder": network("plain", [X], Z)}, r"`encoder` must take noise beside x.*Give it \[x, noise\] as inputs"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    networks = {"encoder": network("plain", [X, XI], Z), "decoder": network("plain", [Z], X)}
    judge = network("plain", [X, Z], (1,))
    with pytest.raises(ValueError, match=message):
        AVB(**{**networks, "posterior_discriminator": judge, "likelihood": "gaussian", **arguments})


def test_a_prior_that_is_fitted_later_is_taken_for_what_it_is_now():
    assert isinstance(small(prior="gmm").prior, GaussianMixture)


@pytest.mark.slow
@pytest.mark.parametrize(("codes", "steps"), [(None, 3), (4, 1)])
def test_recovers_a_gaussian_in_1500_steps(codes, steps):
    model = AVB(
        encoder=affine(np.concatenate([0.3 * np.eye(2), 0.5 * np.eye(2)]), [0, 0], (2, 2)),
        decoder=affine(0.3 * np.eye(2), [0, 0], (2,)),
        posterior_discriminator=network("plain", [(2,), (2,)], (1,), hidden=32),
        likelihood="learned_gaussian",
        contrast_codes=codes,
        discriminator_steps=steps,
        ema=0.99,
    )
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.12, covariance=0.25, observation="draw")
