"""alpha-GAN against its source: losses, golden gradients, the equilibrium of D, a target recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import (  # noqa: F401
    affine,
    check_a_weight_comes_back,
    check_samples,
    expected,
    float64,
    gaussian_data,
    inject,
    loss_gradient,
    network,
    play_phase,
    quadratic,
    signs,
    slopes,
    train_on_gaussian,
)

from keras_ijae.game import Batch
from keras_ijae.models import AlphaGAN

mean, log, sigmoid = tf.reduce_mean, tf.math.log, tf.sigmoid
R = {
    "log_ratio": lambda logit: mean(log(1 - sigmoid(logit)) - log(sigmoid(logit))),
    "non_saturating": lambda logit: -mean(log(sigmoid(logit))),
}


def alpha_gan(encoder, decoder, discriminator, code_discriminator, **arguments):
    judges = {"discriminator": discriminator, "code_discriminator": code_discriminator}
    return AlphaGAN(encoder=encoder, decoder=decoder, **judges, **arguments)


def small(players, judges, implicit=False, **arguments):
    networks = (
        network(players, [(3,), (2,)] if implicit else [(3,)], (2,)),
        network(players, [(2,)], (3,), seed=10),
        network(judges, [(3,)], (1,), seed=20),
        network("spectral" if judges == "spectral" else "plain", [(2,)], (1,), seed=30),
    )
    return alpha_gan(*networks, ema=None, **arguments)


def retyped(model, x, l1_weight, cycle_weight, objective, sees):
    """Rosca et al. 2017, algorithm 1, with C = P(prior), the two kinds of fakes averaged, and means over dimensions."""
    x = tf.constant(x)

    def e(x, xi):
        return model.encoder([x, xi] if len(model.encoder.inputs) == 2 else x, training=True)

    def g(z):
        return model.decoder(z, training=True)

    def d(x):
        return model.discriminator(x, training=True)

    def c(z):
        return model.code_discriminator(z, training=True)

    def judges(z, xi):
        z_q = e(x, xi)
        x_r, x_f = g(z_q), g(z)
        return {
            "discriminator": lambda: (
                -mean(log(sigmoid(d(x)))) - (mean(log(1 - sigmoid(d(x_r)))) + mean(log(1 - sigmoid(d(x_f))))) / 2
            ),
            "code_discriminator": lambda: -mean(log(sigmoid(c(z)))) - mean(log(1 - sigmoid(c(z_q)))),
        }

    def players(z, xi):
        def shared():
            l1 = l1_weight * mean(tf.abs(x - g(e(x, xi))))
            return l1 if cycle_weight is None else l1 + cycle_weight * mean(tf.abs(e(g(z), xi) - z))

        return {
            "encoder": lambda: shared() + R[objective](c(e(x, xi))) + (R[objective](d(g(e(x, xi)))) if sees else 0),
            "decoder": lambda: shared() + R[objective](d(g(e(x, xi)))) + R[objective](d(g(z))),
        }

    return lambda phase, noise: (judges if phase == "discriminators" else players)(noise["z"], noise["code"])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "kinds, implicit, l1, cycle, objective, sees",
    [
        (("plain", "plain"), False, 40.0, None, "log_ratio", False),
        (("batch", "spectral"), True, 5.0, None, "non_saturating", True),
        (("plain", "spectral"), True, 5.0, 3.0, "log_ratio", False),
        (("batch", "plain"), False, 0.0, 2.0, "non_saturating", False),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(kinds, implicit, l1, cycle, objective, sees):
    weights = {"l1_mean_weight": l1, "code_cycle_mean_weight": cycle}
    model = small(*kinds, implicit, objective=objective, encoder_sees_discriminator=sees, **weights)
    x = np.random.default_rng(0).normal(size=(5, 3))
    turns, logs = check_one_step(model, x, retyped(model, x, l1, cycle, objective, sees))
    assert [turn.phase for turn in turns] == ["discriminators", "players"]
    assert {f"{move.name}_loss" for move in model.moves} | {"absolute_error_mean"} <= set(logs)
    assert ("code_cycle_l1_mean" in logs) == (cycle is not None)


# Golden gradients: q(z) = N(.5, .8^2) against N(0, 1) ----------------------------------------------------------------

M, S = 0.5, 0.8


def analytic(objective, **arguments):
    """E(x) = S x + M on x ~ N(0, 1), with the optimal C; without an L1 term."""
    code = quadratic([[1 / S**2 - 1]], [-M / S**2], M**2 / (2 * S**2) + np.log(S))  # log N(z; 0, 1) - log N(z; M, S^2)
    nothing = quadratic([[0.0]])
    arguments = {"l1_mean_weight": 0.0, "objective": objective, "ema": None, **arguments}
    return alpha_gan(affine([[S]], [M]), affine([[1.0]], [0.0]), nothing, code, **arguments)


@pytest.mark.usefixtures("float64")
def test_at_the_optimal_c_the_log_ratio_gives_the_encoder_the_gradient_of_the_kl():
    """d/d(m, s) KL(q||p) = 0.5, -0.45, to 1e-10."""
    model, x = analytic("log_ratio"), signs(1)
    inject(model, z=x, code=np.zeros((2, 0)))
    kernel, bias = slopes(model, x, "encoder")
    np.testing.assert_allclose([bias.item(), kernel.item()], [0.5, -0.45], atol=1e-10)


@pytest.mark.usefixtures("float64")
def test_at_the_optimal_c_the_non_saturating_loss_has_its_reference_gradient():
    """d/d(m, s) = 0.22989711, -0.16343148, by Gauss-Hermite quadrature, to 1e-8."""
    model = analytic("non_saturating")
    variables = model.encoder.trainable_variables

    def at(x):
        noise = {"z": x, "code": np.zeros((1, 0))}
        return [tf.squeeze(g) for g in loss_gradient(model, x, noise, "players", "encoder", variables)]

    np.testing.assert_allclose(expected(at), [-0.16343148, 0.22989711], atol=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("role, seen_by", [("discriminator", "decoder"), ("code_discriminator", "encoder")])
def test_the_encoder_does_not_see_d_unless_asked_nor_the_decoder_c(role, seen_by):
    judges = {"discriminator": quadratic([[0.0]]), "code_discriminator": quadratic([[0.0]]), role: affine([[2.0]])}
    arguments = {"l1_mean_weight": 0.0, "objective": "log_ratio", "ema": None}
    model = alpha_gan(affine([[S]], [M]), affine([[1.0]], [0.0]), **judges, **arguments)
    inject(model, z=signs(1), code=np.zeros((2, 0)))
    for move in ("encoder", "decoder"):
        assert any(slope.any() for slope in slopes(model, signs(1), move)) == (move == seen_by)
    model = alpha_gan(
        affine([[S]], [M]), affine([[1.0]], [0.0]), **judges, encoder_sees_discriminator=True, **arguments
    )
    inject(model, z=signs(1), code=np.zeros((2, 0)))
    assert any(slope.any() for slope in slopes(model, signs(1), "encoder"))


@pytest.mark.slow
def test_with_equal_data_samples_and_reconstructions_d_comes_to_rest_at_logit_zero():
    """Both kinds of fakes averaged: D = 1/2, where their sum would give log 1/2 = -0.693."""
    bias = affine([[0.0]], [1.0])
    model = alpha_gan(affine([[1.0]]), affine([[1.0]]), bias, affine([[0.0]], [-2.0]))
    x = np.array([[-1.0], [0.0], [2.0]], "float32")
    inject(model, z=x, code=np.zeros((3, 0), "float32"))
    rates = {"encoder": 0.0, "decoder": 0.0, "discriminator": 1.0, "code_discriminator": 1.0}
    model.compile({move: keras.optimizers.SGD(rate) for move, rate in rates.items()}, jit_compile=False)
    model.fit(np.repeat(x[None], 60, 0).reshape(-1, 1), batch_size=3, shuffle=False, verbose=0)
    for judge in (model.discriminator, model.code_discriminator):
        np.testing.assert_allclose(judge.get_weights()[1], [0.0], atol=1e-5)


# Weights and their reductions --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(4,), (2, 3, 1)])
def test_the_l1_term_is_a_mean_over_batch_and_dimensions(shape):
    sizes, rows = int(np.prod(shape)), 3
    dense = keras.layers.Dense(sizes, activation="sigmoid")
    reconstruction = keras.Sequential([keras.Input((1,)), dense, keras.layers.Reshape(shape)])
    encoder = network("plain", [shape], (1,))
    judge, code = network("plain", [shape], (1,)), network("plain", [(1,)], (1,))
    model = alpha_gan(encoder, reconstruction, judge, code, l1_mean_weight=7.0)
    x = np.random.default_rng(0).uniform(size=(rows, *shape))
    noise = {"z": tf.zeros([rows, 1], tf.float64), "code": tf.zeros([rows, 0], tf.float64)}
    forward = model.forward(Batch(tf.constant(x)), noise, "players")
    found = model.losses(Batch(tf.constant(x)), noise, "players", forward)
    l1 = np.abs(x - forward["rec"].numpy()).sum() / (rows * sizes)
    np.testing.assert_allclose(found.logs["absolute_error_mean"], l1, rtol=1e-12)
    adversarial = np.mean(np.logaddexp(0, -code(forward["code"]).numpy()))
    np.testing.assert_allclose(found.losses["encoder"], 7 * l1 + adversarial, rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_the_weight_of_l1_is_read_at_run_time():
    model, x = analytic("log_ratio", l1_mean_weight=1.0), np.array([[1.0], [2.0]])
    inject(model, z=x, code=np.zeros((2, 0)))
    found = []
    for weight in (0.0, 1.0, 2.0):
        model.l1_mean_weight.assign(weight)
        model.decoder.set_weights([np.array([[1.0]]), np.array([5.0])])
        found.append(slopes(model, x, "decoder")[1].item())
    np.testing.assert_allclose(found, [0, 1, 2], atol=1e-12)  # all reconstructions too large: d/db of the mean is 1


def test_a_cycle_of_codes_that_begins_at_nothing_or_is_weighted_down_to_it_comes_back(tmp_path):
    model, x = small("plain", "plain", code_cycle_mean_weight=0.0), np.ones((4, 3), "float32")
    noise = {"z": np.full((4, 2), 2.0, "float32"), "code": np.zeros((4, 0), "float32")}
    for move in ("encoder", "decoder"):
        total = lambda model, move=move: play_phase(model, x, noise, "players").losses[move]  # noqa: E731
        check_a_weight_comes_back(model, "code_cycle_mean_weight", total, tmp_path / f"{move}.keras")


@pytest.mark.parametrize(
    "argument, value",
    [
        *((weight, value) for weight in ("l1_mean_weight", "code_cycle_mean_weight") for value in (-0.1, float("nan"))),
        ("l1_mean_weight", None),
        ("objective", "minimax"),
        ("encoder_sees_discriminator", 1),
    ],
)
def test_bad_arguments_are_refused_by_name(argument, value):
    with pytest.raises(ValueError, match=f"Argument `{argument}` must be .* Received: {argument}={value!r}"):
        small("plain", "plain", **{argument: value})


@pytest.mark.slow
def test_a_gaussian_is_recovered_and_reconstructed_in_1500_steps():
    model = alpha_gan(
        affine(0.3 * np.eye(2), [0, 0], (2,)),
        affine(0.3 * np.eye(2), [0, 0], (2,)),
        network("plain", [(2,)], (1,), hidden=32),
        network("plain", [(2,)], (1,), seed=3, hidden=32),
        l1_mean_weight=1.0,
        ema=0.99,
    )
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.1, covariance=0.15)
    assert model.reconstruction_error(gaussian_data(500)).mean() < 0.05  # of a variance of 1.8
