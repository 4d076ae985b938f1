"""VAE-GAN against its paper: losses and who sees which, the balance, layers of features."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from systems import LATENT, SHAPE, create, images
from tiny import float64, inject, network, play_phase  # noqa: F401

import keras_ijae as ki
from keras_ijae import random
from keras_ijae.models import VAEGAN
from keras_ijae.models.judging import Features

mean, log, sigmoid, softplus = tf.reduce_mean, tf.math.log, tf.sigmoid, tf.math.softplus
X, Z = (3,), (2,)
HIDDEN = 2  # index of the layer before the last activation of `network("plain", ...)`


def judge(kind="plain"):
    return network(kind, [X], (1,), seed=20)


def small(kinds=("plain", "plain"), **arguments):
    players, kind = kinds
    networks = {"encoder": network(players, [X], (4,)), "decoder": network(players, [Z], X, seed=10)}
    return VAEGAN(**{**networks, "discriminator": judge(kind), "ema": None, "margin": None, **arguments})


def data(rows=5):
    return np.random.default_rng(0).normal(size=(rows, *X))


def noise_of(model, rows=5):
    drawn = model.noise(random.Draws(random.fold(3), rows, dtype=keras.config.floatx()))
    return {name: value.numpy() for name, value in drawn.items()}


def retyped(model, x, gamma, scale, objective):
    """Larsen et al. 2016 in probabilities: L_prior, L_like of the layer, L_GAN."""
    x, layer = tf.constant(x), model.discriminator.layers[HIDDEN]
    inside = keras.Model(model.discriminator.inputs[0], layer.output)

    def d(y):
        return sigmoid(model.discriminator(y, training=True))

    def losses(phase, noise):
        def q():
            outputs = model.encoder(x, training=True)
            return outputs[:, :2], 1e-5 + softplus(outputs[:, 2:] + np.log(np.expm1(1 - 1e-5)))

        def g(z):
            return model.decoder(z, training=True)

        def rec():
            mu, sigma = q()
            return g(mu + sigma * noise["code"])

        def like():
            difference = inside(x, training=True) - inside(rec(), training=True)
            return mean(tf.reduce_sum(difference**2, axis=1)) / (2 * scale**2)

        def halves(function):
            fakes = [g(noise["z"]), *([rec()] if model.fakes == "samples_and_reconstructions" else [])]
            return sum(mean(function(d(fake))) for fake in fakes) / len(fakes)

        def encoder():
            mu, sigma = q()
            return mean(tf.reduce_sum((mu**2 + sigma**2 - 1) / 2 - log(sigma), axis=1)) + like()

        def decoder():
            fooled = (lambda p: log(1 - p)) if objective == "minimax" else (lambda p: -log(p))
            return gamma * like() + halves(fooled)

        def discriminator():
            return -mean(log(d(x))) - halves(lambda p: log(1 - p))

        return {phase: {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}[phase]}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, fakes, objective",
    [
        (("plain", "spectral"), "samples_and_reconstructions", "non_saturating"),
        pytest.param(("plain", "plain"), "samples", "minimax", marks=pytest.mark.slow),
        pytest.param(("batch", "batch"), "samples", "non_saturating", marks=pytest.mark.slow),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_at_the_weights_of_its_beginning(kinds, fakes, objective):
    about = {"gamma": 0.3, "feature_scale": 0.5, "feature_layer": HIDDEN, "objective": objective, "fakes": fakes}
    model, x = small(kinds, **about), data()
    at_once = AtOnce(model, retyped(model, x, 0.3, 0.5, objective))
    turns, logs = check_one_step(model, x, at_once)
    assert [turn.phase for turn in turns] == ["encoder", "decoder", "discriminator"]
    assert len({turn.noise["z"].numpy().tobytes() for turn in turns}) == 1
    assert {"kl_nats_sum", "feature_squared_error_sum", "discriminator_real_cost"} <= set(logs)


class AtOnce:
    """Losses at the weights with which the step began, but for those that move: all phases share one pass."""

    def __init__(self, model, losses):
        self.model, self.losses, self.start = model, losses, None

    def __call__(self, phase, noise):
        if self.start is None:
            self.start = {role: network.get_weights() for role, network in self.model.networks.items()}
        (loss,) = self.losses(phase, noise).values()
        others = [role for role in self.model.networks if role != phase]

        def before():
            for role in others:
                for weight, value in zip(self.model.networks[role].weights, self.start[role], strict=True):
                    weight.assign(value)
            return loss()

        return {phase: before}


def step_of(model):
    """What one step of SGD does to each network."""
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    before = {role: network.get_weights() for role, network in model.networks.items()}
    inject(model, **noise_of(model))
    model.train_step(tf.constant(data().astype("float32")))
    return {
        role: np.concatenate([(a - b).ravel() for a, b in zip(before[role], network.get_weights(), strict=True)])
        for role, network in model.networks.items()
    }


def test_no_gradient_of_the_gan_reaches_the_encoder_and_none_of_the_likelihood_the_discriminator():
    """The encoder's step is the same whatever the GAN's loss and fakes are, the discriminator's whatever the scale."""
    plain, other, sharp = (
        step_of(small(**about))
        for about in ({}, {"objective": "minimax", "fakes": "samples_and_reconstructions"}, {"feature_scale": 0.01})
    )
    np.testing.assert_allclose(plain["encoder"], other["encoder"], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(plain["discriminator"], sharp["discriminator"])
    assert np.abs(plain["encoder"] - sharp["encoder"]).max() > 1e-2
    assert np.abs(plain["discriminator"] - other["discriminator"]).max() > 1e-4
    assert np.abs(plain["decoder"] - sharp["decoder"]).max() > 1e-3


@pytest.mark.parametrize("fakes", ["samples", "samples_and_reconstructions"])
def test_at_equality_of_data_and_fakes_a_logit_of_zero_is_best(fakes):
    """Fakes are averaged: summed, the best would be -log 2."""
    model = small(fakes=fakes)
    logits = tf.Variable(np.full((1, 1), 0.4, "float32"))
    forward = {"kl": tf.zeros(1), "squared": tf.zeros(1), "real": logits}
    with tf.GradientTape() as tape:
        forward |= {"real": logits + 0, "fake": tf.repeat(logits, 1 if fakes == "samples" else 2, axis=0)}
        loss = model.losses(None, None, "discriminator", forward).losses["discriminator"]
    assert tape.gradient(loss, logits).numpy() > 0
    at_zero = model.losses(None, None, "discriminator", forward | {"real": tf.zeros((1, 1)), "fake": tf.zeros((2, 1))})
    np.testing.assert_allclose(at_zero.losses["discriminator"], np.log(4), rtol=1e-6)


@pytest.mark.parametrize(
    "real, fake, plays",
    [
        (0.69, 0.69, (True, True)),
        (0.2, 0.69, (False, True)),  # D is sure of the data: it rests
        (0.69, 0.3, (False, True)),
        (1.1, 0.69, (True, False)),  # D is fooled: G rests
        (0.69, 1.2, (True, False)),
        (0.2, 1.2, (True, True)),  # both would rest
    ],
)
def test_who_rests_is_what_the_costs_say(real, fake, plays):
    model = small(margin=0.35)
    logs = {"discriminator_real_cost": tf.constant(real), "discriminator_fake_cost": tf.constant(fake)}
    rules = {phase.name: phase.balance for phase in model.phases}
    assert rules["encoder"] is None
    assert (bool(rules["discriminator"](logs)), bool(rules["decoder"](logs))) == plays
    assert all(phase.balance is None for phase in small().phases)


@pytest.mark.parametrize("equilibrium, resting", [(100.0, "discriminator"), (1e-6, "decoder")])
def test_who_rests_does_not_move_while_the_encoder_does(equilibrium, resting):
    moved = step_of(small(margin=1e-7, equilibrium=equilibrium))
    assert {role for role, change in moved.items() if not change.any()} == {resting}


# Layers of features -------------------------------------------------------------------------------------------------


def test_by_default_features_are_of_the_last_map_or_of_the_last_hidden_layer():
    for family, shape, expected in (("mlp", SHAPE, (8,)), ("dcgan", (16, 16, 1), (4, 4, 16)), ("mlp", (6,), (8,))):
        model = ki.create("vae_gan", data_shape=shape, latent_dim=LATENT, networks=family, width=8)
        assert model.features.alone.output.shape[1:] == expected, family
    conditional = ki.create("vae_gan", data_shape=(16, 16, 1), latent_dim=2, networks="dcgan", width=8, classes=3)
    assert conditional.features.alone.output.shape[1:] == (4, 4, 16)


def test_a_layer_can_be_named_or_counted_and_is_that_of_a_loaded_model(tmp_path):
    discriminator = create("vae_gan").discriminator
    name = discriminator.layers[2].name
    for layer in (name, 2, 2 - len(discriminator.layers)):
        model = create("vae_gan", feature_layer=layer, discriminator=discriminator)
        found = model.features.alone(images(3))
        np.testing.assert_array_equal(
            found, keras.Model(discriminator.inputs[0], discriminator.layers[2].output)(images(3))
        )
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.feature_layer == model.feature_layer
    np.testing.assert_allclose(loaded.features.alone(images(3)), found, atol=1e-6)


def test_the_features_are_the_discriminators_as_its_weights_are_and_add_none():
    model = small()
    own = sum(len(network.weights) for network in model.networks.values())
    assert len({id(weight) for weight in model.trainable_variables}) == own
    before = model.features.alone(np.ones((1, 3)))
    model.discriminator.trainable_variables[0].assign_add(tf.ones_like(model.discriminator.trainable_variables[0]))
    assert np.abs(model.features.alone(np.ones((1, 3))) - before).max() > 1e-2


def test_features_of_a_network_in_a_wrapper_are_its_own_and_a_network_can_be_a_layer():
    inner = network("plain", [X], (1,))
    x = keras.Input(X)
    wrapped = small(discriminator=keras.Model(x, inner(x)))
    plain = small(discriminator=inner)
    np.testing.assert_allclose(wrapped.features.alone(np.ones((2, 3))), plain.features.alone(np.ones((2, 3))))
    backbone = network("plain", [X], (5,))
    headed = small(discriminator=keras.Model(x, keras.layers.Dense(1)(backbone(x))))
    np.testing.assert_allclose(headed.features.alone(np.ones((2, 3))), backbone(np.ones((2, 3))), rtol=1e-6)
    chain = small(discriminator=keras.Sequential([keras.Input(X), keras.layers.Dense(4), keras.layers.Dense(1)]))
    assert chain.features.alone.output.shape[1:] == (4,)
    layers = [
        keras.layers.Dense(4),
        keras.layers.Dense(1),
        keras.layers.Activation("linear"),
        keras.layers.Reshape((1,)),
    ]
    chain = small(discriminator=keras.Sequential([keras.Input(X), *layers]))
    assert chain.features.alone.output.shape[1:] == (4,)  # not the logit
    with pytest.raises(ValueError, match="`discriminator` must have a layer before its logit, in whose features"):
        small(discriminator=keras.Sequential([keras.Input(X), keras.layers.Dense(1)]))


def test_the_features_of_convolutions_are_not_those_that_are_the_logit():
    maps = [keras.layers.Conv2D(3, 3), keras.layers.Conv2D(1, 2), keras.layers.Flatten()]  # of 4 x 4 pixels
    features = Features(keras.Sequential([keras.Input((4, 4, 1)), *maps]), None)
    assert features.alone.output.shape[1:] == (2, 2, 3)


class Opaque(keras.Model):
    def call(self, x, training=False):
        return keras.ops.sum(x, axis=1, keepdims=True)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"feature_layer": "conv_9"},
            "`feature_layer` must be None, or the name or index .*1: .*'conv_9'",
        ),
        ({"feature_layer": 99}, "`feature_layer` must be None, or the name or index .*Received: feature_layer=99"),
        ({"feature_layer": 0}, "`feature_layer` must be .*Received: feature_layer=0"),
        ({"feature_layer": True}, "`feature_layer` must be .*Received: feature_layer=True"),
        ({"feature_scale": 0.0}, "`feature_scale` must be a finite number > 0. Received: feature_scale=0.0"),
        ({"gamma": -1.0}, "`gamma` must be a finite number >= 0. Received: gamma=-1.0"),
        ({"fakes": "both"}, "`fakes` must be one of 'samples', 'samples_and_reconstructions'. Received: fakes='both'"),
        ({"margin": -0.1}, "`margin` must be .*>= 0.*None.* Received: margin=-0.1"),
        ({"equilibrium": 0.0}, "`equilibrium` must be a finite number > 0. Received: equilibrium=0.0"),
        ({"objective": "wasserstein"}, "`objective` must be one of 'minimax'"),
        ({"prior": "uniform"}, "`prior` must have a density wherever codes of DiagonalGaussian are"),
        ({"discriminator": Opaque()}, "`discriminator` must be a functional or sequential model.*Received: Opaque"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    networks = {"encoder": network("plain", [X], (4,)), "decoder": network("plain", [Z], X)}
    with pytest.raises(ValueError, match=message):
        VAEGAN(**{**networks, "discriminator": judge(), **arguments})


def test_a_layer_that_sees_labels_alone_is_refused():
    x, labels = keras.Input((3,)), keras.Input((2,))
    of_labels = keras.layers.Dense(2, name="of_labels")(labels)
    both = keras.layers.Concatenate()([x, of_labels])
    blind = keras.Model([x, labels], keras.layers.Dense(1)(both))
    networks = {"encoder": network("plain", [X, (2,)], (4,)), "decoder": network("plain", [Z, (2,)], X)}
    assert VAEGAN(**networks, discriminator=blind, classes=2).features.alone.output.shape[-1] == 5
    with pytest.raises(ValueError, match="`feature_layer` must be .*looks at observations.*'of_labels'"):
        VAEGAN(**networks, discriminator=blind, classes=2, feature_layer="of_labels")


def test_values_stay_finite_where_logits_and_features_are_huge():
    model = small()
    model.discriminator.set_weights([1e4 * weight for weight in model.discriminator.get_weights()])
    for phase in model.phases:
        played = play_phase(model, data().astype("float32"), noise_of(model), phase.name)
        assert all(np.isfinite(value) for value in {**played.losses, **played.logs}.values())


def test_the_weight_of_the_likelihood_is_read_at_run_time():
    model, at = small(), []
    for gamma in (0.0, 1.0, 2.0):
        model.gamma.assign(gamma)
        at.append(float(play_phase(model, data().astype("float32"), noise_of(model), "decoder").losses["decoder"]))
    assert at[1] - at[0] > 1e-3 and at[2] - at[1] == pytest.approx(at[1] - at[0], rel=1e-3)
