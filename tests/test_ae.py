"""Auto-encoders with fixed priors against their papers: losses, gradients, codes that come to the prior."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from test_mmd import double_loop
from tiny import (  # noqa: F401
    affine,
    check_samples,
    expected,
    float64,
    gaussian_data,
    inject,
    loss_gradient,
    network,
    quadratic,
    signs,
    train_on_gaussian,
)

from keras_ijae.game import Batch
from keras_ijae.models import AAE, AE, WAEGAN, WAEMMD

mean, log, sigmoid = tf.reduce_mean, tf.math.log, tf.sigmoid


def small(cls, implicit=False, players="plain", judges="plain", shape=(3,), **arguments):
    encoder = network(players, [shape, (2,)] if implicit else [shape], (2,))
    networks = [encoder, network(players, [(2,)], shape, seed=10)]
    if cls in (AAE, WAEGAN):
        networks.append(network(judges, [(2,)], (1,), seed=20))
    return made(cls, *networks, ema=None, **arguments)


def made(cls, *networks, **arguments):
    """A system of these networks, in the order of its roles."""
    roles = [role.name for role in cls.ROLES]
    return cls(**dict(zip(roles, networks, strict=True)), **arguments)


def kernel_mmd(a, b):
    """The double loop of test_mmd.py, on tensors."""
    n, total = a.shape[0], 0.0
    c = tf.constant(4.0 * np.array([0.1, 0.2, 0.5, 1, 2, 5, 10]))
    k = lambda u, v: tf.reduce_sum(c / (c + tf.reduce_sum((u - v) ** 2)))  # noqa: E731
    for i in range(n):
        for j in range(n):
            if i != j:
                total += (k(a[i], a[j]) + k(b[i], b[j])) / (n * n - n)
            total -= 2 * k(a[i], b[j]) / n**2
    return total


def retyped(model, x, weight=0.0):
    """Makhzani et al. 2015 and Tolstikhin et al. 2018, algorithms 1 and 2, in probabilities."""
    x = tf.constant(x)

    def e(xi):
        return model.encoder([x, xi] if len(model.encoder.inputs) == 2 else x, training=True)

    def c(z):
        return model.code_discriminator(z, training=True)

    def error(xi):
        rec = model.decoder(e(xi), training=True)
        return mean(tf.reduce_sum((x - rec) ** 2, axis=1))

    def fooled(xi):
        return -mean(log(sigmoid(c(e(xi)))))

    def losses(phase, noise):
        xi, fixed = noise["code"], e(noise["code"])
        if phase == "code_discriminator":
            z = noise["z"]
            return {"code_discriminator": lambda: -mean(log(sigmoid(c(z)))) - mean(log(1 - sigmoid(c(fixed))))}
        if phase == "encoder":
            return {"encoder": lambda: fooled(xi)}
        if isinstance(model, WAEGAN):
            return {"auto_encoder": lambda: 0.05 * error(xi) + weight * fooled(xi)}
        if isinstance(model, WAEMMD):
            return {"auto_encoder": lambda: 0.05 * error(xi) + weight * kernel_mmd(e(xi), noise["z"])}
        return {"auto_encoder": lambda: error(xi)}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "cls, implicit, kinds, arguments, phases",
    [
        (AE, True, ("batch", "plain"), {}, ["auto_encoder"]),
        (AAE, False, ("batch", "spectral"), {}, ["reconstruction", "code_discriminator", "encoder"]),
        (AAE, True, ("plain", "batch"), {}, ["reconstruction", "code_discriminator", "encoder"]),
        (WAEGAN, False, ("plain", "spectral"), {"penalty_weight": 10.0}, ["code_discriminator", "auto_encoder"]),
        (WAEGAN, True, ("batch", "plain"), {"penalty_weight": 0.3}, ["code_discriminator", "auto_encoder"]),
        (WAEMMD, False, ("batch", "plain"), {"penalty_weight": 10.0}, ["auto_encoder"]),
        (WAEMMD, True, ("plain", "plain"), {"penalty_weight": 0.3}, ["auto_encoder"]),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(cls, implicit, kinds, arguments, phases):
    model, x = small(cls, implicit, *kinds, **arguments), np.random.default_rng(0).normal(size=(5, 3))
    turns, logs = check_one_step(model, x, retyped(model, x, arguments.get("penalty_weight", 0.0)))
    assert [turn.phase for turn in turns] == phases
    assert {f"{move.name}_loss" for move in model.moves} <= set(logs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(4,), (2, 3, 1)])
def test_the_error_is_a_sum_over_dimensions_and_a_mean_over_the_batch(shape):
    model, x = small(WAEMMD, shape=shape, penalty_weight=0.0), np.random.default_rng(0).uniform(size=(3, *shape))
    inject(model, code=np.zeros((3, 0)), z=np.zeros((3, 2)))
    forward = model.forward(Batch(tf.constant(x)), model.noise(None), "auto_encoder")
    played = model.losses(Batch(tf.constant(x)), model.noise(None), "auto_encoder", forward)
    error = np.sum((x - forward["rec"].numpy()) ** 2) / 3
    np.testing.assert_allclose(played.logs["squared_error_sum"], error, rtol=1e-12)
    np.testing.assert_allclose(played.losses["auto_encoder"], 0.05 * error, rtol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("prior", "variance"), [("sphere", 1 / 2), ("uniform", 1 / 3)])
def test_the_kernels_are_as_wide_as_the_prior(prior, variance):
    model, x = small(WAEMMD, prior=prior), np.random.default_rng(0).normal(size=(6, 3))
    inject(model, code=np.zeros((6, 0)), z=np.random.default_rng(1).normal(size=(6, 2)))
    noise, forward = model.noise(None), model.forward(Batch(tf.constant(x)), model.noise(None), "auto_encoder")
    played = model.losses(Batch(tf.constant(x)), noise, "auto_encoder", forward)
    expected = double_loop(forward["code"].numpy(), noise["z"].numpy(), variance)
    np.testing.assert_allclose(played.logs["mmd_squared"], expected, rtol=1e-10)


@pytest.mark.usefixtures("float64")
def test_the_kernel_penalty_is_the_mmd_of_codes_and_prior_times_a_weight_read_at_run_time():
    model, x = small(WAEMMD, penalty_weight=2.0), np.random.default_rng(0).normal(size=(6, 3))
    inject(model, code=np.zeros((6, 0)), z=np.random.default_rng(1).normal(size=(6, 2)))
    noise, forward = model.noise(None), model.forward(Batch(tf.constant(x)), model.noise(None), "auto_encoder")
    mmd = double_loop(forward["code"].numpy(), noise["z"].numpy())
    for weight in (2.0, 0.5):
        model.penalty_weight.assign(weight)
        played = model.losses(Batch(tf.constant(x)), noise, "auto_encoder", forward)
        np.testing.assert_allclose(played.logs["mmd_squared"], mmd, rtol=1e-10)
        error = played.logs["squared_error_sum"]
        np.testing.assert_allclose(played.losses["auto_encoder"], 0.05 * error + weight * mmd, rtol=1e-10)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("cls, phase, move", [(AAE, "encoder", "encoder"), (WAEGAN, "auto_encoder", "auto_encoder")])
def test_at_the_optimal_c_the_codes_are_drawn_to_the_prior(cls, phase, move):
    """q(z) = N(.5, .8^2): with label 1 for the prior d/dm > 0 and d/ds < 0; a flipped label turns both signs."""
    m, s = 0.5, 0.8
    code = quadratic([[1 / s**2 - 1]], [-m / s**2], m**2 / (2 * s**2) + np.log(s))
    arguments = {"penalty_weight": 1.0} if cls is WAEGAN else {}
    model = made(cls, affine([[s]], [m]), affine([[0.0]]), code, ema=None, **arguments)
    variables = model.encoder.trainable_variables  # the decoder gives 0 for every code: the error says nothing

    def at(x):
        noise = {"z": x, "code": np.zeros((1, 0))}
        return [tf.squeeze(g) for g in loss_gradient(model, x, noise, phase, move, variables)]

    np.testing.assert_allclose(expected(at), [-0.16343148, 0.22989711], atol=1e-8)


@pytest.mark.parametrize("cls", [WAEGAN, WAEMMD])
@pytest.mark.parametrize("weight", [-1.0, float("nan"), None])
def test_a_negative_penalty_weight_is_refused(cls, weight):
    with pytest.raises(ValueError, match=f"`penalty_weight` must be .* >= 0. Received: penalty_weight={weight}"):
        small(cls, penalty_weight=weight)


def test_a_code_discriminator_of_another_size_is_named():
    with pytest.raises(ValueError, match=r"`code_discriminator` must accept inputs of shape \(2,\)"):
        made(AAE, network("plain", [(3,)], (2,)), network("plain", [(2,)], (3,)), network("plain", [(4,)], (1,)))


@pytest.mark.slow
@pytest.mark.parametrize("cls, arguments", [(AAE, {}), (WAEGAN, {"penalty_weight": 1.0}), (WAEMMD, {})])
def test_a_gaussian_is_recovered_and_reconstructed_in_1500_steps(cls, arguments):
    networks = [affine(0.3 * np.eye(2), [0, 0], (2,)), affine(0.3 * np.eye(2), [0, 0], (2,))]
    if cls is not WAEMMD:
        networks.append(network("plain", [(2,)], (1,), hidden=32))
    model = made(cls, *networks, ema=0.99, **arguments)
    train_on_gaussian(model, 3e-3, 1500)
    check_samples(model, mean=0.12, covariance=0.2)
    assert model.reconstruction_error(gaussian_data(500)).mean() < 0.05  # of a variance of 1.8


def test_only_aaes_phase_of_reconstruction_decodes(monkeypatch):
    model, calls = small(AAE), {"encoder": 0, "decoder": 0}
    for name in calls:
        part = getattr(model, name)

        def counted(*arguments, name=name, call=part.call, **more):
            calls[name] += 1
            return call(*arguments, **more)

        monkeypatch.setattr(part, "call", counted)
    model.compile(run_eagerly=True)
    model.train_step(tf.zeros([4, 3]))
    assert calls == {"encoder": 2, "decoder": 1}


@pytest.mark.slow
def test_two_replicas_measure_the_discrepancy_of_the_whole_batch(two_replicas):
    """The mean of the halves' discrepancies, which are of fewer pairs, is another number."""
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    batch = tf.data.Dataset.from_tensors(x)
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = small(WAEMMD)
            model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
        logs = model.fit(batch, verbose=0).history
        found.append((logs["mmd_squared"][0], *(weight for weight in model.encoder.get_weights())))
    for alone, together in zip(*found, strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-6)
