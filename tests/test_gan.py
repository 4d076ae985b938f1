"""The GAN against its paper: losses, gradients at the optimal discriminator, a target recovered."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from finite_differences import check_one_step
from tiny import affine, check_samples, expected, float64, loss_gradient, network, train_on_gaussian  # noqa: F401

from keras_ijae import random
from keras_ijae.models import GAN, WGAN, WGANGP

mean, log, sigmoid = tf.reduce_mean, tf.math.log, tf.sigmoid
OBJECTIVES = {
    "minimax": lambda logit: mean(log(1 - sigmoid(logit))),
    "non_saturating": lambda logit: -mean(log(sigmoid(logit))),
    "log_ratio": lambda logit: -mean(log(sigmoid(logit)) - log(1 - sigmoid(logit))),
}


def gan(decoder, discriminator, **arguments):
    return GAN(decoder=decoder, discriminator=discriminator, **arguments)


def retyped(model, x):
    """Goodfellow et al. 2014, algorithm 1, in probabilities."""
    g, d = (lambda z: model.decoder(z, training=True)), (lambda x: model.discriminator(x, training=True))

    def losses(phase, noise):
        fake = g(noise["z"])
        if phase == "decoder":
            return {"decoder": lambda: OBJECTIVES[model.objective](d(g(noise["z"])))}
        return {"discriminator": lambda: -mean(log(sigmoid(d(x)))) - mean(log(1 - sigmoid(d(fake))))}

    return losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "objective, steps, kinds",
    [
        ("minimax", 1, ("plain", "plain")),
        ("non_saturating", 1, ("batch", "batch")),
        ("log_ratio", 2, ("plain", "spectral")),
        ("non_saturating", 3, ("batch", "spectral")),
    ],
)
def test_one_step_moves_each_network_down_its_own_loss_and_nothing_else(objective, steps, kinds):
    decoder, discriminator = network(kinds[0], [(2,)], (2,)), network(kinds[1], [(2,)], (1,), seed=5)
    model = gan(decoder, discriminator, objective=objective, discriminator_steps=steps, ema=None)
    x = np.random.default_rng(0).normal(1.0, 0.5, (6, 2))
    turns, logs = check_one_step(model, x, retyped(model, x))
    assert [turn.phase for turn in turns] == ["discriminator"] * steps + ["decoder"]
    draws = {turn.noise["z"].numpy().tobytes() for turn in turns}
    assert len(draws) == (1 if steps == 1 else steps + 1)  # fresh noise each time; at k = 1 both players share a pass
    assert {"discriminator_loss", "decoder_loss", "discriminator_real_logit", "discriminator_accuracy"} <= set(logs)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "objective, slope", [("minimax", 0.397972867), ("non_saturating", 0.602027133), ("log_ratio", 1.0)]
)
def test_at_the_optimal_discriminator_each_objective_has_the_slope_of_its_divergence(objective, slope):
    """Data N(0, 1), model N(1, 1): 2 JSD, KL(q||p) - 2 JSD, KL(q||p); Gauss-Hermite, to 1e-8."""
    decoder = affine([[1.0]], [1.0])
    model = gan(decoder, affine([[-1.0]], [0.5]), objective=objective, ema=None)  # log p/q = 1/2 - x
    bias = decoder.trainable_variables[1]
    slopes = expected(lambda z: loss_gradient(model, z, {"z": z}, "decoder", "decoder", [bias])[0])
    np.testing.assert_allclose(slopes, [slope], atol=1e-8)


# Fresh batches for the discriminator or critic, as the algorithms of all three papers have them ----------------------

JUDGED = {GAN: "discriminator", WGAN: "critic", WGANGP: "critic"}


def judging(cls, steps=3, fresh=True):
    judge = JUDGED[cls]
    networks = {"decoder": network("plain", [(2,)], (2,)), judge: network("plain", [(2,)], (1,), seed=5)}
    about = {f"{judge}_steps": steps, "fresh_batches": fresh, "ema": None}
    return cls(**networks, **about, **({"slow_start": False, "clip": 5.0} if cls is WGAN else {}))


def observed(model, x):
    """(phase, batch, z) of each turn of one step."""
    turns, losses = [], model.losses

    def watching(batch, noise, phase, forward):
        turns.append((phase, batch.x.numpy(), noise["z"].numpy()))
        return losses(batch, noise, phase, forward)

    model.losses = watching
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(x, batch_size=len(x), shuffle=False, verbose=0)
    return turns


ROWS = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")


@pytest.mark.parametrize("cls", JUDGED)
def test_with_fresh_batches_every_step_of_the_judge_has_rows_and_noise_of_its_own(cls):
    *judged, (last, _, last_noise) = observed(judging(cls), ROWS)
    assert [phase for phase, _, _ in judged] == [JUDGED[cls]] * 3 and last == "decoder"
    for index, (_, batch, _) in enumerate(judged):
        np.testing.assert_array_equal(batch, ROWS[index::3])
    noises = [z for *_, z in judged] + [last_noise]
    assert {z.shape for z in noises} == {(4, 2)} and len({z.tobytes() for z in noises}) == 4


@pytest.mark.parametrize("cls", JUDGED)
def test_without_them_all_steps_share_the_batch(cls):
    turns = observed(judging(cls, fresh=False), ROWS)
    assert len(turns) == 4 and all(np.array_equal(batch, ROWS) and z.shape == ROWS.shape for _, batch, z in turns)


@pytest.mark.parametrize("cls", JUDGED)
def test_fresh_batches_of_one_step_are_the_whole_batch_which_the_decoder_reuses(cls):
    (_, batch, z), (_, _, again) = observed(judging(cls, steps=1), ROWS)
    np.testing.assert_array_equal(batch, ROWS)
    np.testing.assert_array_equal(z, again)


@pytest.mark.slow
def test_replicas_slice_the_rows_that_one_does(two_replicas):
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = judging(WGANGP)
            model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        model.fit(ROWS, batch_size=12, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for alone, together in zip(*found, strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("cls", JUDGED)
def test_a_batch_too_small_to_be_cut_is_refused_and_so_is_what_is_no_flag(cls):
    model = judging(cls)
    model.compile()
    with pytest.raises(ValueError, match="cut into 3 slices, so it needs as many rows. Received: 2"):
        model.fit(ROWS, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match="`fresh_batches` must be True or False. Received: fresh_batches=1"):
        judging(cls, fresh=1)


@pytest.mark.parametrize("logit", [-1000.0, -100.0, 100.0, 1000.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_extreme_logits_give_finite_losses_and_a_step_that_stays_finite(objective, logit):
    model = gan(affine([[1.0]], [0.0]), affine([[1.0]], [logit]), objective=objective)
    model.compile()
    logs = model.train_step(tf.zeros([2, 1]))
    assert all(np.isfinite(value) for value in logs.values())
    np.testing.assert_allclose(logs["discriminator_loss"], abs(logit), rtol=0.05)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.usefixtures("float64")
def test_batch_statistics_follow_the_passes_of_the_moving_network_in_their_order():
    """real, then fake: m <- .9 m + .1 batch, twice; the generator's pass is one, however many phases reuse it."""
    decoder, discriminator = network("batch", [(2,)], (2,)), network("batch", [(2,)], (1,), seed=5)
    model = gan(decoder, discriminator, ema=None)
    model.compile(keras.optimizers.SGD(0.0))
    z = model.noise(random.Draws(random.fold(0), 6, dtype="float64"))["z"]
    model.noise = lambda draws: {"z": z}
    x, fake = np.random.default_rng(0).normal(size=(6, 2)), _outputs(decoder, z)
    expected_statistics = [(_hidden(discriminator, x), _hidden(discriminator, fake)), (_hidden(decoder, z),)]
    model.train_step(tf.constant(x))
    for net, passes in zip((discriminator, decoder), expected_statistics, strict=True):
        moving_mean, moving_variance = np.zeros(3), np.ones(3)
        for h in passes:
            moving_mean = 0.9 * moving_mean + 0.1 * h.mean(axis=0)
            moving_variance = 0.9 * moving_variance + 0.1 * h.var(axis=0)
        np.testing.assert_allclose(_normalisation(net).moving_mean, moving_mean, rtol=1e-12)
        np.testing.assert_allclose(_normalisation(net).moving_variance, moving_variance, rtol=1e-12)


def _normalisation(net):
    return next(layer for layer in net.layers if isinstance(layer, keras.layers.BatchNormalization))


def _hidden(net, x):
    """What goes into the normalisation."""
    dense = next(layer for layer in net.layers if isinstance(layer, keras.layers.Dense))
    return np.asarray(x) @ dense.kernel.numpy() + dense.bias.numpy()


def _outputs(net, x):
    """The network with the statistics of this batch."""
    h, epsilon = _hidden(net, x), _normalisation(net).epsilon
    last = [layer for layer in net.layers if isinstance(layer, keras.layers.Dense)][-1]
    return np.tanh((h - h.mean(0)) / np.sqrt(h.var(0) + epsilon)) @ last.kernel.numpy() + last.bias.numpy()


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["non_saturating", "log_ratio"])
def test_a_gaussian_is_recovered_in_1500_steps(objective):
    decoder, discriminator = affine(0.3 * np.eye(2), [0, 0], (2,)), network("plain", [(2,)], (1,), hidden=32)
    model = gan(decoder, discriminator, objective=objective, ema=0.99)
    train_on_gaussian(model, 2e-3, 1500)
    check_samples(model, mean=0.1, covariance=0.15)
