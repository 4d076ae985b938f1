"""AS-VAE: losses, the linear Gaussian joints, and that its difference of two logits is sVAE's one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from scipy.special import ndtr
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

import keras_ijae as ki
from keras_ijae.distributions.likelihoods import Gaussian
from keras_ijae.models import ASVAE, SVAE

mean, log, sigmoid, softplus = tf.reduce_mean, tf.math.log, tf.sigmoid, tf.math.softplus
X, Z = (3,), (2,)


def small(kinds=("plain", "plain"), likelihood="gaussian", **arguments):
    players, judges = kinds
    return ASVAE(
        encoder=network(players, [X], (4,)),
        decoder=network(players, [Z], X, seed=10),
        joint_discriminator=network(judges, [X, Z], (1,), seed=20),
        posterior_discriminator=network(judges, [X, Z], (1,), seed=30),
        **{"likelihood": likelihood, "ema": None, **arguments},
    )


def data(rows=5):
    return np.random.default_rng(0).normal(size=(rows, *X))


def raw(scale):
    """The output of an encoder for this scale of a diagonal posterior."""
    return np.log(np.expm1(scale - 1e-5)) - np.log(np.expm1(1 - 1e-5))


def retyped(model, x, weight):
    """In probabilities; f_1 and f_2 = -D."""
    x = tf.constant(x)

    def q(x):
        outputs = model.encoder(x, training=True)
        return outputs[:, :2], 1e-5 + softplus(outputs[:, 2:] + np.log(np.expm1(1 - 1e-5)))

    def sigma():
        return 1e-5 + tf.exp(model.likelihood.trainable_variables[0])

    def f(number, x, z):
        judge = model.joint_discriminator if number == 1 else model.posterior_discriminator
        return (1 if number == 1 else -1) * judge([x, z], training=True)

    def log_normal(value, mu, scale):
        return tf.reduce_sum(-((value - mu) ** 2) / (2 * scale**2) - log(2 * np.pi * scale**2) / 2, 1)

    def losses(phase, noise):
        z = noise["z"]

        def z_q():
            mu, scale = q(x)
            return mu + scale * noise["code"]

        def x_p():
            outputs = model.decoder(z, training=True)
            return outputs + (sigma() * tf.math.ndtri(noise["observation"]) if model.observation == "draw" else 0)

        def players():
            zq, xp = z_q(), x_p()
            symmetric = mean(f(1, xp, z) - f(2, xp, z)) - mean(f(1, x, zq) - f(2, x, zq))
            if weight is None:
                return symmetric
            likelihoods = log_normal(x, model.decoder(zq, training=True), sigma()), log_normal(z, *q(xp))
            return symmetric - weight * sum(map(mean, likelihoods))

        if phase == "players":
            return {"encoder": players, "decoder": players}
        return {
            "joint_discriminator": lambda: -mean(log(sigmoid(f(1, x_p(), z)))) - mean(log(1 - sigmoid(f(1, x, z)))),
            "posterior_discriminator": lambda: -mean(log(sigmoid(f(2, x, z_q())))) - mean(log(1 - sigmoid(f(2, x, z)))),
        }

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, observation, weight, steps",
    [
        (("plain", "spectral"), "draw", 0.7, (1, 1)),
        pytest.param(("plain", "plain"), "mean", None, (2, 1), marks=pytest.mark.slow),
        pytest.param(("plain", "batch"), "mean", 1.0, (1, 2), marks=pytest.mark.slow),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds, observation, weight, steps):
    about = {"discriminator_steps": steps[0], "player_steps": steps[1], "cycle_weight": weight}
    unused = weight is None and observation == "mean"  # nothing depends on a scale
    model, x = small(kinds, "gaussian" if unused else "learned_gaussian", observation=observation, **about), data()
    turns, logs = check_one_step(model, x, retyped(model, x, weight))
    assert [turn.phase for turn in turns] == ["discriminators"] * steps[0] + ["players"] * steps[1]
    assert {"posterior_discriminator_accuracy", "symmetric_kl_estimate_sum"} <= set(logs)
    assert ("code_cycle" in logs) == (weight is not None)


# Golden values: q: x ~ N(0, 1.5), z|x ~ N(.6 x, .3); p: z ~ N(0, 1), x|z ~ N(.9 z, .4) ------------------------------


def analytic(**arguments):
    """The two linear joints, with the best f_1 and D; data at all nodes."""
    of_joint = [[1 / 1.5 - 1 / 0.4, 0.9 / 0.4], [0.9 / 0.4, -0.81 / 0.4]]
    of_prior = [[0.36 / 0.3, -0.6 / 0.3], [-0.6 / 0.3, 1 / 0.3 - 1]]
    model = ASVAE(
        encoder=affine([[0.6, 0.0]], [0.0, raw(np.sqrt(0.3))]),
        decoder=affine([[0.9]]),
        joint_discriminator=quadratic(of_joint, c=np.log(1.5 / 0.4) / 2, sizes=(1, 1)),
        posterior_discriminator=quadratic(of_prior, c=np.log(0.3) / 2, sizes=(1, 1)),
        likelihood=Gaussian(np.sqrt(0.4)),
        observation="draw",
        ema=None,
        **arguments,
    )
    x, e, z, e_ = signs(4).T[..., None]
    inject(model, code=e, z=z, observation=ndtr(e_), code_cycle=e, observation_cycle=ndtr(e_))
    return model, np.sqrt(1.5) * x


@pytest.mark.usefixtures("float64")
def test_the_difference_of_the_best_two_logits_tells_the_symmetric_divergence_of_the_joints():
    model, x = analytic()
    np.testing.assert_allclose(
        play_phase(model, x, model.noise(None), "players").logs["symmetric_kl_estimate_sum"], 0.1165
    )


@pytest.mark.usefixtures("float64")
def test_held_fixed_they_give_each_player_the_gradient_of_its_own_divergence():
    """d/da KL(q||p) = -.6525 and d/dc KL(p||q) = -.32; of the sum of both they are -1.2325 and -.68."""
    model, x = analytic(cycle_weight=None)
    found = {}
    for move in ("encoder", "decoder"):
        weights = getattr(model, move).trainable_variables[:1]
        found[move] = loss_gradient(model, x, model.noise(None), "players", move, weights)[0].numpy()[0, 0]
    np.testing.assert_allclose([found["encoder"], found["decoder"]], [-0.6525, -0.32], atol=1e-8)


@pytest.mark.usefixtures("float64")
def test_the_log_likelihoods_are_those_of_the_conditionals_and_weighted_at_run_time():
    """E_q -log p(x|z) = .5604 / .8 + log(.8 pi) / 2, E_p -log q(z|x) = .3556 / .6 + log(.6 pi) / 2."""
    model, x = analytic(cycle_weight=2.0)
    played = play_phase(model, x, model.noise(None), "players")
    expected = 0.5604 / 0.8 + np.log(0.8 * np.pi) / 2, 0.3556 / 0.6 + np.log(0.6 * np.pi) / 2
    np.testing.assert_allclose([played.logs[f"{name}_cycle"] for name in ("observation", "code")], expected, atol=1e-8)
    np.testing.assert_allclose(played.losses["encoder"], 0.1165 + 2 * sum(expected), atol=1e-8)
    model.cycle_weight.assign(0.5)
    np.testing.assert_allclose(
        play_phase(model, x, model.noise(None), "players").losses["decoder"], 0.1165 + sum(expected) / 2, atol=1e-8
    )


@pytest.mark.usefixtures("float64")
def test_the_players_are_those_of_svae_with_the_difference_as_its_logit():
    model, x = small(observation="draw", cycle_weight=0.7), data()
    pair = [keras.Input(X), keras.Input(Z)]
    f = keras.Model(pair, model.joint_discriminator(pair) + model.posterior_discriminator(pair))
    about = {"posterior": "diagonal", "likelihood": "gaussian", "cycle": "likelihood", "cycle_weight": 0.7, "ema": None}
    svae = SVAE(encoder=model.encoder, decoder=model.decoder, joint_discriminator=f, **about)
    noise = {
        name: value.numpy()
        for name, value in model.noise(ki.random.Draws(ki.random.fold(3), 5, dtype="float64")).items()
    }
    ours, theirs = (play_phase(game, x, noise, "players").losses["encoder"] for game in (model, svae))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_what_the_discriminators_see_of_the_decoder_is_the_mean_unless_it_is_to_be_drawn():
    x = data().astype("float32")
    for observation, differs in (("mean", False), ("draw", True)):
        model = small(observation=observation)
        noise = model.noise(ki.random.Draws(ki.random.fold(3), 5))
        noise = {name: value.numpy() for name, value in noise.items()}
        found = model.forward(ki.game.Batch(tf.constant(x)), noise, "players")["x_p"]
        assert (np.abs(found - model.decoder(noise["z"])).max() > 1e-2) == differs


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"posterior": "implicit"}, "`posterior` must have a density. Received: posterior='implicit'"),
        ({"likelihood": "deterministic"}, "`likelihood` must have a density. Received: likelihood='deterministic'"),
        ({"likelihood": "bernoulli"}, "`likelihood` must be .* have a density. Received: 'bernoulli'"),
        ({"posterior": "planar"}, "needs densities q"),
        ({"observation": "mode"}, "`observation` must be one of 'mean', 'draw'. Received: observation='mode'"),
        ({"cycle_weight": -1.0}, "`cycle_weight` must be a finite number >= 0. Received: cycle_weight=-1.0"),
        ({"player_steps": 0}, "`player_steps` must be an integer >= 1. Received: player_steps=0"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)


def test_it_is_marked_experimental():
    assert ki.list_models()["as_vae"].startswith("experimental") and "experimental" in ASVAE.__doc__


@pytest.mark.slow
def test_recovers_a_gaussian_in_1500_steps():
    model = ASVAE(
        encoder=affine(np.concatenate([0.3 * np.eye(2), np.zeros((2, 2))], axis=1), [0, 0, 0, 0], (2,)),
        decoder=affine(0.3 * np.eye(2), [0, 0], (2,)),
        joint_discriminator=network("plain", [(2,), (2,)], (1,), hidden=32),
        posterior_discriminator=network("plain", [(2,), (2,)], (1,), hidden=32),
        likelihood="learned_gaussian",
        observation="draw",
        cycle_weight=None,  # the likelihoods would take from the variance
        ema=0.99,
    )
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.15, covariance=0.2, observation="draw")
